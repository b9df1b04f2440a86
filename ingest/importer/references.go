package importer

import (
	"context"
	"fmt"

	"canopy/models"
)

// nameSpace is where texts name records: one field of one object.
type nameSpace struct{ object, field string }

// named is one text in one name space.
type named struct {
	space nameSpace
	text  string
}

type recordKey struct {
	object string
	number uint64
}

// references remembers which records texts name, across chunks, and records that values are read over.
type references struct {
	found   map[nameSpace]map[string][]uint64 // no entry: not asked; none: not there
	records map[recordKey]*models.Record
	phantom map[nameSpace]map[string]fate // dry run: what earlier chunks would have made
}

// maxRemembered bounds what is remembered of one name space, and of records.
const maxRemembered = 100_000

func newReferences() references {
	return references{found: map[nameSpace]map[string][]uint64{}, records: map[recordKey]*models.Record{}, phantom: map[nameSpace]map[string]fate{}}
}

// forget drops what may have become wrong.
func (r *references) forget() {
	clear(r.found)
	clear(r.records)
}

// trim drops what the next chunks will not ask for again, and the texts that named nothing: somebody may have made it since.
func (r *references) trim(keep map[nameSpace]bool) {
	for space, names := range r.found {
		if !keep[space] || len(names) > maxRemembered {
			delete(r.found, space)
			continue
		}
		for text, numbers := range names {
			if len(numbers) == 0 {
				delete(names, text)
			}
		}
	}
	if len(r.records) > maxRemembered {
		clear(r.records)
	}
}

func (r *references) remember(space nameSpace, text string, numbers []uint64) {
	names := r.found[space]
	if names == nil {
		names = map[string][]uint64{}
		r.found[space] = names
	}
	names[text] = numbers
}

func (r *references) asked(space nameSpace, text string) bool {
	_, ok := r.found[space][text]
	return ok
}

func spaceOf(l *lookup) nameSpace { return nameSpace{l.object.Name, l.by.Name} }

func keySpace(spec *recordPlan) nameSpace {
	return nameSpace{spec.object.Name, spec.key.field.Name}
}

// queryTexts is how many texts one query asks for.
const queryTexts = 1000

// resolve finds, before the transaction begins, what the rows of a chunk name: their keys, their references, and the records that values are
// read over.
func (j *job) resolve(ctx context.Context, rows []plannedRow) error {
	wanted := map[nameSpace]map[string]bool{}
	want := func(space nameSpace, text string) {
		if text == "" || j.refs.asked(space, text) {
			return
		}
		if wanted[space] == nil {
			wanted[space] = map[string]bool{}
		}
		wanted[space][text] = true
	}
	each(rows, func(r *plannedRecord) {
		if r.key != "" {
			want(keySpace(r.spec), r.key)
		}
		for _, v := range r.all() {
			if v.lookup != nil {
				want(spaceOf(v.lookup), v.text)
			}
		}
	})
	for n := range rows {
		j.plan.checkTexts(&rows[n], want)
	}
	for space, texts := range wanted {
		if err := j.find(ctx, space, sortedKeys(texts)); err != nil {
			return err
		}
	}
	if err := j.resolveFates(ctx, rows); err != nil {
		return err
	}
	if err := j.resolveChecks(ctx, rows); err != nil {
		return err
	}
	return j.resolveOver(ctx, rows)
}

// resolveFates finds in the log what an earlier process of this import has done to the records that rows name again.
func (j *job) resolveFates(ctx context.Context, rows []plannedRow) error {
	if !j.resumed || j.i.DryRun {
		return nil
	}
	wanted := map[string][]uint64{}
	each(rows, func(r *plannedRecord) {
		if r.key == "" || !j.plan.recurs[r.spec.object.Name] {
			return
		}
		for _, n := range j.refs.found[keySpace(r.spec)][r.key] {
			if _, known := j.fates[recordKey{r.spec.object.Name, n}]; !known {
				wanted[r.spec.object.Name] = append(wanted[r.spec.object.Name], n)
			}
		}
	})
	for object, numbers := range wanted {
		histories, err := j.s.c.Jobs.Histories(ctx, object, numbers)
		if err != nil {
			return err
		}
		for _, h := range histories {
			for _, c := range h.Changes {
				if c.Cause != j.i.Cause() {
					continue
				}
				key := recordKey{object, h.Number}
				if c.Kind == models.Created {
					j.fates[key] = created
				} else if j.fates[key] == unseen {
					j.fates[key] = updated
				}
			}
		}
	}
	return nil
}

func (j *job) find(ctx context.Context, space nameSpace, texts []string) error {
	for start := 0; start < len(texts); start += queryTexts {
		part := texts[start:min(start+queryTexts, len(texts))]
		found, err := j.s.c.Commands.FindByText(ctx, j.reader, space.object, space.field, part)
		if err != nil {
			return fmt.Errorf("find %s by %s: %w", space.object, space.field, err)
		}
		for _, text := range part {
			j.refs.remember(space, text, found[text])
		}
	}
	return nil
}

func (j *job) resolveOver(ctx context.Context, rows []plannedRow) error {
	wanted := map[string]map[uint64]bool{}
	each(rows, func(r *plannedRecord) {
		all := r.all()
		for _, v := range all {
			if v.over == nil {
				continue
			}
			number, ok := j.linked(all, v.over.link, nil)
			if _, known := j.refs.records[recordKey{v.over.link.To, number}]; !ok || known {
				continue
			}
			if wanted[v.over.link.To] == nil {
				wanted[v.over.link.To] = map[uint64]bool{}
			}
			wanted[v.over.link.To][number] = true
		}
	})
	for object, set := range wanted {
		numbers := make([]uint64, 0, len(set))
		for n := range set {
			numbers = append(numbers, n)
		}
		records, err := j.s.c.Commands.Records(ctx, j.reader, object, numbers)
		if err != nil {
			return fmt.Errorf("read %s: %w", object, err)
		}
		for n, r := range records {
			j.refs.records[recordKey{object, n}] = r
		}
	}
	return nil
}

// linked gives the record that a reference among a record's values names; made are records of the running transaction.
func (j *job) linked(values []planned, link *models.Field, made map[nameSpace]map[string]uint64) (uint64, bool) {
	for _, v := range values {
		if v.field != link || v.lookup == nil {
			continue
		}
		if n, ok := made[spaceOf(v.lookup)][v.text]; ok {
			return n, true
		}
		if numbers := j.refs.found[spaceOf(v.lookup)][v.text]; len(numbers) == 1 {
			return numbers[0], true
		}
	}
	return 0, false
}

// each visits the records of the rows that are not refused.
func each(rows []plannedRow, fn func(*plannedRecord)) {
	for i := range rows {
		if rows[i].refused != nil {
			continue
		}
		for n := range rows[i].records {
			fn(&rows[i].records[n])
		}
	}
}

// all lists a record's values over all its steps.
func (r *plannedRecord) all() []planned {
	if len(r.steps) == 0 {
		return r.base
	}
	list := append([]planned{}, r.base...)
	for _, s := range r.steps {
		list = append(list, s.values...)
	}
	return list
}
