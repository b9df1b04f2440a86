package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"canopy/models"

	"go.yaml.in/yaml/v3"
)

// How much of a file a preview looks at.
const (
	previewRows    = 200
	previewSamples = 5 // different values of a column
)

// Preview reads the first rows of a file and says what an import would make of each, writing nothing. An empty mapping is proposed.
func (s *Service) Preview(ctx context.Context, reader models.Reader, file File, mapping string) (models.ImportPreview, error) {
	var preview models.ImportPreview
	if !reader.MayWrite(models.Editor) {
		return preview, models.Errorf(models.Forbidden, "importing needs the role editor").WithRemedy("Ask an administrator for the right.")
	}
	hash, size, census, err := s.files.store(ctx, file.Body)
	if err != nil {
		return preview, err
	}
	defer func() {
		s.files.release(hash)
		if err := s.files.drop(context.WithoutCancel(ctx), s.c.Jobs, hash); err != nil {
			s.c.Log.Warn("drop a file that was looked at", "error", err)
		}
	}()
	detected, err := detect(s.files.path(hash), census)
	if err != nil {
		return preview, err
	}
	if preview.Mapping = mapping; mapping == "" {
		if preview.Mapping, err = s.proposeStored(s.files.path(hash), detected); err != nil {
			return preview, err
		}
	}
	if err := yaml.Unmarshal([]byte(preview.Mapping), &preview.Draft); err != nil {
		return preview, models.FieldError("mapping", "not YAML: %v", err).WithRemedy("Look at the named line; indentation and colons matter.")
	}
	i := &models.Import{
		FileName: filepath.Base(filepath.ToSlash(file.Name)), State: models.ImportRunning, DryRun: true, BytesTotal: size, Mapping: preview.Mapping, SHA256: hash, Reader: reader, Pass: 1, Notes: []models.ImportNote{},
	}
	rows, err := s.head(i, detected, &preview)
	if err != nil || len(rows) == 0 && preview.Problem != nil {
		return preview, err
	}
	err = s.tryOut(ctx, i, reader, rows, &preview)
	return preview, err
}

// head reads a file's columns and first rows. What is wrong with the mapping is told in the preview, beside the columns that it is about.
func (s *Service) head(i *models.Import, detected form, preview *models.ImportPreview) ([]row, error) {
	f := detected
	if m, err := ParseMapping(i.Mapping); err == nil {
		if said, err := detected.with(m.File); err == nil {
			f = said
		}
	}
	src, err := openSource(s.files.path(i.SHA256), f)
	if err != nil {
		return nil, err
	}
	var rows []row
	for len(rows) < previewRows {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, src.close())
		}
		rows = append(rows, r)
	}
	for n, name := range src.header() {
		c := models.ImportColumn{Name: name, Samples: []string{}}
		seen := map[string]bool{"": true}
		for _, r := range rows {
			if r.problem == nil && !seen[r.cells[n]] && len(c.Samples) < previewSamples {
				seen[r.cells[n]] = true
				c.Samples = append(c.Samples, excerpt([]byte(r.cells[n])))
			}
		}
		preview.Columns = append(preview.Columns, c)
	}
	if err := src.close(); err != nil {
		return nil, err
	}
	var said *models.Error
	if err := s.check(i, detected); errors.As(err, &said) && said.Code == models.Invalid {
		preview.Problem = said
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	preview.Object = i.Object
	return rows, nil
}

// tryOut writes the rows in a transaction that is taken back, and tells the fate of each.
func (s *Service) tryOut(ctx context.Context, i *models.Import, reader models.Reader, rows []row, preview *models.ImportPreview) error {
	j, err := s.open(i, reader)
	if err != nil {
		return err
	}
	j.refs, j.seen, j.fates, j.began = newReferences(), map[identity]int64{}, map[recordKey]fate{}, map[recordKey]time.Time{}
	planned := make([]plannedRow, len(rows))
	for n, r := range rows {
		planned[n] = j.plan.read(r)
		j.admitOnce(&planned[n])
		j.admit(&planned[n])
	}
	for {
		if err := j.resolve(ctx, planned); err != nil {
			return err
		}
		var a *attempt
		err := s.c.Commands.RunBulk(ctx, func(ctx context.Context) error {
			a = j.newAttempt(ctx, planned)
			return a.run()
		})
		if errors.Is(err, errAgain) {
			for n, refusal := range a.refused {
				planned[n].refused, planned[n].finished = refusal, true
			}
			continue
		}
		if !errors.Is(err, errDry) {
			return fmt.Errorf("try the first rows out: %w", err)
		}
		preview.Created, preview.Updated, preview.Unchanged, preview.Refused, preview.Notes = a.progress.Created, a.progress.Updated, a.progress.Unchanged, a.progress.Refused, a.progress.Notes
		for n := range planned {
			preview.Rows = append(preview.Rows, a.fateOf(n))
		}
		return nil
	}
}

// fateOf tells what would become of a row.
func (a *attempt) fateOf(n int) models.ImportRow {
	r := &a.rows[n]
	out := models.ImportRow{Row: r.number, Cells: r.cells, Fate: "unchanged"}
	err := r.refused
	if err == nil {
		err = a.refused[n]
	}
	switch {
	case err != nil:
		out.Fate, out.Field = "refused", err.Field
		out.Reason, out.Remedy = err.Explain()
	case a.rowFates[n] == created:
		out.Fate = "created"
	case a.rowFates[n] == updated:
		out.Fate = "updated"
	case len(r.records) == 0:
		out.Fate = "left out"
	}
	return out
}
