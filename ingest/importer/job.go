package importer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"canopy/models"
)

// A chunk is the rows of one transaction. Other people's writes wait behind it, so it is kept under chunkLimit: its size follows what the
// chunk before it took, aiming at chunkAim. What the commit took is hardly less for fewer rows, so at least half of the aim is for rows.
const (
	chunkLimit = 50 * time.Millisecond
	chunkAim   = 30 * time.Millisecond
	firstChunk = 16
	maxChunk   = 4000
	maxBytes   = 4 << 20 // of the rows held at once, in each place where rows wait
)

// nextSize gives the number of rows (or changes) for the next chunk after one of n worked for as long as it did, and then took committing to
// become durable.
func nextSize(n, size int, worked, committing time.Duration) int {
	if n < size && worked+committing < chunkLimit {
		return size // the end of the file says nothing about the size
	}
	aim := max(chunkAim-committing, chunkAim/2)
	aimed := int(float64(n) * float64(aim) / float64(max(worked, time.Millisecond)))
	return min(max(aimed, n/4, 1), n*2, maxChunk)
}

// job is one import at work.
type job struct {
	s      *Service
	i      *models.Import
	reader models.Reader
	plan   *plan
	path   string
	form   form
	size   int // rows of the next chunk

	refs  references
	seen  map[identity]int64      // keys that may come only once → the row that had them
	fates map[recordKey]fate      // of records that may come again
	began map[recordKey]time.Time // when records that checks look at came to be
	// resumed tells that rows before were read by an earlier process, whose fates are looked up in the log.
	resumed bool
	refused map[int64]bool // second pass: rows that the first one did not write
}

// identity is a key of one record specification, as a hash of 128 bits: an import of many rows remembers all of them.
type identity [2]uint64

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func identify(spec *recordPlan, key string) identity {
	return identifyText(spec.object.Name, key)
}

func identifyText(space, key string) identity {
	text := space + "\x00" + key
	return identity{maphash.String(seeds[0], text), maphash.String(seeds[1], text)}
}

func (j *job) run(ctx context.Context) error {
	j.refs = newReferences()
	j.seen, j.fates, j.began = map[identity]int64{}, map[recordKey]fate{}, map[recordKey]time.Time{}
	j.resumed = j.i.PassRows > 0
	if len(j.plan.ensure) > 0 && !j.i.DryRun {
		if err := j.retry(ctx, func() error { return j.ensureRecords(ctx) }); err != nil {
			return err
		}
	}
	for ; j.i.Pass <= 2; j.i.Pass++ {
		if j.i.Pass == 2 && (!j.i.Later || j.i.DryRun) {
			break
		}
		if err := j.beforePass(ctx); err != nil {
			return err
		}
		if err := j.pass(ctx); err != nil {
			return err
		}
		j.i.PassRows = 0
	}
	rows := j.i.RowsRead
	now := j.s.c.Now().UTC().Truncate(time.Millisecond)
	j.i.State, j.i.FinishedAt, j.i.RowsTotal, j.i.BytesRead = models.ImportDone, &now, &rows, j.i.BytesTotal
	if rows == 0 {
		j.i.Notes = count(j.i.Notes, "the file has a header and no rows", 1)
	}
	return j.s.save(ctx, j.i)
}

// pass reads the file once, from the rows that are done on. Reading and planning go ahead of writing.
func (j *job) pass(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan []plannedRow, 4)
	failed := make(chan error, 1)
	go func() {
		defer close(batches)
		failed <- j.readAhead(ctx, batches)
	}()
	var waiting []plannedRow
	skip := j.i.PassRows
	for batch := range batches {
		for n := range batch {
			j.admitOnce(&batch[n])
			j.admit(&batch[n])
		}
		done := min(skip, int64(len(batch)))
		skip -= done
		waiting = append(waiting, batch[done:]...)
		for len(waiting) >= j.size || bytesOf(waiting) > maxBytes && len(waiting) > 0 {
			n := within(waiting, j.size)
			if err := j.chunk(ctx, waiting[:n]); err != nil {
				return err
			}
			waiting = waiting[n:]
		}
	}
	if err := <-failed; err != nil {
		return err
	}
	for len(waiting) > 0 {
		n := within(waiting, j.size)
		if err := j.chunk(ctx, waiting[:n]); err != nil {
			return err
		}
		waiting = waiting[n:]
	}
	return nil
}

func bytesOf(rows []plannedRow) (n int) {
	for i := range rows {
		n += rows[i].weight()
	}
	return n
}

