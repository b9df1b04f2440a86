package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"canopy/crm"
	"canopy/models"
)

// Cause stands at every change of the demo company.
const Cause = "demo"

// writer turns moments into commands and chunks into transactions.
type writer struct {
	engine  Engine
	config  Config
	first   models.Date
	numbers map[string][]uint64 // by object: the number of the n-th record at n; 0 where it is not known yet
	keys    map[ref]string      // of records that are known by a name of their own
	trails  map[ref]trail       // of what was done with leads in chunks that were passed over
	found   map[string]map[done]uint64
	chunk   int // chunks seen
	passed  int // moments seen
	written Report
}

func newWriter(engine Engine, c Config) *writer {
	return &writer{engine: engine, config: c, first: firstDay(c, engine.Calendar()), numbers: map[string][]uint64{}, keys: map[ref]string{}, trails: map[ref]trail{}, found: map[string]map[done]uint64{}}
}

func (w *writer) report(r Report) Report {
	w.written.Truths = r.Truths
	return w.written
}

func (w *writer) weekOf(list []moment) int {
	last := models.DateOf(list[len(list)-1].at, w.engine.Calendar().Zone)
	return 1 + int(last-w.first)/7
}

// findAdministrator looks the first administrator up, and makes the record where there is none: without a password yet.
func (w *writer) findAdministrator(ctx context.Context) error {
	w.keys[administrator] = AdministratorEmail
	err := w.find(ctx, map[ref]bool{administrator: true})
	if err != nil || w.number(administrator) != 0 {
		return err
	}
	m := moment{op: models.Create, target: administrator, values: values{
		"name": "Administrator", "email": AdministratorEmail, "role": string(models.Administrator), "scope": string(models.ScopeAll), "active": true,
	}}
	command, err := w.command(&m)
	if err != nil {
		return err
	}
	command.HappenedAt = w.first.Time(w.engine.Calendar().Zone)
	outcome, err := w.engine.Do(ctx, models.System(), command)
	if err != nil {
		return fmt.Errorf("make the administrator: %w", err)
	}
	w.know(administrator, outcome.Record.Number)
	return nil
}

func (w *writer) number(r ref) uint64 {
	if list := w.numbers[r.object]; int(r.n) < len(list) {
		return list[r.n]
	}
	return 0
}

func (w *writer) know(r ref, number uint64) {
	list := w.numbers[r.object]
	for int(r.n) >= len(list) {
		list = append(list, 0)
	}
	list[r.n] = number
	w.numbers[r.object] = list
}

// write writes one chunk in one transaction, or finds that it stands already.
func (w *writer) write(ctx context.Context, list []moment) error {
	w.chunk++
	w.passed += len(list)
	w.name(list)
	layers := layersOf(list)
	if err := w.find(ctx, w.missing(list)); err != nil {
		return err
	}
	var now Report
	err := w.engine.Bulk(ctx, func(ctx context.Context) error {
		now = Report{} // a second try begins anew
		there, err := w.writeLayer(ctx, list, layers[0][:1], true, &now)
		if err != nil || there {
			return err
		}
		for i, layer := range layers {
			if i == 0 {
				layer = layer[1:]
			}
			if _, err := w.writeLayer(ctx, list, layer, false, &now); err != nil {
				return err
			}
		}
		now.Chunks = 1
		return nil
	})
	if err != nil {
		return err
	}
	w.written.Chunks += now.Chunks
	w.written.Written += now.Written
	w.written.Refused += now.Refused
	if w.written.First == nil {
		w.written.First = now.First
	}
	return nil
}

// name notes what records with names of their own are called, and the trails of others while chunks may be passed over.
func (w *writer) name(list []moment) {
	for i := range list {
		m := &list[i]
		if lead, ok := m.values["lead"].(ref); ok && m.op == models.Create && w.written.Chunks == 0 && instantFields[m.target.object] != "" {
			field := instantFields[m.target.object]
			at, _ := m.values[field].(time.Time)
			w.trails[m.target] = trail{lead, field, at}
		}
		field := keyFields[m.target.object]
		if m.op != models.Create || field == "" || letters[m.target.object] != "" {
			continue
		}
		w.keys[m.target], _ = m.values[field].(string)
	}
}

// shared are the objects that nearly every moment speaks of and few change: they put moments into no order, except after their
// own creation.
var shared = map[string]bool{
	"user": true, "team": true, "territory": true, "product": true, "price_book": true, "campaign": true, "pipeline": true, "stage": true,
}

// layersOf orders a chunk into batches: a moment comes in a later batch than the creation of anything it speaks of, and never
// before an earlier moment that touches one of the same records. Indexes of one layer stay in order; the chunk's first moment is
// the first of the first layer.
func layersOf(list []moment) [][]int {
	var layers [][]int
	earliest := map[ref]int{} // layer from which on a record may be spoken of
	for i := range list {
		m := &list[i]
		layer := earliest[m.target]
		for _, v := range m.values {
			if r, ok := v.(ref); ok {
				layer = max(layer, earliest[r])
			}
		}
		for _, v := range m.values {
			if r, ok := v.(ref); ok && r != none && !shared[r.object] {
				earliest[r] = layer
			}
		}
		switch {
		case m.op == models.Create:
			earliest[m.target] = layer + 1
		case !shared[m.target.object]:
			earliest[m.target] = layer
		}
		for len(layers) <= layer {
			layers = append(layers, nil)
		}
		layers[layer] = append(layers[layer], i)
	}
	return layers
}

