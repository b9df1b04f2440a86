package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/ingest/importer"
	"canopy/models"
)

// importCommand imports files one after another: into the running server of the data directory, or, where none runs,
// straight into its store (the next start relays what was written).
type importCommand struct {
	Config  `embed:""`
	Files   []string `arg:"" type:"existingfile" help:"CSV, XLSX, Parquet or Arrow files, in the order in which they are to be read."`
	Map     []string `type:"existingfile" help:"Mapping file (YAML): one for all files, or one a file in the same order. A mapping is proposed where none is given."`
	Propose bool     `help:"Print the mapping that would be proposed for the first file, and stop."`
	DryRun  bool     `help:"Check everything and write nothing."`
	Refused string   `type:"path" help:"Where refused rows go; beside the file, as FILE.refused.csv, where it is left out."`
	URL     string   `name:"url" help:"A Canopy elsewhere; CANOPY_TOKEN holds an API token for it."`
	Token   string   `hidden:"" env:"CANOPY_TOKEN"`
}

// importing is what an import goes through, here or over HTTP.
type importing interface {
	propose(ctx context.Context, path string) (string, error)
	start(ctx context.Context, path, mapping string, dryRun bool) (models.Import, error)
	get(ctx context.Context, id int64) (models.Import, error)
	refused(ctx context.Context, id int64, w io.Writer) error
}

// Run imports the files in order and stops at the first that fails as a whole.
func (c *importCommand) Run(ctx context.Context, s *streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if n := len(c.Map); n > 1 && n != len(c.Files) {
		return models.FieldError("map", "%d mappings for %d files", n, len(c.Files)).WithRemedy("Give one mapping for all files, or one a file.")
	}
	server, err := c.server(ctx)
	if err != nil {
		return err
	}
	if server != nil {
		return c.all(ctx, s, server)
	}
	return withRecords(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		service := p.newImporter()
		if err := service.Recover(ctx); err != nil {
			return err
		}
		defer service.Close()
		return c.all(ctx, s, &localImports{service})
	})
}

func (c *importCommand) server(ctx context.Context) (importing, error) {
	if c.URL != "" {
		return &remoteImports{&control{URL: c.URL, Token: c.Token}}, nil
	}
	server, err := running(ctx, c.Data)
	if err != nil || server == nil {
		return nil, err
	}
	server.client.Timeout = 0 // a large file takes its time
	return &remoteImports{server}, nil
}

