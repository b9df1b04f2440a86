package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"canopy/dashboards"
	"canopy/dashboards/export"
	"canopy/models"
	"canopy/models/predicate"
)

// exportCommand writes records into a file: through the running server of the data directory, or, where none runs, straight from its store.
type exportCommand struct {
	Config         `embed:""`
	Object         string   `arg:"" help:"What to export: deal, account, …"`
	Out            string   `short:"o" type:"path" help:"The file to write; named after the object and the day where it is left out."`
	Format         string   `enum:"csv,parquet,arrow" default:"csv" help:"csv, parquet or arrow."`
	Filter         string   `help:"Which records: a predicate in JSON."`
	Sort           string   `help:"As of a list: -amount,name."`
	Columns        []string `help:"Names of fields; all where left out."`
	Deleted        bool     `help:"Deleted records too."`
	HappenedBefore string   `help:"The records as they stood before this instant."`
	Position       uint64   `help:"The records as the log knew them at this position."`
	URL            string   `name:"url" help:"A Canopy elsewhere; CANOPY_TOKEN holds an API token for it."`
	Token          string   `hidden:"" env:"CANOPY_TOKEN"`
}

// exporting is what an export goes through, here or over HTTP.
type exporting interface {
	start(ctx context.Context, c *exportCommand) (models.Job, error)
	get(ctx context.Context, id string) (models.Job, error)
	file(ctx context.Context, j models.Job, w io.Writer) error
}

// Run exports and waits for the file.
func (c *exportCommand) Run(ctx context.Context, s *streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.URL != "" {
		return c.through(ctx, s, &remoteExports{&control{URL: c.URL, Token: c.Token}})
	}
	server, err := running(ctx, c.Data)
	if err != nil {
		return err
	}
	if server != nil {
		server.client.Timeout = 0 // a large file takes its time
		return c.through(ctx, s, &remoteExports{server})
	}
	return withRecords(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		jobs, err := p.newJobs()
		if err != nil {
			return err
		}
		if err := jobs.service.Recover(ctx); err != nil {
			return err
		}
		defer jobs.service.Close()
		return c.through(ctx, s, &localExports{jobs, p})
	})
}

func (c *exportCommand) through(ctx context.Context, s *streams, via exporting) error {
	j, err := via.start(ctx, c)
	if err != nil {
		return err
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for j.State.Active() {
		fmt.Fprintf(s.err, "\r%d %s", j.Done, c.Object)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s goes on with the server: %w", j.ID, ctx.Err())
		}
		if j, err = via.get(ctx, j.ID); err != nil {
			return err
		}
	}
	fmt.Fprint(s.err, "\r")
	if j.State != models.JobDone || j.File == nil {
		return models.Errorf(models.Invalid, "the export ended as %s: %s", j.State, j.Error)
	}
	if c.Out == "" {
		c.Out = j.File.Name
	}
	if err := c.keep(ctx, via, j); err != nil {
		return err
	}
	exact := ""
	if !j.File.Exact {
		exact = " or a little later"
	}
	fmt.Fprintf(s.out, "%s: %d records, %d bytes, as of position %d%s\n", c.Out, j.Done, j.File.Bytes, j.File.Position, exact)
	return nil
}

// keep writes the file under its name once it is whole.
func (c *exportCommand) keep(ctx context.Context, via exporting, j models.Job) error {
	partial, err := os.CreateTemp(filepath.Dir(c.Out), ".canopy-export-*")
	if err != nil {
		return models.FieldError("out", "%v", err).WithRemedy("Name a file that this user may write.")
	}
	defer os.Remove(partial.Name()) //nolint:errcheck // renamed away where all went well
	if err := errors.Join(via.file(ctx, j, partial), partial.Close()); err != nil {
		return err
	}
	return os.Rename(partial.Name(), c.Out)
}

// localExports runs exports in this process.
type localExports struct {
	jobs *jobs
	p    *parts
}

func (l *localExports) start(ctx context.Context, c *exportCommand) (models.Job, error) {
	filter, err := predicate.Parse([]byte(c.Filter))
	if err != nil {
		return models.Job{}, err
	}
	r := export.Request{Object: c.Object, Filter: filter, Sort: c.Sort, Columns: c.Columns, Format: export.Format(c.Format), Deleted: c.Deleted, Cutoff: models.Cutoff{Position: c.Position}}
	if c.HappenedBefore != "" {
		if r.Cutoff.HappenedBefore, err = models.ParseInstant(c.HappenedBefore, l.p.config.Calendar().Zone); err != nil {
			return models.Job{}, models.FieldError("happened-before", "%s", err)
		}
	}
	return l.jobs.exports.Start(ctx, models.System(), r)
}

func (l *localExports) get(ctx context.Context, id string) (models.Job, error) {
	_, number, err := models.ParseJobID(id)
	if err != nil {
		return models.Job{}, err
	}
	return l.jobs.service.Get(ctx, models.System(), number)
}

func (l *localExports) file(ctx context.Context, j models.Job, w io.Writer) error {
	f, _, err := l.jobs.exports.Open(ctx, models.System(), j.Number)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// remoteExports asks a running server.
type remoteExports struct{ server *control }

func (r *remoteExports) start(ctx context.Context, c *exportCommand) (j models.Job, err error) {
	body := dashboards.ExportBody{
		Object: c.Object, Sort: c.Sort, Columns: c.Columns, Format: c.Format, Deleted: c.Deleted, HappenedBefore: c.HappenedBefore, Position: c.Position,
	}
	if c.Filter != "" {
		if !json.Valid([]byte(c.Filter)) {
			return j, models.FieldError("filter", "it is no JSON")
		}
		body.Filter = dashboards.Filter(c.Filter)
	}
	err = r.server.call(ctx, http.MethodPost, "/api/v1/exports", body, &j)
	return j, err
}

func (r *remoteExports) get(ctx context.Context, id string) (j models.Job, err error) {
	err = r.server.call(ctx, http.MethodGet, "/api/v1/jobs/"+id, nil, &j)
	return j, err
}

func (r *remoteExports) file(ctx context.Context, j models.Job, w io.Writer) error {
	return r.server.call(ctx, http.MethodGet, j.File.URL, nil, w)
}