// within gives how many of rows, at most size and at least one, stay under maxBytes.
func within(rows []plannedRow, size int) int {
	n, held := 0, 0
	for n < len(rows) && n < size {
		if held += rows[n].weight(); held > maxBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

func (r *plannedRow) weight() int {
	n := 64
	for _, cell := range r.cells {
		n += len(cell)
	}
	return n
}

// readAhead plans the file's rows in batches until it ends or ctx does.
func (j *job) readAhead(ctx context.Context, batches chan<- []plannedRow) error {
	src, err := openSource(j.path, j.form)
	if err != nil {
		return err
	}
	var batch []plannedRow
	held := 0
	send := func() bool {
		select {
		case batches <- batch:
			batch, held = nil, 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	for {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, src.close())
		}
		batch = append(batch, j.plan.read(r))
		if held += batch[len(batch)-1].weight(); len(batch) >= 256 || held > maxBytes {
			if !send() {
				return errors.Join(ctx.Err(), src.close())
			}
		}
	}
	if len(batch) > 0 && !send() {
		return errors.Join(ctx.Err(), src.close())
	}
	return src.close()
}

// admit refuses a row whose key an earlier row had. It sees each row of the file once, in order, also those that an earlier process wrote.
func (j *job) admit(r *plannedRow) {
	if r.refused != nil || j.i.Pass == 2 {
		return
	}
	for n := range r.records {
		spec, key := r.records[n].spec, r.records[n].key
		if spec.allow || key == "" {
			continue
		}
		if first, ok := j.seen[identify(spec, key)]; ok {
			r.refused = models.FieldError(spec.key.source, "%q stands in row %d already", key, first).WithRow(r.number).
				WithRemedy("Keep one of the two rows; where later rows are meant to correct earlier ones, say repeats: allow in the mapping.")
			return
		}
	}
	for n := range r.records {
		if spec, key := r.records[n].spec, r.records[n].key; !spec.allow && key != "" {
			j.seen[identify(spec, key)] = r.number
		}
	}
}

// retries is how often a chunk is tried again after an error of the store, with growing pauses.
const retries = 5

// retry tries fn again after errors that may pass (a lost connection, a serialization failure): not after what a person must see to.
func (j *job) retry(ctx context.Context, fn func() error) error {
	return retrying(ctx, func() error {
		err := fn()
		if err != nil {
			j.refs.forget()
		}
		return err
	})
}

func retrying(ctx context.Context, fn func() error) error {
	pause := 50 * time.Millisecond
	for try := 1; ; try++ {
		err := fn()
		var said *models.Error
		if err == nil || errors.Is(err, errFenced) || ctx.Err() != nil || try == retries || errors.As(err, &said) && said.Code != models.Internal && said.Code != models.Unavailable {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		pause *= 4
	}
}

// ensureRecords makes the records that must be there first. It may be repeated.
func (j *job) ensureRecords(ctx context.Context) error {
	return j.s.c.Commands.RunBulk(ctx, func(ctx context.Context) error {
		_, err := j.ensure(ctx)
		if err != nil {
			return err
		}
		return j.saveIn(ctx, j.i)
	})
}

// ensure makes missing records in the transaction of ctx and gives how many.
func (j *job) ensure(ctx context.Context) (made int, err error) {
	for _, e := range j.plan.ensure {
		for _, r := range e.records {
			found, err := j.s.c.Commands.FindByText(ctx, j.reader, e.object.Name, e.key.Name, []string{r.key})
			if err != nil {
				return made, err
			}
			if len(found[r.key]) > 0 {
				continue
			}
			command := models.Command{Op: models.Create, Object: e.object.Name, HappenedUnknown: true, Cause: j.i.Cause()}
			for _, v := range r.sets {
				set := models.Set{Field: v.field, Value: v.value}
				if v.lookup != nil {
					to, err := j.s.c.Commands.FindByText(ctx, j.reader, v.lookup.object.Name, v.lookup.by.Name, []string{v.text})
					if err != nil {
						return made, err
					}
					if len(to[v.text]) == 0 {
						return made, models.FieldError("ensure", "%s %q refers to the %s %q, which is not there", e.object.Name, r.key, v.lookup.object.Name, v.text).
							WithRemedy("List it before in the mapping.")
					}
					set.Value = to[v.text][0]
				}
				command.Sets = append(command.Sets, set)
			}
			results, err := j.s.c.Commands.Batch(ctx, j.reader, []models.Command{command})
			if err != nil {
				return made, err
			}
			if results[0].Err != nil {
				return made, models.FieldError("ensure", "%s %q cannot be made: %v", e.object.Name, r.key, results[0].Err)
			}
			made++
		}
	}
	return made, nil
}

// saveIn writes progress in the transaction of ctx.
func (j *job) saveIn(ctx context.Context, i *models.Import) error {
	mine, err := j.s.c.Jobs.Save(ctx, i)
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	if !mine {
		return errFenced
	}
	return nil
}

// count adds to the note with a text.
func count(notes []models.ImportNote, text string, n int64) []models.ImportNote {
	for i := range notes {
		if notes[i].Text == text {
			notes[i].Count += n
			return notes
		}
	}
	return append(notes, models.ImportNote{Text: text, Count: n})
}
