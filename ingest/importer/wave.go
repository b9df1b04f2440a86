package importer

import (
	"fmt"
	"strings"
	"time"

	"canopy/models"
)

// item is one record of one row on its way into commands.
type item struct {
	place  int // of the row in the chunk
	record *plannedRecord
	base   []models.Set
	steps  [][]models.Set
	number uint64 // of the record; 0 while it is not there
	isNew  bool   // this import has just made it
	wrote  bool   // some command changed it
}

// wave writes one record specification for all rows of the chunk, so that the next one can refer to its records.
func (a *attempt) wave(spec *recordPlan) error {
	var items []*item
	for n := range a.rows {
		if a.rows[n].refused != nil || a.refused[n] != nil {
			continue
		}
		for i := range a.rows[n].records {
			if r := &a.rows[n].records[i]; r.spec == spec {
				items = append(items, &item{place: n, record: r})
			}
		}
	}
	if err := a.makeMissing(items); err != nil {
		return err
	}
	for _, it := range items {
		a.settleValues(it)
	}
	return a.write(spec, items)
}

// makeMissing creates the records that rows name and that are not there, where the mapping says so.
func (a *attempt) makeMissing(items []*item) error {
	var commands []models.Command
	var lookups []*lookup
	var texts []string
	wanted := map[nameSpace]map[string][]int{}
	for _, it := range items {
		for _, v := range it.record.all() {
			if v.lookup == nil || v.lookup.missing != "create" || a.named(v.lookup, v.text) != nil || a.j.refs.phantom[spaceOf(v.lookup)][v.text] != unseen {
				continue
			}
			space := spaceOf(v.lookup)
			if wanted[space] == nil {
				wanted[space] = map[string][]int{}
			}
			if _, ok := wanted[space][v.text]; !ok {
				sets := append([]models.Set{{Field: v.lookup.by, Value: v.text}}, v.lookup.with...)
				commands = append(commands, models.Command{Op: models.Create, Object: v.lookup.object.Name, Sets: sets, HappenedUnknown: true, Cause: a.j.i.Cause(), Row: a.rows[it.place].number})
				lookups, texts = append(lookups, v.lookup), append(texts, v.text)
			}
			wanted[space][v.text] = append(wanted[space][v.text], it.place)
		}
	}
	if len(commands) == 0 {
		return nil
	}
	results, err := a.j.s.c.Commands.Batch(a.ctx, a.j.reader, commands)
	if err != nil {
		return err
	}
	for n, result := range results {
		space := spaceOf(lookups[n])
		if result.Err != nil {
			for _, place := range wanted[space][texts[n]] {
				a.refuse(place, result.Err)
			}
			continue
		}
		a.wrote[wanted[space][texts[n]][0]] = true
		a.name(space, texts[n], result.Record.Number)
		a.fates[recordKey{space.object, result.Record.Number}] = aside
		a.asides[named{space, texts[n]}] = true
		a.progress.Notes = count(a.progress.Notes, fmt.Sprintf("%s made because rows name them", lookups[n].object.Plural), 1)
	}
	return nil
}

func (a *attempt) refuse(place int, err *models.Error) {
	if a.refused[place] == nil {
		a.refused[place] = err
	}
}

func (a *attempt) name(space nameSpace, text string, number uint64) {
	if a.made[space] == nil {
		a.made[space] = map[string]uint64{}
	}
	a.made[space][text] = number
}

// named gives the records that a text names: one of this transaction, or those found before it.
func (a *attempt) named(l *lookup, text string) []uint64 { return a.find(spaceOf(l), text) }

func (a *attempt) find(space nameSpace, text string) []uint64 {
	if n, ok := a.made[space][text]; ok {
		return []uint64{n}
	}
	if found := a.j.refs.found[space][text]; len(found) > 0 {
		return found
	}
	return nil
}

// settleValues turns an item's planned values into sets. Empty values are left out: an empty cell changes nothing.
func (a *attempt) settleValues(it *item) {
	all := it.record.all()
	it.base = a.sets(it, it.record.base, all)
	for i := range it.record.steps {
		it.steps = append(it.steps, a.sets(it, it.record.steps[i].values, all))
	}
	if spec := it.record.spec; spec.key != nil {
		if found := a.find(keySpace(spec), it.record.key); len(found) > 0 {
			it.number = found[0]
		}
		if it.number == 0 && spec.present && a.j.refs.phantom[keySpace(spec)][it.record.key] == unseen {
			a.refuse(it.place, models.FieldError(spec.key.source, "there is no %s %q", strings.ToLower(spec.object.Label), it.record.key).WithRemedy("Import it first, or correct the key."))
		}
	}
}

