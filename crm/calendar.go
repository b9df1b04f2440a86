package crm

import (
	"canopy/models"
	"canopy/models/predicate"
)

// checkCalendar refuses hours that cannot be reckoned with.
func checkCalendar(_ *batch, w *writing) ([]models.Error, error) {
	get := func(name string) string { s, _ := w.after(name).(string); return s }
	_, err := NewHours(get("zone"), get("hours"), get("holidays"))
	return faults(err), nil
}

// faults takes the field errors out of a gathered one.
func faults(err error) []models.Error {
	said, ok := err.(*models.Error) //nolint:errorlint // Gather's error itself
	if !ok || said == nil {
		return nil
	}
	if len(said.Details) > 0 {
		return said.Details
	}
	return []models.Error{*said}
}

// hours gives a calendar by number; for 0 the workspace's standard one. Without one the clock never stops: nil.
func (b *batch) hours(calendar uint64) (*Hours, error) {
	all, err := remembered(b, "calendars", func() (map[uint64]*Hours, error) {
		records, err := b.query("calendar", nil, "", maxRules)
		if err != nil {
			return nil, err
		}
		all := map[uint64]*Hours{}
		for _, r := range records {
			h, err := NewHours(text(r, "zone"), text(r, "hours"), text(r, "holidays"))
			if err != nil {
				continue // it was refused when it was written; a zone may have left the system's list since
			}
			all[r.Number] = h
			if r.Get("standard") == true && all[0] == nil {
				all[0] = h
			}
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	if h := all[calendar]; h != nil {
		return h, nil
	}
	return all[0], nil
}

// maxRules bounds how many rules, territories and calendars of one kind are asked.
const maxRules = 500

// territory is one part of the market and the leads that belong to it.
type territory struct {
	name  string
	leads matcher
}

// territoryOf names the first territory whose rule a lead fulfils; blank where none does.
func (b *batch) territoryOf(values []models.Value) (string, error) {
	all, err := remembered(b, "territories", func() ([]territory, error) {
		records, err := b.query("territory", predicate.Compare(b.field("territory", "conditions"), predicate.NotEmpty), "rank", maxRules)
		if err != nil {
			return nil, err
		}
		list := make([]territory, 0, len(records))
		for _, r := range records {
			m, problem := readMatcher(b.registry, b.registry.Object(leadObject), b.options.Calendar, "conditions", text(r, "conditions"))
			if problem == nil && m.bound != nil {
				list = append(list, territory{text(r, "name"), m})
			}
		}
		return list, nil
	})
	if err != nil {
		return "", err
	}
	for _, t := range all {
		ok, err := b.holds(t.leads, values, predicate.Meta{})
		if err != nil {
			return "", err
		}
		if ok {
			return t.name, nil
		}
	}
	return "", nil
}

// checkConditions refuses a condition over leads that cannot be read.
func checkConditions(b *batch, w *writing) ([]models.Error, error) {
	conditions, _ := w.after("conditions").(string)
	_, problem := readMatcher(b.registry, b.registry.Object(leadObject), b.options.Calendar, "conditions", conditions)
	return listed(problem), nil
}
