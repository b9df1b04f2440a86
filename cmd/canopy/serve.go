package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"canopy/crm"
	"canopy/crm/demo"
	"canopy/crm/store"
	"canopy/dashboards"
	"canopy/ingest/importer"
	"canopy/models"
	"canopy/web"
)

// serveCommand runs the server.
type serveCommand struct {
	Config `embed:""`
	Demo   bool `help:"Fill an empty workspace with a small company first (canopy demo makes a large one)."`
	// DemoContacts is small, so that pages come soon.
	DemoContacts int `default:"8000" help:"How many people that company knows in the end."`
	DemoWeeks    int `default:"104" help:"How many weeks of history that company has."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, s *streams) error {
	return withRecords(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		p.log.Info("configuration", "config", &c.Config)
		return p.serve(ctx, s, c.demo())
	})
}

// demo is the company to be made first; nil for none.
func (c *serveCommand) demo() *demo.Config {
	if !c.Demo {
		return nil
	}
	config := demo.Default(time.Now())
	config.Contacts, config.Weeks = c.DemoContacts, c.DemoWeeks
	return &config
}

// serve brings everything up in the order in which it is needed: the engine starts while the records are made ready, and
// pages are served as soon as both stand.
func (p *parts) serve(ctx context.Context, s *streams, withDemo *demo.Config) error {
	listener, err := listen(ctx, p.config.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	back := &columnar{p: p, log: p.log.With("part", "warehouse")}
	defer func() {
		if err := back.close(); err != nil {
			p.log.Warn("close the warehouse", "error", err)
		}
	}()
	var starting errgroup.Group
	starting.Go(func() (err error) { back.engine, err = p.startEngine(ctx); return err })
	shown, err := p.prepare(ctx, s, withDemo)
	if err := errors.Join(starting.Wait(), err); err != nil {
		return err
	}
	if shown != "" {
		fmt.Fprintf(s.out, "\nFirst administrator: %s\nPassword (shown once): %s\n\n", crm.AdministratorEmail, shown)
	}
	imports := p.newImporter()
	jobs, err := p.newJobs()
	if err != nil {
		return err
	}
	server, err := p.newServer(ctx, back, imports, jobs)
	if err != nil {
		return err
	}
	return p.live(ctx, s, listener, server, back, imports, jobs)
}

// listen opens the address. It is not served before everything stands.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, models.FieldError("listen", "%v", err).WithRemedy("Stop what listens there, or choose another address (--listen).")
	}
	return listener, nil
}

// prepare makes the first administrator and, if asked for, the demo company. It gives a generated password to show.
func (p *parts) prepare(ctx context.Context, s *streams, withDemo *demo.Config) (shown string, err error) {
	var made *demo.Truths
	if withDemo != nil {
		if made, err = p.seedDemo(ctx, *withDemo, s.out); err != nil {
			return "", err
		}
	}
	shown, err = p.access.EnsureAdministrator(ctx, p.records, p.records.Registry(), p.config.AdminPassword)
	if err != nil {
		return "", fmt.Errorf("make the first administrator: %w", err)
	}
	if made != nil {
		err = p.introduce(ctx, made, cmp.Or(shown, p.config.AdminPassword), s.out)
	}
	return shown, err
}

func (p *parts) newServer(ctx context.Context, back *columnar, imports *importer.Service, jobs *jobs) (*dashboards.Server, error) {
	files, err := web.Open()
	if err != nil {
		return nil, fmt.Errorf("read the web pages: %w", err)
	}
	uploads := filepath.Join(p.config.Data, "uploads")
	if err := errors.Join(os.RemoveAll(uploads), os.MkdirAll(uploads, 0o700)); err != nil { // a killed server leaves halves behind
		return nil, fmt.Errorf("make room for uploads: %w", err)
	}
	signer, err := crm.NewSigner(ctx, p.db, nil)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	return dashboards.New(dashboards.Config{
		Workspace: p.config.Workspace, Locale: p.config.Locale, PublicURL: p.config.PublicURL,
		UploadLimit: p.config.UploadLimit << 20, UploadDirectory: uploads, Log: p.log.With("part", "api"),
	}, dashboards.Parts{
		Records: p.records, Access: p.access, History: back, Trees: back, Runs: back, Relay: back, Imports: apiImports{imports}, Jobs: apiJobs{jobs.service, imports}, Bulk: jobs.bulk, Exports: jobs.exports, Files: webFiles{files},
		Signer: signer, Secrets: p.db, Conversions: conversions{p},
		Checks: []dashboards.Check{{Name: "records", Ready: p.db.Ping}, {Name: "numbers", Ready: back.ready}},
	})
}

// live runs all long-lived work until ctx ends or one of it fails.
func (p *parts) live(ctx context.Context, s *streams, listener net.Listener, server *dashboards.Server, back *columnar, imports *importer.Service, jobs *jobs) error {
	group, ctx := errgroup.WithContext(ctx)
	if err := imports.Recover(ctx); err != nil {
		return err
	}
	defer imports.Close()
	if err := jobs.service.Recover(ctx); err != nil {
		return err
	}
	defer jobs.service.Close()
	group.Go(func() error { return server.Serve(ctx, listener) })
	group.Go(func() error { return back.work(ctx) })
	group.Go(func() error { return p.db.NewSequencer(sequencerOptions(p)).Run(ctx) })
	group.Go(func() error { return p.db.Watch(ctx) })
	group.Go(func() error { return p.sweepLifecycle(ctx) })
	group.Go(func() error { return p.records.SweepUploads(ctx, p.log.With("part", "files")) })
	group.Go(func() error { return p.records.ComputeFormulas(ctx, p.log.With("part", "formulas")) })
	group.Go(func() error { return p.runStagnation(ctx) })
	release, err := p.openControl(ctx, "http://"+listener.Addr().String())
	if err != nil {
		p.log.Warn("tools on this machine cannot reach this server without a token", "error", err)
	} else {
		defer release()
	}
	fmt.Fprintf(s.out, "Canopy is at http://%s\n", listener.Addr())
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// controlToken names the token by which tools on the same machine reach the server.
const controlToken = "tools on the server's machine"

// openControl writes the control file with a fresh token; release revokes it and takes the file away. Tokens that a killed
// server left behind are revoked, too.
func (p *parts) openControl(ctx context.Context, url string) (release func(), err error) {
	admin, err := p.userByEmail(ctx, crm.AdministratorEmail)
	if err != nil {
		return nil, err
	}
	tokens, err := p.access.ListTokens(ctx, models.System())
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		if t.Name == controlToken && t.RevokedAt.IsZero() {
			if err := p.access.RevokeToken(ctx, models.System(), t.Number); err != nil {
				return nil, err
			}
		}
	}
	secret, token, err := p.access.CreateToken(ctx, models.System(), crm.NewToken{User: admin, Name: controlToken})
	if err != nil {
		return nil, err
	}
	if err := (&control{URL: url, Token: secret}).write(p.config.Data); err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := errors.Join(p.access.RevokeToken(ctx, models.System(), token.Number), os.Remove(controlPath(p.config.Data)))
		if err != nil {
			p.log.Warn("take the control file away", "error", err)
		}
	}, nil
}

// apiImports gives the importer the API's words.
type apiImports struct{ *importer.Service }

// Propose reads a file's head.
func (a apiImports) Propose(ctx context.Context, reader models.Reader, file dashboards.Upload) (string, error) {
	return a.Service.Propose(ctx, reader, importer.File{Name: file.Name, Body: file.Body})
}

// Preview tries a file's first rows out.
func (a apiImports) Preview(ctx context.Context, reader models.Reader, file dashboards.Upload, mapping string) (models.ImportPreview, error) {
	return a.Service.Preview(ctx, reader, importer.File{Name: file.Name, Body: file.Body}, mapping)
}

// Start stores the file and asks for its import.
func (a apiImports) Start(ctx context.Context, reader models.Reader, file dashboards.Upload, mapping string, dryRun bool) (models.Import, error) {
	return a.Service.Start(ctx, reader, importer.File{Name: file.Name, Body: file.Body}, mapping, dryRun)
}

func sequencerOptions(p *parts) store.SequencerOptions {
	return store.SequencerOptions{Logger: p.log.With("part", "sequencer")}
}