func (a *attempt) sets(it *item, values, all []planned) []models.Set {
	sets := make([]models.Set, 0, len(values))
	for _, v := range values {
		value := v.value
		switch {
		case v.over != nil:
			if number, ok := a.j.linked(all, v.over.link, a.made); ok {
				if r := a.j.refs.records[recordKey{v.over.link.To, number}]; r != nil {
					value = r.Get(v.over.read.Name)
				}
			}
		case v.lookup != nil:
			value = a.reference(it, v)
		}
		if value != nil {
			sets = append(sets, models.Set{Field: v.field, Value: value})
		}
	}
	return sets
}

// reference finds the record that a value names, or does what the mapping says about missing ones.
func (a *attempt) reference(it *item, v planned) models.Value {
	label := v.lookup.object.Label
	found := a.named(v.lookup, v.text)
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		a.refuse(it.place, models.FieldError(v.source, "more than one %s is called %q", strings.ToLower(label), v.text).WithRemedy("Make their names differ, or refer by a unique field."))
	case a.j.refs.phantom[spaceOf(v.lookup)][v.text] != unseen: // dry run: an earlier chunk would have made it
	case v.lookup.missing == "empty":
		a.progress.Notes = count(a.progress.Notes, fmt.Sprintf("rows whose %s is not there: %s left empty", strings.ToLower(label), strings.ToLower(v.field.Label)), 1)
	case v.lookup.missing == "later":
		a.progress.Later = true
	case v.lookup.missing == "create": // its creation was refused, and the row with it
	default:
		a.refuse(it.place, models.FieldError(v.source, "there is no %s %q", strings.ToLower(label), v.text).WithRemedy("Import or create it first, correct the cell, or translate it in the mapping (values)."))
	}
	return nil
}

// write turns items into commands. New records come first, for their later steps need their numbers.
func (a *attempt) write(spec *recordPlan, items []*item) error {
	pending := map[string]*item{} // new records of this wave that are not written yet, by key
	var batch []*item
	repeats := map[*item]*item{} // says the same → what was said first
	for _, it := range items {
		if a.refused[it.place] != nil {
			continue
		}
		if it.number == 0 && it.record.key != "" {
			if was := a.j.refs.phantom[keySpace(spec)][it.record.key]; was != unseen { // dry run: an earlier chunk would have made it
				a.countPhantom(keySpace(spec), it.record.key, was)
				continue
			}
			if first := pending[it.record.key]; first != nil {
				if saysTheSame(first, it) {
					repeats[it] = first
					continue
				}
				if err := a.flush(batch); err != nil {
					return err
				}
				batch, pending = batch[:0], map[string]*item{}
				if found := a.find(keySpace(spec), it.record.key); len(found) > 0 {
					it.number = found[0]
				}
			}
			if it.number == 0 {
				pending[it.record.key] = it
			}
		}
		batch = append(batch, it)
	}
	if err := a.flush(batch); err != nil {
		return err
	}
	for it, first := range repeats {
		if err := a.refused[first.place]; err != nil {
			a.refuse(it.place, err.WithRow(a.rows[it.place].number))
		}
	}
	return nil
}

func saysTheSame(x, y *item) bool {
	if len(x.steps) != len(y.steps) || !sameSets(x.base, y.base) {
		return false
	}
	for i := range x.steps {
		if !x.record.steps[i].at.Equal(y.record.steps[i].at) || !sameSets(x.steps[i], y.steps[i]) {
			return false
		}
	}
	return true
}

func sameSets(x, y []models.Set) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].Field != y[i].Field || !models.ValuesEqual(x[i].Value, y[i].Value) {
			return false
		}
	}
	return true
}

