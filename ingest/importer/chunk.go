package importer

import (
	"context"
	"errors"
	"time"

	"canopy/models"
)

// fate is what an import has done to a record so far.
type fate int

const (
	unseen fate = iota
	aside       // made because another row names it; it counts as created once its own row comes
	created
	updated
	unchanged
)

// errDry rolls a dry run's chunk back.
var errDry = errors.New("importer: dry run")

// errAgain rolls a chunk back that has partly written a refused row; without that row it is tried again.
var errAgain = errors.New("importer: again without the refused rows")

// chunk writes rows in one transaction with the progress that counts them. A row is written whole or not at all.
func (j *job) chunk(ctx context.Context, rows []plannedRow) error {
	var done *attempt
	err := j.retry(ctx, func() error {
		for i := range rows {
			if rows[i].finished {
				rows[i].refused, rows[i].finished = nil, false
			}
		}
		var err error
		done, err = j.settle(ctx, rows)
		return err
	})
	if err != nil {
		return err
	}
	*j.i = done.progress
	j.learn(done)
	j.size = nextSize(len(rows), j.size, done.worked, done.took-done.worked)
	j.s.notify()
	return nil
}

// learn takes over what a chunk has made.
func (j *job) learn(done *attempt) {
	if j.i.DryRun { // its records are gone again, and their numbers mean nothing
		for n, f := range done.phantoms {
			if j.refs.phantom[n.space] == nil {
				j.refs.phantom[n.space] = map[string]fate{}
			}
			j.refs.phantom[n.space][n.text] = f
		}
		j.refs.forget()
		return
	}
	for key, f := range done.fates {
		if j.plan.recurs[key.object] {
			j.fates[key] = f
		}
	}
	for space, names := range done.made {
		if !j.plan.asked[space] {
			continue
		}
		for text, number := range names {
			j.refs.remember(space, text, []uint64{number})
		}
	}
	j.refs.trim(j.plan.asked)
}

// settle tries a chunk until each of its rows is either wholly written or refused with nothing written.
func (j *job) settle(ctx context.Context, rows []plannedRow) (*attempt, error) {
	fresh := false // references were looked up anew after a refusal
	for {
		if err := j.resolve(ctx, rows); err != nil {
			return nil, err
		}
		var a *attempt
		var begun time.Time
		err := j.s.c.Commands.RunBulk(ctx, func(ctx context.Context) error {
			begun = time.Now() // of the transaction, not of the waiting for it
			a = j.newAttempt(ctx, rows)
			defer func() { a.worked = time.Since(begun) }()
			if j.i.Pass == 2 {
				return a.fillLater()
			}
			return a.run()
		})
		if a != nil {
			a.took = time.Since(begun)
		}
		switch {
		case errors.Is(err, errAgain):
			if stale := a.stale(); stale && !fresh { // somebody else has made or deleted what the rows name
				fresh = true
				j.refs.forget()
				continue
			}
			for n, refusal := range a.refused {
				rows[n].refused, rows[n].finished = refusal, true
			}
			continue
		case errors.Is(err, errDry):
			err = a.saveDry(ctx)
		}
		if err != nil && (a == nil || errors.Is(err, errFenced) || !j.landed(ctx, &a.progress)) {
			return nil, err
		}
		return a, nil
	}
}

// landed tells whether progress was written although its transaction ended with an error: a connection that is lost while it
// commits leaves that open, and the rows must not be counted twice.
func (j *job) landed(ctx context.Context, progress *models.Import) bool {
	now, err := j.s.c.Jobs.Get(ctx, j.i.ID)
	return err == nil && now != nil && now.Generation == progress.Generation && now.Pass == progress.Pass && now.PassRows == progress.PassRows
}

// attempt is one try at writing a chunk; nothing outside of it changes before it has succeeded.
type attempt struct {
	j        *job
	ctx      context.Context //nolint:containedctx // an attempt lives within one transaction
	rows     []plannedRow
	progress models.Import
	made     map[nameSpace]map[string]uint64 // records of this transaction, by what names them
	fates    map[recordKey]fate
	asides   map[named]bool        // among made: those that another row's reference made
	phantoms map[named]fate        // dry run: what this chunk would have made
	refused  map[int]*models.Error // by the row's place in rows
	wrote    map[int]bool
	rowFates map[int]fate  // of rows, for a preview: created where any record of it is new
	worked   time.Duration // on its rows
	took     time.Duration // with its commit
}

func (j *job) newAttempt(ctx context.Context, rows []plannedRow) *attempt {
	a := &attempt{j: j, ctx: ctx, rows: rows, progress: *j.i, made: map[nameSpace]map[string]uint64{}, fates: map[recordKey]fate{}, asides: map[named]bool{}, phantoms: map[named]fate{}, refused: map[int]*models.Error{}, wrote: map[int]bool{}, rowFates: map[int]fate{}}
	a.progress.Notes = append([]models.ImportNote{}, j.i.Notes...)
	return a
}

