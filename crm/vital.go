package crm

import (
	"context"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// stagnationRule names the work of the policies: in causes, and on tasks that they make.
const stagnationRule = "stagnation"

// vitals gathers, for some deals, when each last gave a sign of life and what is planned: its stage, its next step, the activities and tasks on it.
// Tasks that the policies made count once they are done.
func (e *Engine) vitals(ctx context.Context, deals []*models.Record, now time.Time) (map[uint64]*vital, error) {
	zone := e.options.Calendar.Zone
	today := models.DateOf(now, zone)
	found := make(map[uint64]*vital, len(deals))
	numbers := make([]models.Value, len(deals))
	for i, d := range deals {
		numbers[i] = d.Number
		v := &vital{state: "fresh", today: today, zone: zone, touched: d.CreatedAt, by: "it was written down"}
		if state, ok := d.Get("stagnation").(string); ok {
			v.state = state
		}
		if at, ok := d.Get("stagnation_at").(time.Time); ok {
			v.sinceAt, v.since = at, models.DateOf(at, zone)
		}
		if at, ok := d.Get("opened_at").(time.Time); ok {
			v.touched, v.by = at, "it was opened"
		}
		if at, ok := d.Get("stage_entered_at").(time.Time); ok && !at.Before(v.touched) {
			v.touched, v.by = at, "it came into its stage"
		}
		if at, ok := d.Get("next_step_set_at").(time.Time); ok {
			v.touch(at, "its next step was planned")
		}
		if on, ok := d.Get("next_step_on").(models.Date); ok && on >= today {
			v.planned = "its next step is planned for " + on.String()
		}
		found[d.Number] = v
	}
	err := e.eachOf(ctx, "activity", numbers, func(r *models.Record) {
		at, ok := r.Get("done_at").(time.Time)
		if !ok {
			at = r.HappenedAt
		}
		if v := found[numberOf(r.Get("deal"))]; v != nil && !at.After(now) {
			v.touch(at, "somebody was in touch")
		}
	})
	if err != nil {
		return nil, err
	}
	return found, e.eachOf(ctx, "task", numbers, func(r *models.Record) {
		v := found[numberOf(r.Get("deal"))]
		due, dated := r.Get("due_on").(models.Date)
		switch {
		case v == nil:
		case r.Get("status") == "done":
			v.touch(r.HappenedAt, "a task was done")
		case r.Get("status") == "open" && dated && due >= today && r.Get("made_by_rule") == nil:
			v.planned = "a task is due on " + due.String()
		}
	})
}

func (v *vital) touch(at time.Time, by string) {
	if at.After(v.touched) {
		v.touched, v.by = at, by
	}
}

// eachOf calls fn with all live records of an object whose deal is one of the numbers.
func (e *Engine) eachOf(ctx context.Context, name string, numbers []models.Value, fn func(*models.Record)) error {
	registry := e.Registry()
	object := registry.Object(name)
	where, err := predicate.Compare(object.Field("deal"), predicate.In, numbers...).Bind(registry, object, e.options.Calendar)
	if err != nil {
		return err
	}
	return e.walk(ctx, name, where, 0, MaxPage, func(page []*models.Record) error {
		for _, r := range page {
			fn(r)
		}
		return nil
	})
}

// walk goes through the live records of an object for which where holds, by number after one (0: from the first), page by page.
func (e *Engine) walk(ctx context.Context, name string, where *predicate.Bound, after uint64, size int, fn func(page []*models.Record) error) error {
	object := e.Registry().Object(name)
	order, err := predicate.ParseSort(object, "")
	if err != nil {
		return err
	}
	for {
		page, err := e.store.List(ctx, Listing{Object: name, Where: where, Sort: order, Cursor: cursorAfter(order, object, after), Limit: size})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil || len(page) < size {
			return err
		}
		after = page[len(page)-1].Number
	}
}

// cursorAfter goes on behind a record in the order of numbers; 0 starts with the first.
func cursorAfter(order predicate.Sort, object *models.Object, after uint64) string {
	if after == 0 {
		return ""
	}
	return order.CursorOf(&models.Record{Object: object, Number: after})
}
