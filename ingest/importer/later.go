package importer

import (
	"context"
	"fmt"
	"strings"

	"canopy/models"
)

// beforePass prepares the second pass: it needs to know which rows the first one refused.
func (j *job) beforePass(ctx context.Context) error {
	if j.i.Pass != 2 {
		return nil
	}
	j.refused = map[int64]bool{}
	j.refs.forget()
	return j.s.c.Jobs.Refusals(ctx, j.i.ID, func(r models.ImportRefusal) error {
		j.refused[r.Row] = true
		return nil
	})
}

// fillLater is the second pass over a chunk: it sets references to records that stood further down in the file. A record that is not there
// even now is listed with its row, which stays written without it.
func (a *attempt) fillLater() error {
	var commands []models.Command
	var places []int
	for n := range a.rows {
		if a.rows[n].refused != nil || a.j.refused[a.rows[n].number] {
			continue
		}
		for i := range a.rows[n].records {
			for _, c := range a.laterOf(n, &a.rows[n].records[i]) {
				commands, places = append(commands, c), append(places, n)
			}
		}
	}
	if len(commands) > 0 {
		results, err := a.j.s.c.Commands.Batch(a.ctx, a.j.reader, commands)
		if err != nil {
			return err
		}
		for n, result := range results {
			if result.Err != nil {
				a.refuse(places[n], result.Err)
			}
		}
	}
	a.progress.PassRows += int64(len(a.rows))
	var list []models.ImportRefusal
	for n := range a.rows {
		if err := a.refused[n]; err != nil {
			reason, remedy := err.Explain()
			list = append(list, models.ImportRefusal{Row: a.rows[n].number, Field: err.Field, Reason: reason + "; the rest of the row is written", Remedy: remedy, Cells: a.rows[n].cells})
			a.progress.Notes = count(a.progress.Notes, "rows written without a reference that is nowhere in the file", 1)
		}
	}
	if err := a.j.saveIn(a.ctx, &a.progress); err != nil {
		return err
	}
	return a.j.s.c.Jobs.Refuse(a.ctx, a.j.i.ID, list)
}

// laterOf gives the commands that set one record's references to later rows.
func (a *attempt) laterOf(place int, r *plannedRecord) []models.Command {
	if r.key == "" {
		return nil
	}
	found := a.find(keySpace(r.spec), r.key)
	if len(found) == 0 {
		return nil
	}
	sets := func(values []planned) []models.Set {
		var sets []models.Set
		for _, v := range values {
			if v.lookup == nil || v.lookup.missing != "later" {
				continue
			}
			to := a.find(spaceOf(v.lookup), v.text)
			if len(to) != 1 {
				a.refuse(place, models.FieldError(v.source, "there is no %s %q", strings.ToLower(v.lookup.object.Label), v.text).
					WithRemedy(fmt.Sprintf("Import it, and then this row again, or set %s by hand.", strings.ToLower(v.field.Label))))
				continue
			}
			sets = append(sets, models.Set{Field: v.field, Value: to[0]})
		}
		return sets
	}
	command := models.Command{Op: models.Update, Object: r.spec.object.Name, Number: found[0], Cause: a.j.i.Cause(), Row: a.rows[place].number}
	var commands []models.Command
	add := func(c models.Command, s []models.Set) {
		if c.Sets = s; len(s) > 0 {
			commands = append(commands, c)
		}
	}
	for i := range r.steps {
		c := command
		c.HappenedAt, c.HappenedUnknown = r.steps[i].at, r.steps[i].at.IsZero()
		add(c, sets(r.steps[i].values))
	}
	command.HappenedUnknown = true
	add(command, sets(r.base))
	return commands
}