func (c *importCommand) all(ctx context.Context, s *streams, via importing) error {
	if c.Propose {
		mapping, err := via.propose(ctx, c.Files[0])
		if err == nil {
			fmt.Fprint(s.out, mapping)
		}
		return err
	}
	for i, file := range c.Files {
		mapping := ""
		if len(c.Map) > 0 {
			text, err := os.ReadFile(c.Map[min(i, len(c.Map)-1)])
			if err != nil {
				return models.FieldError("map", "%v", err)
			}
			mapping = string(text)
		}
		if err := c.one(ctx, s, via, file, mapping); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// progressEvery is how often the state of an import is asked for.
const progressEvery = 200 * time.Millisecond

func (c *importCommand) one(ctx context.Context, s *streams, via importing, file, mapping string) error {
	i, err := via.start(ctx, file, mapping, c.DryRun)
	if err != nil {
		return err
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for i.State.Active() {
		fmt.Fprintf(s.err, "\r%s: %d rows", filepath.Base(file), i.RowsRead)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("import %d goes on with the server: %w", i.ID, ctx.Err())
		}
		if i, err = via.get(ctx, i.ID); err != nil {
			return err
		}
	}
	fmt.Fprint(s.err, "\r")
	fmt.Fprintf(s.out, "%s: %s, %d rows: %d created, %d updated, %d unchanged, %d refused\n",
		filepath.Base(file), i.State, i.RowsRead, i.Created, i.Updated, i.Unchanged, i.Refused)
	for _, n := range i.Notes {
		fmt.Fprintf(s.out, "  %d %s\n", n.Count, n.Text)
	}
	if i.Refused > 0 {
		if err := c.keepRefused(ctx, s, via, file, i.ID); err != nil {
			return err
		}
	}
	if i.State != models.ImportDone {
		return models.Errorf(models.Invalid, "the import ended as %s: %s", i.State, i.Error)
	}
	return nil
}

func (c *importCommand) keepRefused(ctx context.Context, s *streams, via importing, file string, id int64) error {
	path := c.Refused
	if path == "" {
		path = file + ".refused.csv"
	}
	out, err := os.Create(path)
	if err != nil {
		return models.FieldError("refused", "%v", err).WithRemedy("Name a file that can be written (--refused).")
	}
	fmt.Fprintf(s.out, "  refused rows, with their reasons: %s\n", path)
	return errors.Join(via.refused(ctx, id, out), out.Close())
}

// newImporter connects the importer to the record engine and the store.
func (p *parts) newImporter() *importer.Service {
	return importer.New(importer.Config{
		Commands: bulkCommands{p.records}, Jobs: p.db.Imports(), Undo: &job.Undoing{Traces: p.db.Traces(), Commands: p.records}, Registry: p.records.Registry, Directory: p.config.Data, Log: p.log,
		Workspace: importer.Workspace{Zone: p.config.Calendar().Zone, Currency: p.config.Currency},
		ReaderOf:  p.access.ReaderOf,
	})
}

// bulkCommands is the record engine at bulk priority.
type bulkCommands struct{ *crm.Engine }

// RunBulk runs one chunk.
func (b bulkCommands) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	return b.Bulk(ctx, fn)
}

// localImports runs imports in this process.
type localImports struct{ service *importer.Service }

func (l *localImports) open(path string, fn func(importer.File) error) error {
	f, err := os.Open(path) //nolint:gosec // the file that whoever runs the command names
	if err != nil {
		return err
	}
	return errors.Join(fn(importer.File{Name: filepath.Base(path), Body: f}), f.Close())
}

func (l *localImports) propose(ctx context.Context, path string) (mapping string, err error) {
	err = l.open(path, func(f importer.File) error {
		mapping, err = l.service.Propose(ctx, models.System(), f)
		return err
	})
	return mapping, err
}

func (l *localImports) start(ctx context.Context, path, mapping string, dryRun bool) (i models.Import, err error) {
	err = l.open(path, func(f importer.File) error {
		i, err = l.service.Start(ctx, models.System(), f, mapping, dryRun)
		return err
	})
	return i, err
}

func (l *localImports) get(ctx context.Context, id int64) (models.Import, error) {
	return l.service.Get(ctx, models.System(), id)
}

func (l *localImports) refused(ctx context.Context, id int64, w io.Writer) error {
	return l.service.Refused(ctx, models.System(), id, w)
}

// remoteImports asks a running server.
type remoteImports struct{ server *control }

// upload streams a form: a file of any size passes through without being held.
func (r *remoteImports) upload(ctx context.Context, route, path string, fields map[string]string, into any) error {
	f, err := os.Open(path) //nolint:gosec // the file that whoever runs the command names
	if err != nil {
		return err
	}
	defer f.Close()
	body, form := io.Pipe()
	writer := multipart.NewWriter(form)
	go func() {
		form.CloseWithError(func() error {
			for name, value := range fields {
				if err := writer.WriteField(name, value); err != nil {
					return err
				}
			}
			part, err := writer.CreateFormFile("file", filepath.Base(path))
			if err != nil {
				return err
			}
			if _, err := io.Copy(part, f); err != nil {
				return err
			}
			return writer.Close()
		}())
	}()
	err = r.server.send(ctx, http.MethodPost, route, writer.FormDataContentType(), body, into)
	return errors.Join(err, body.Close())
}

func (r *remoteImports) propose(ctx context.Context, path string) (string, error) {
	var proposal struct {
		Mapping string `json:"mapping"`
	}
	err := r.upload(ctx, "/api/v1/imports/propose", path, nil, &proposal)
	return proposal.Mapping, err
}

func (r *remoteImports) start(ctx context.Context, path, mapping string, dryRun bool) (i models.Import, err error) {
	fields := map[string]string{}
	if mapping != "" {
		fields["mapping"] = mapping
	}
	if dryRun {
		fields["dry_run"] = "true"
	}
	err = r.upload(ctx, "/api/v1/imports", path, fields, &i)
	return i, err
}

func (r *remoteImports) get(ctx context.Context, id int64) (i models.Import, err error) {
	err = r.server.call(ctx, http.MethodGet, fmt.Sprintf("/api/v1/imports/%d", id), nil, &i)
	return i, err
}

func (r *remoteImports) refused(ctx context.Context, id int64, w io.Writer) error {
	return r.server.call(ctx, http.MethodGet, fmt.Sprintf("/api/v1/imports/%d/refused.csv", id), nil, w)
}