// flush writes a batch of items: first what is new, with all that concerns records that are there, then the later steps of what is new.
func (a *attempt) flush(batch []*item) error {
	var commands []models.Command
	var owners []*item
	add := func(it *item, c models.Command) {
		c.Object, c.Cause, c.Row = it.record.spec.object.Name, a.j.i.Cause(), a.rows[it.place].number
		if a.j.plan.past && c.Object == "deal" {
			c.Override = fmt.Sprintf("Historical import %d: %.300s", a.j.i.ID, a.j.i.FileName)
		}
		commands, owners = append(commands, c), append(owners, it)
	}
	var made []*item
	for _, it := range batch {
		if it.number == 0 {
			made = append(made, it)
			first := models.Command{Op: models.Create, Sets: it.base, HappenedUnknown: true}
			if len(it.steps) > 0 {
				first.Sets = append(append([]models.Set{}, it.base...), it.steps[0]...)
				first.HappenedAt, first.HappenedUnknown = it.record.steps[0].at, it.record.steps[0].at.IsZero()
			}
			add(it, first)
			continue
		}
		for _, c := range updates(it, 0) {
			add(it, c)
		}
	}
	if err := a.execute(commands, owners); err != nil {
		return err
	}
	for _, it := range batch { // before the later steps: they are no updates of records that were there
		a.countFate(it)
	}
	commands, owners = nil, nil
	for _, it := range made {
		if it.number == 0 {
			continue // refused
		}
		for _, c := range updates(it, 1) {
			add(it, c)
		}
	}
	return a.execute(commands, owners)
}

// updates are the commands for a record that is there, from a step on. What has no instant is said of the present.
func updates(it *item, from int) []models.Command {
	var list []models.Command
	present := models.Command{Op: models.Update, Number: it.number, HappenedUnknown: true}
	if from == 0 {
		present.Sets = append(present.Sets, it.base...)
	}
	for i := from; i < len(it.steps); i++ {
		if it.record.steps[i].at.IsZero() {
			present.Sets = append(present.Sets, it.steps[i]...)
			continue
		}
		list = append(list, models.Command{Op: models.Update, Number: it.number, HappenedAt: it.record.steps[i].at, Sets: it.steps[i]})
	}
	if len(present.Sets) > 0 {
		list = append(list, present)
	}
	return list
}

// execute runs commands and notes what became of them. Changes of a record that was there already, dated before it came to be, are put at
// its beginning: the source knows the record for longer than Canopy does.
func (a *attempt) execute(commands []models.Command, owners []*item) error {
	early, err := a.executeOnce(commands, owners, true)
	if err != nil || len(early) == 0 {
		return err
	}
	numbers := map[string][]uint64{}
	for _, n := range early {
		numbers[commands[n].Object] = append(numbers[commands[n].Object], commands[n].Number)
	}
	begun := map[recordKey]time.Time{}
	for object, list := range numbers {
		histories, err := a.j.s.c.Jobs.Histories(a.ctx, object, list)
		if err != nil {
			return err
		}
		for _, h := range histories {
			begun[recordKey{object, h.Number}] = h.Changes[0].HappenedAt
		}
	}
	var again []models.Command
	var of []*item
	for _, n := range early {
		c := commands[n]
		if from := begun[recordKey{c.Object, c.Number}]; c.HappenedAt.Before(from) {
			c.HappenedAt = from
			a.progress.Notes = count(a.progress.Notes, "changes dated before their record came to be here: put at its beginning", 1)
		}
		again, of = append(again, c), append(of, owners[n])
	}
	_, err = a.executeOnce(again, of, false)
	return err
}

// executeOnce gives the places of commands that were refused for their instant, if forgiving; otherwise these refuse their rows, too.
func (a *attempt) executeOnce(commands []models.Command, owners []*item, forgiving bool) (early []int, err error) {
	if len(commands) == 0 {
		return nil, nil
	}
	results, err := a.j.s.c.Commands.Batch(a.ctx, a.j.reader, commands)
	if err != nil {
		return nil, err
	}
	for n, result := range results {
		it := owners[n]
		if result.Err != nil {
			if forgiving && result.Err.Field == "happened_at" && commands[n].Op == models.Update && !it.isNew && commands[n].HappenedAt.Before(a.j.s.c.Now()) {
				early = append(early, n)
				continue
			}
			a.refuse(it.place, result.Err)
			continue
		}
		if result.Change != 0 {
			it.wrote = true
			a.wrote[it.place] = true
		}
		if it.number == 0 {
			it.number = result.Record.Number
			if it.record.key != "" {
				a.name(keySpace(it.record.spec), it.record.key, it.number)
			}
			it.isNew = true
		}
	}
	return early, nil
}
