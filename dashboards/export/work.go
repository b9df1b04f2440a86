package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/models"
	"canopy/models/predicate"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// tellEvery is how often progress is written down, and the rights are looked at.
const tellEvery = 500 * time.Millisecond

// Work writes one export's file from its beginning, in one snapshot.
func (s *Service) Work(ctx context.Context, t *job.Task) error {
	w := &work{s: s, t: t}
	if err := w.prepare(ctx); err != nil {
		return err
	}
	err := w.file(ctx)
	if errors.Is(err, syscall.ENOSPC) {
		return models.Errorf(models.Exhausted, "the disk of the server is full").WithRemedy("Make room, and resume the export.")
	}
	return err
}

// work is one export at work.
type work struct {
	s       *Service
	t       *job.Task
	asked   kept
	object  *models.Object
	query   crm.Query
	columns []column
	titled  bool // some column is a title
	reader  models.Reader
	rights  string
	told    time.Time
}

func (w *work) prepare(ctx context.Context) (err error) {
	if err = json.Unmarshal(w.t.Job.Request, &w.asked); err != nil {
		return fmt.Errorf("read what %s was asked for: %w", w.t.Job.ID, err)
	}
	if w.object, err = w.s.Engine.Registry().Need(w.t.Job.Object); err != nil {
		return err
	}
	w.query = crm.Query{Object: w.object.Name, Sort: w.asked.Sort, WithDeleted: w.asked.Deleted}
	if len(w.asked.Filter) > 0 {
		if w.query.Where, err = predicate.Parse(w.asked.Filter); err != nil {
			return err
		}
	}
	if w.columns, err = columnsOf(w.object, w.asked.Columns, w.asked.Deleted); err != nil {
		return err
	}
	for _, c := range w.columns {
		w.titled = w.titled || strings.HasSuffix(c.name, "_title")
	}
	if w.reader, err = w.t.Reader(ctx); err != nil {
		return err
	}
	w.rights = rightsOf(w.reader)
	return nil
}

func (w *work) cutoff() models.Cutoff {
	c := models.Cutoff{Position: w.asked.Position}
	if w.asked.HappenedBefore != nil {
		c.HappenedBefore = *w.asked.HappenedBefore
	}
	return c
}

// file writes the file beside its place and gives it its name once it is whole and durable, in the order: file, then job.
func (w *work) file(ctx context.Context) (err error) {
	partial, err := os.CreateTemp(w.s.Directory, w.t.Job.ID+".partial-*")
	if err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	defer os.Remove(partial.Name()) //nolint:errcheck // renamed away where all went well
	out := &digest{sum: sha256.New(), file: partial}
	j := *w.t.Job
	j.File = &models.JobFile{Format: string(w.asked.Format), Rights: w.rights, Before: w.asked.HappenedBefore}
	j.Done, j.Total = 0, nil
	err = w.s.Engine.Snapshot(ctx, func(inner context.Context, position uint64, exact bool) error {
		j.File.Position, j.File.Exact, j.File.ReadAt = position, exact, w.t.Now()
		if p := w.asked.Position; p != 0 && p < position {
			j.File.Position, j.File.Exact = p, true
		}
		return w.rows(ctx, inner, &j, out)
	})
	if err == nil {
		err = partial.Sync()
	}
	if err = errors.Join(err, partial.Close()); err != nil {
		return err
	}
	now := w.t.Now()
	j.File.Name = fmt.Sprintf("%s-%s.%s", strings.ReplaceAll(strings.ToLower(w.object.Plural), " ", "-"), now.Format(models.DateLayout), w.asked.Format)
	j.File.Bytes, j.File.SHA256, j.File.ExpiresAt = out.n, hex.EncodeToString(out.sum.Sum(nil)), now.Add(Kept)
	if err := os.Rename(partial.Name(), w.s.path(&j)); err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	if err := syncDirectory(w.s.Directory); err != nil {
		return err
	}
	total := j.Done
	j.State, j.FinishedAt, j.Total = models.JobDone, &now, &total
	if err := w.t.Save(ctx, &j); err != nil {
		return err
	}
	w.t.Saved(j)
	return nil
}

func syncDirectory(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// rows writes all rows: outer is the job's context, inner that of the snapshot.
func (w *work) rows(outer, inner context.Context, j *models.Job, out *digest) error {
	buffered := bufio.NewWriterSize(out, 256<<10)
	file, err := newWriter(w.asked.Format, w.columns, w.about(j), buffered, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	batch := make([]row, 0, batchRows)
	write := func(records []*models.Record) error {
		var titles map[string]string
		if w.titled {
			if titles, err = w.s.Engine.Titles(inner, w.reader, records); err != nil {
				return err
			}
		}
		batch = batch[:0]
		for _, r := range records {
			batch = append(batch, row{r, titles})
		}
		if err := file.write(batch); err != nil {
			return err
		}
		j.Done += int64(len(records))
		return w.tell(outer, j)
	}
	if c := w.cutoff(); !c.IsZero() {
		err = w.s.Engine.ScanAsOf(inner, w.reader, w.query, c, batchRows, write)
	} else {
		if err := w.total(inner, j); err != nil {
			return err
		}
		err = w.s.Engine.Scan(inner, w.reader, w.query, batchRows, write)
	}
	if err = errors.Join(err, file.close()); err != nil {
		return err
	}
	w.told = time.Time{}
	return errors.Join(buffered.Flush(), w.tell(outer, j))
}

func (w *work) total(ctx context.Context, j *models.Job) error {
	n, err := w.s.Engine.CountAll(ctx, w.reader, w.query)
	j.Total = &n
	return err
}

// tell writes progress down from time to time, and ends an export whose author's rights have changed meanwhile.
func (w *work) tell(ctx context.Context, j *models.Job) error {
	if time.Since(w.told) < tellEvery {
		return ctx.Err()
	}
	w.told = time.Now()
	today, err := w.t.Reader(ctx)
	if err != nil {
		return err
	}
	if rightsOf(today) != w.rights {
		return models.Errorf(models.Forbidden, "the rights of %s changed while the file was written", today.Name).WithRemedy("Resume: it begins anew with the rights of now.")
	}
	progress := *j
	progress.File = nil
	if err := w.t.Save(ctx, &progress); err != nil {
		return err
	}
	w.t.Saved(progress)
	return nil
}

// about is what a column-wise file says about itself.
func (w *work) about(j *models.Job) meta {
	definition := w.t.Job.Request
	m := meta{
		"canopy.object", w.object.Name, "canopy.export", j.ID, "canopy.position", strconv.FormatUint(j.File.Position, 10),
		"canopy.position_exact", strconv.FormatBool(j.File.Exact), "canopy.read_at", j.File.ReadAt.Format(models.InstantLayout), "canopy.definition", string(definition),
	}
	if j.File.Before != nil {
		m = append(m, "canopy.happened_before", j.File.Before.Format(models.InstantLayout))
	}
	return m
}

// digest writes to a file and knows what it has written.
type digest struct {
	file *os.File
	sum  hash.Hash
	n    int64
}

func (d *digest) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	d.sum.Write(p[:n]) // never fails
	d.n += int64(n)
	return n, err
}