func (a *attempt) run() error {
	if a.j.i.DryRun && len(a.j.plan.ensure) > 0 {
		made, err := a.j.ensure(a.ctx) // rolled back with the chunk
		if err != nil {
			return err
		}
		if made > 0 { // what was not there when the chunk was resolved is there now
			a.j.refs.forget()
			if err := a.j.resolve(a.ctx, a.rows); err != nil {
				return err
			}
		}
	}
	a.checkRecords()
	for s := range a.j.plan.records {
		if err := a.wave(&a.j.plan.records[s]); err != nil {
			return err
		}
	}
	stale := a.stale()
	for n := range a.refused {
		if a.wrote[n] || stale {
			return errAgain
		}
	}
	a.tally()
	if a.j.i.DryRun {
		a.notePhantoms()
		return errDry
	}
	if err := a.j.saveIn(a.ctx, &a.progress); err != nil {
		return err
	}
	return a.j.s.c.Jobs.Refuse(a.ctx, a.j.i.ID, a.refusals())
}

// stale tells whether a refusal may come from references that were remembered and are no longer right.
func (a *attempt) stale() bool {
	for n, err := range a.refused {
		if !a.rows[n].finished && (err.Code == models.Conflict || err.Code == models.NotFound) {
			return true
		}
	}
	return false
}

// saveDry writes a dry run's progress after its chunk was rolled back.
func (a *attempt) saveDry(ctx context.Context) error {
	return a.j.s.c.Commands.RunBulk(ctx, func(ctx context.Context) error {
		if err := a.j.saveIn(ctx, &a.progress); err != nil {
			return err
		}
		return a.j.s.c.Jobs.Refuse(ctx, a.j.i.ID, a.refusals())
	})
}

// countFate counts what the import did to a record, once for each record.
func (a *attempt) countFate(it *item) {
	if a.refused[it.place] != nil {
		return
	}
	switch {
	case it.isNew:
		a.rowFates[it.place] = created
	case it.wrote && a.rowFates[it.place] != created:
		a.rowFates[it.place] = updated
	}
	key := recordKey{it.record.spec.object.Name, it.number}
	was, ok := a.fates[key]
	if !ok {
		was = a.j.fates[key]
	}
	p := &a.progress
	switch {
	case it.isNew && was == unseen, was == aside:
		p.Created++
		a.fates[key] = created
	case it.isNew, was == created, was == updated:
	case it.wrote && was == unchanged:
		p.Unchanged--
		p.Updated++
		a.fates[key] = updated
	case it.wrote:
		p.Updated++
		a.fates[key] = updated
	case was == unseen:
		p.Unchanged++
		a.fates[key] = unchanged
	}
}

// countPhantom counts, in a dry run, a record that an earlier chunk would have made because a row names it, once its own row comes.
func (a *attempt) countPhantom(space nameSpace, text string, was fate) {
	if n := (named{space, text}); was == aside && a.phantoms[n] == unseen {
		a.progress.Created++
		a.phantoms[n] = created
	}
}

// notePhantoms remembers, in a dry run, what later chunks may name and no longer find.
func (a *attempt) notePhantoms() {
	for space, names := range a.made {
		if !a.j.plan.asked[space] {
			continue
		}
		for text, number := range names {
			n := named{space, text}
			if a.phantoms[n] = created; a.asides[n] && a.fates[recordKey{space.object, number}] == aside {
				a.phantoms[n] = aside
			}
		}
	}
}

// tally counts the chunk's rows into its progress.
func (a *attempt) tally() {
	p := &a.progress
	p.PassRows += int64(len(a.rows))
	p.RowsRead += int64(len(a.rows))
	for n := range a.rows {
		r := &a.rows[n]
		p.BytesRead = max(p.BytesRead, r.bytes)
		if r.refused != nil || a.refused[n] != nil {
			p.Refused++
			for _, text := range spellings(r.refused) {
				p.Notes = countBounded(p.Notes, text)
			}
			continue
		}
		for _, note := range r.notes {
			p.Notes = count(p.Notes, a.j.plan.notes[note].text, 1)
		}
		for _, text := range r.contradictions {
			p.Notes = count(p.Notes, text, 1)
		}
		for _, text := range r.recordContradictions {
			p.Notes = count(p.Notes, text, 1)
		}
		if r.undated > 0 {
			p.Notes = count(p.Notes, "records whose source knows no instant: they happened when they were imported", int64(r.undated))
		}
	}
}

// maxKept is how much of a refused row's cells is kept for the list of refused rows, in bytes.
const maxKept = 64 << 10

func (a *attempt) refusals() []models.ImportRefusal {
	var list []models.ImportRefusal
	for n := range a.rows {
		r := &a.rows[n]
		err := r.refused
		if err == nil {
			err = a.refused[n]
		}
		if err == nil {
			continue
		}
		reason, remedy := err.Explain()
		cells, kept := r.cells, 0
		for i, cell := range cells {
			if kept += len(cell); kept > maxKept {
				cells = append(append([]string{}, cells[:i]...), excerpt([]byte(cell)))
				break
			}
		}
		list = append(list, models.ImportRefusal{Row: r.number, Field: err.Field, Reason: reason, Remedy: remedy, Cells: cells})
	}
	return list
}
