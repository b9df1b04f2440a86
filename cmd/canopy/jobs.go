package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"canopy/crm/job"
	"canopy/dashboards/export"
	"canopy/ingest/importer"
	"canopy/models"
)

// jobs are the parts that do long work beside the importer.
type jobs struct {
	service *job.Service
	bulk    *job.Bulk
	exports *export.Service
}

// newJobs connects long jobs to the record engine and the store. Each kind has a lane of its own, so that a large bulk edit keeps nobody's
// export waiting.
func (p *parts) newJobs() (*jobs, error) {
	store := p.db.Jobs()
	j := &jobs{service: job.New(job.Config{Store: store, Log: p.log.With("part", "jobs"), ReaderOf: p.access.ReaderOf})}
	j.bulk = &job.Bulk{Engine: p.records, Store: store, Undo: &job.Undoing{Traces: p.db.Traces(), Commands: p.records}, Service: j.service}
	j.exports = &export.Service{Engine: p.records, Jobs: j.service, Files: store, Directory: filepath.Join(p.config.Data, "exports"), Now: time.Now}
	place, err := export.Place(j.exports.Directory)
	if err != nil {
		return nil, err
	}
	holder := holderName()
	j.service.AddLane(job.Lane{Kind: models.BulkJob, Worker: j.bulk, Lease: p.db.NewLease("bulk edits", holder, job.LeaseLasts)})
	j.service.AddLane(job.Lane{Kind: models.ExportJob, Place: place, Worker: j.exports, Lease: p.db.NewLease("exports "+place, holder, job.LeaseLasts)})
	return j, nil
}

// holderName names this process in leases.
func holderName() string {
	var b [6]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}

// apiJobs shows imports, exports and bulk edits as one list.
type apiJobs struct {
	jobs    *job.Service
	imports *importer.Service
}

// List joins the jobs of both services by when they were asked for.
func (a apiJobs) List(ctx context.Context, reader models.Reader, kind models.JobKind, limit int) ([]models.Job, error) {
	var list []models.Job
	if kind != models.ImportJob {
		found, err := a.jobs.List(ctx, reader, kind, limit)
		if err != nil {
			return nil, err
		}
		list = found
	}
	if kind == "" || kind == models.ImportJob {
		found, err := a.imports.List(ctx, reader, limit)
		if err != nil {
			return nil, err
		}
		for i := range found {
			list = append(list, importAsJob(reader, &found[i]))
		}
	}
	slices.SortStableFunc(list, func(x, y models.Job) int { return y.CreatedAt.Compare(x.CreatedAt) })
	return list[:min(limit, len(list))], nil
}

// Get reads one job of either service.
func (a apiJobs) Get(ctx context.Context, reader models.Reader, id string) (models.Job, error) {
	kind, number, err := models.ParseJobID(id)
	if err != nil {
		return models.Job{}, err
	}
	if kind != models.ImportJob {
		return ofKind(kind, id)(a.jobs.Get(ctx, reader, number))
	}
	i, err := a.imports.Get(ctx, reader, number)
	return importAsJob(reader, &i), err
}

// ofKind refuses a job that is found under another kind's id.
func ofKind(kind models.JobKind, id string) func(models.Job, error) (models.Job, error) {
	return func(j models.Job, err error) (models.Job, error) {
		if err == nil && j.Kind != kind {
			return models.Job{}, models.Errorf(models.NotFound, "there is no job %q", id)
		}
		return j, err
	}
}

// Do cancels, resumes or undoes a job of either service.
func (a apiJobs) Do(ctx context.Context, reader models.Reader, id string, action models.JobAction) (models.Job, error) {
	kind, number, err := models.ParseJobID(id)
	if err != nil {
		return models.Job{}, err
	}
	if kind != models.ImportJob {
		if _, err := a.Get(ctx, reader, id); err != nil {
			return models.Job{}, err
		}
		return a.jobs.Do(ctx, reader, number, action)
	}
	do := map[models.JobAction]func(context.Context, models.Reader, int64) (models.Import, error){
		models.CancelJob: a.imports.Cancel, models.ResumeJob: a.imports.Resume, models.UndoJob: a.imports.Undo,
	}[action]
	i, err := do(ctx, reader, number)
	return importAsJob(reader, &i), err
}

// Refused writes what a job of either service did not write.
func (a apiJobs) Refused(ctx context.Context, reader models.Reader, id string, w io.Writer) error {
	kind, number, err := models.ParseJobID(id)
	if err != nil {
		return err
	}
	if kind == models.ImportJob {
		return a.imports.Refused(ctx, reader, number, w)
	}
	return a.jobs.Refused(ctx, reader, number, w)
}

// importAsJob tells an import as a long job.
func importAsJob(reader models.Reader, i *models.Import) models.Job {
	j := models.Job{
		ID: models.JobID(models.ImportJob, i.ID), Kind: models.ImportJob, State: i.State, Object: i.Object, Title: "Import " + i.FileName, DryRun: i.DryRun,
		Done: i.RowsRead, Total: i.RowsTotal, Created: i.Created, Changed: i.Updated, Unchanged: i.Unchanged, Refused: i.Refused, Undone: i.Undone, Kept: i.Conflicts,
		Notes: i.Notes, Error: i.Error, By: i.By, CreatedAt: i.CreatedAt, FinishedAt: i.FinishedAt, Actions: []models.JobAction{}, Number: i.ID,
	}
	if i.Undo {
		j.Done, j.Total = i.Undone+i.Conflicts, nil
		if i.UndoTotal > 0 {
			j.Total = &i.UndoTotal
		}
	}
	if j.Refused+j.Kept > 0 {
		j.RefusedURL = "/api/v1/jobs/" + j.ID + "/refused.csv"
	}
	if !reader.MayWrite(models.Editor) {
		return j
	}
	switch {
	case i.State.Active():
		j.Actions = append(j.Actions, models.CancelJob)
	case i.State == models.JobCancelled, i.State == models.JobFailed:
		j.Actions = append(j.Actions, models.ResumeJob)
	}
	if !i.State.Active() && i.State != models.JobUndone && !i.DryRun {
		j.Actions = append(j.Actions, models.UndoJob)
	}
	return j
}
