package export

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/models"
	"canopy/models/predicate"
)

// Kept is how long an export's file can be fetched.
const Kept = 7 * 24 * time.Hour

// Request asks for a file of records.
type Request struct {
	Object  string
	Filter  *predicate.Node // nil: all that the reader may see
	Sort    string
	Columns []string // names of fields; none: all
	Format  Format
	Deleted bool // deleted records too
	Cutoff  models.Cutoff
}

// kept is how a Request is kept.
type kept struct {
	Filter         json.RawMessage `json:"filter,omitempty"`
	Sort           string          `json:"sort,omitempty"`
	Columns        []string        `json:"columns,omitempty"`
	Format         Format          `json:"format"`
	Deleted        bool            `json:"deleted,omitempty"`
	HappenedBefore *time.Time      `json:"happened_before,omitempty"`
	Position       uint64          `json:"position,omitempty"`
}

// Files finds the exports whose files may still be there.
type Files interface {
	WithFiles(ctx context.Context, place string) ([]*models.Job, error)
}

// Service makes exports and gives their files. It is the worker of its lane.
type Service struct {
	Engine    *crm.Engine
	Jobs      *job.Service
	Files     Files
	Directory string // where files go
	Now       func() time.Time
}

// Place names the directory, so that a job goes on where its file is. It is made at the first call.
func Place(directory string) (string, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of exports: %w", err)
	}
	path := filepath.Join(directory, "place")
	text, err := os.ReadFile(filepath.Clean(path))
	if err == nil && len(text) > 0 {
		return string(text), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the directory of exports: %w", err)
	}
	var b [8]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	place := hex.EncodeToString(b[:])
	if err := os.WriteFile(path, []byte(place), 0o600); err != nil {
		return "", fmt.Errorf("name the directory of exports: %w", err)
	}
	return place, nil
}

// Start checks what is asked for and lets the export run.
func (s *Service) Start(ctx context.Context, reader models.Reader, r Request) (models.Job, error) {
	object, err := s.Engine.Registry().Need(r.Object)
	if err != nil {
		return models.Job{}, err
	}
	if r.Format == "" {
		r.Format = CSV
	}
	if r.Format != CSV && r.Format != Parquet && r.Format != Arrow {
		return models.Job{}, models.FieldError("format", "%q is none of csv, parquet, arrow", r.Format)
	}
	if _, err := columnsOf(object, r.Columns, r.Deleted); err != nil {
		return models.Job{}, err
	}
	if err := s.Engine.CheckQuery(reader, crm.Query{Object: object.Name, Where: r.Filter, Sort: r.Sort}); err != nil {
		return models.Job{}, err
	}
	k := kept{Sort: r.Sort, Columns: r.Columns, Format: r.Format, Deleted: r.Deleted, Position: r.Cutoff.Position}
	if !r.Cutoff.IsZero() && (r.Sort != "" || r.Deleted) {
		return models.Job{}, models.FieldError("sort", "records of the past come in the order of their numbers, without those deleted then").WithRemedy("Leave sort and deleted out.")
	}
	if at := r.Cutoff.HappenedBefore; !at.IsZero() {
		at = at.UTC()
		k.HappenedBefore = &at
	}
	if r.Filter != nil {
		if k.Filter, err = json.Marshal(r.Filter); err != nil {
			return models.Job{}, fmt.Errorf("keep a filter: %w", err)
		}
	}
	request, err := json.Marshal(k)
	if err != nil {
		return models.Job{}, fmt.Errorf("keep an export: %w", err)
	}
	title := fmt.Sprintf("Export %s as %s", strings.ToLower(object.Plural), map[Format]string{CSV: "CSV", Parquet: "Parquet", Arrow: "Arrow"}[r.Format])
	return s.Jobs.Add(ctx, reader, &models.Job{Kind: models.ExportJob, Object: object.Name, Title: title, Request: request})
}

// Open gives an export's file to whoever asked for it, as long as he has the rights under which it was read; an administrator who
// sees everything gets every file.
func (s *Service) Open(ctx context.Context, reader models.Reader, number int64) (*os.File, models.JobFile, error) {
	j, err := s.Jobs.Get(ctx, reader, number)
	if err != nil {
		return nil, models.JobFile{}, err
	}
	if j.Kind != models.ExportJob {
		return nil, models.JobFile{}, models.Errorf(models.NotFound, "there is no export %d", number)
	}
	if j.File == nil {
		return nil, models.JobFile{}, models.Errorf(models.Conflict, "%s is %s; it has no file yet", j.ID, j.State).WithRemedy("Wait until it is done.")
	}
	if j.File.URL == "" {
		return nil, *j.File, errExpired(&j)
	}
	everything := reader.Role.AtLeast(models.Administrator) && reader.SeesAll()
	if !everything && rightsOf(reader) != j.File.Rights {
		return nil, *j.File, models.Errorf(models.Forbidden, "your rights have changed since this file was written").WithRemedy("Export again: the new file has what you may see now.")
	}
	f, err := os.Open(s.path(&j))
	if errors.Is(err, os.ErrNotExist) {
		return nil, *j.File, models.Errorf(models.Unavailable, "the file of %s is not on this server", j.ID).WithRemedy("Ask the server that wrote it, or export again.")
	}
	if err != nil {
		return nil, *j.File, fmt.Errorf("open an exported file: %w", err)
	}
	return f, *j.File, nil
}

func errExpired(j *models.Job) error {
	return models.Errorf(models.NotFound, "the file of %s was kept until %s", j.ID, j.File.ExpiresAt.Format(models.DateLayout)).WithRemedy("Export again.")
}

func (s *Service) path(j *models.Job) string {
	return filepath.Join(s.Directory, j.ID+"."+j.File.Format)
}

// rightsOf is the same for readers who may see the same.
func rightsOf(r models.Reader) string {
	text, _ := json.Marshal([]any{r.User, r.Role, r.Scope, r.Teams, r.Territories, r.Campaigns}) //nolint:errchkjson // plain values always marshal
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Tidy removes files that have expired, and what killed and cancelled exports left.
func (s *Service) Tidy(ctx context.Context) error {
	place, err := Place(s.Directory)
	if err != nil {
		return err
	}
	jobs, err := s.Files.WithFiles(ctx, place)
	if err != nil {
		return err
	}
	keep := map[string]bool{"place": true}
	for _, j := range jobs {
		if j.File != nil && s.Now().Before(j.File.ExpiresAt) {
			keep[filepath.Base(s.path(j))] = true
		}
	}
	entries, err := os.ReadDir(s.Directory)
	if err != nil {
		return fmt.Errorf("tidy exported files: %w", err)
	}
	for _, e := range entries {
		if keep[e.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(s.Directory, e.Name())); err != nil {
			return fmt.Errorf("tidy exported files: %w", err)
		}
	}
	return nil
}