// writeLayer runs some moments of a chunk as one batch. The first command of a chunk is keyed: there tells that the chunk was
// written before.
func (w *writer) writeLayer(ctx context.Context, list []moment, layer []int, keyed bool, report *Report) (there bool, err error) {
	if len(layer) == 0 {
		return false, nil
	}
	commands := make([]models.Command, len(layer))
	for i, at := range layer {
		if commands[i], err = w.command(&list[at]); err != nil {
			return false, err
		}
	}
	if keyed {
		commands[0].IdempotencyKey = fmt.Sprintf("demo:%d:%s:%d", w.config.Seed, w.first, w.chunk)
	}
	results, err := w.engine.Batch(ctx, models.System(), commands)
	if err != nil {
		return false, err
	}
	for i := range results {
		m := &list[layer[i]]
		switch r := &results[i]; {
		case r.Err != nil && keyed && r.Err.Field == "idempotency_key": // written, and what it spoke of is gone since
			return true, nil
		case r.Err != nil:
			if err := w.refuse(m, r.Err, report); err != nil {
				return false, err
			}
		case r.Repeated:
			return true, nil
		default:
			if m.op == models.Create {
				w.know(m.target, r.Record.Number)
			}
			report.Written++
		}
	}
	return false, nil
}

// refuse tolerates what follows from other people's work on the records, and nothing else.
func (w *writer) refuse(m *moment, err *models.Error, report *Report) error {
	wrapped := fmt.Errorf("%s of %s %d at %s: %w", m.op, m.target.object, m.target.n, m.at.Format(time.RFC3339), err)
	var said *models.Error
	if errors.As(err, &said) && w.chunk > 1 {
		report.Refused++
		if report.First == nil {
			report.First = wrapped
		}
		return nil
	}
	return wrapped
}

func (w *writer) command(m *moment) (models.Command, error) {
	sets, err := m.sets(w.engine.Registry(), w.number)
	if err != nil {
		return models.Command{}, err
	}
	c := models.Command{Op: m.op, Object: m.target.object, Sets: sets, HappenedAt: m.at, Cause: Cause}
	if m.op == models.Update {
		c.Number = w.number(m.target)
	}
	return c, nil
}

// missing are the records that a chunk speaks of, that it does not make itself and whose numbers are not known: those of chunks
// that were passed over.
func (w *writer) missing(list []moment) map[ref]bool {
	missing := map[ref]bool{}
	for i := range list {
		m := &list[i]
		if m.op == models.Update && w.number(m.target) == 0 {
			missing[m.target] = true
		}
		for _, v := range m.values {
			if r, ok := v.(ref); ok && r != none && w.number(r) == 0 {
				missing[r] = true
			}
		}
	}
	for i := range list {
		if list[i].op == models.Create {
			delete(missing, list[i].target)
		}
	}
	return missing
}

// trail is how something done with a lead is found again: by the lead and the instant.
type trail struct {
	lead  ref
	field string
	at    time.Time
}

// instantFields are when what is done with leads was done.
var instantFields = map[string]string{"touch": "at", "activity": "done_at"}

// find looks records up by their keys, and those without one by their trails.
func (w *writer) find(ctx context.Context, missing map[ref]bool) error {
	byObject := map[string]map[string]ref{}
	add := func(r ref) {
		key := w.keys[r]
		if letter := letters[r.object]; letter != "" {
			key = externalID(letter, r.n)
		}
		if byObject[r.object] == nil {
			byObject[r.object] = map[string]ref{}
		}
		byObject[r.object][key] = r
	}
	for r := range missing {
		if t, ok := w.trails[r]; ok {
			if r = t.lead; w.number(r) != 0 {
				continue
			}
		}
		add(r)
	}
	for object, refs := range byObject {
		list := make([]string, 0, len(refs))
		for key := range refs {
			list = append(list, key)
		}
		found, err := w.engine.FindByText(ctx, models.System(), object, keyFields[object], list)
		if err != nil {
			return fmt.Errorf("look %s up: %w", object, err)
		}
		for key, numbers := range found {
			w.know(refs[key], numbers[0])
		}
	}
	return w.follow(ctx, missing)
}

// done is something done with a lead, as it stands in the books.
type done struct {
	lead uint64
	at   int64 // milliseconds
}

// follow finds what was done with leads in an earlier run. All of it is read once: a run that goes on needs most of it.
func (w *writer) follow(ctx context.Context, missing map[ref]bool) error {
	for r := range missing {
		t, ok := w.trails[r]
		if !ok || w.number(t.lead) == 0 {
			continue
		}
		if w.found[r.object] == nil {
			if err := w.readDone(ctx, r.object, t.field); err != nil {
				return fmt.Errorf("look %s of leads up: %w", r.object, err)
			}
		}
		if number := w.found[r.object][done{w.number(t.lead), t.at.UnixMilli()}]; number != 0 {
			w.know(r, number)
		}
	}
	return nil
}

func (w *writer) readDone(ctx context.Context, object, field string) error {
	w.found[object] = map[done]uint64{}
	for q := (crm.Query{Object: object, Limit: crm.MaxPage}); ; {
		page, err := w.engine.List(ctx, models.System(), q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			lead, ok := r.Get("lead").(uint64)
			if at, is := r.Get(field).(time.Time); ok && is {
				w.found[object][done{lead, at.UnixMilli()}] = r.Number
			}
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return nil
		}
	}
}
