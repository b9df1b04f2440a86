package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

// samples is how often each question is asked.
const samples = 100

// timed asks a question many times and gives the times in milliseconds, sorted.
func timed(ctx context.Context, n int, ask func(ctx context.Context, k int) error) ([]float64, error) {
	times := make([]float64, 0, n)
	for k := range n {
		started := time.Now()
		if err := ask(ctx, k); err != nil {
			return nil, err
		}
		times = append(times, float64(time.Since(started).Microseconds())/1000)
	}
	slices.Sort(times)
	return times, nil
}

// quantile of sorted times, by the nearest rank.
func quantile(times []float64, q float64) float64 {
	return times[min(int(q*float64(len(times))), len(times)-1)]
}

// listed is one kind of page that people look at.
type listed struct {
	object, filter, sort string
	pages                int // how deep
}

// lists are filters and sorts on indexed fields.
var lists = []listed{
	{"contact", "", "name", 1},
	{"contact", "", "-name", 1},
	{"contact", "", "phone", 20},
	{"contact", "", "-lifecycle", 20}, // empty everywhere: ties from end to end
	{"contact", "", "-updated_at", 1},
	{"contact", `{"field":"source","op":"eq","value":"Webinar"}`, "-name", 5},
	{"contact", `{"and":[{"field":"territory","op":"eq","value":"Territory 7"},{"field":"source","op":"eq","value":"Fair"}]}`, "email", 1},
	{"contact", `{"field":"email","op":"eq","value":"nobody@company1.example"}`, "name", 1},
	{"account", `{"field":"sector","op":"eq","value":"Health"}`, "name", 1},
	{"deal", `{"field":"status","op":"eq","value":"open"}`, "-amount", 20},
	{"deal", `{"field":"stage","op":"eq","value":"stage_1"}`, "expected_close_on", 1},
	{"deal", `{"field":"owner","op":"eq","value":"user_8"}`, "-amount", 1},
}

// walk reads a list's pages as the API does: records, count, and the titles of what they refer to.
func (w *workplace) walk(ctx context.Context, reader models.Reader, l listed) error {
	where, err := predicate.Parse([]byte(l.filter))
	if err != nil {
		return err
	}
	cursor := ""
	for range l.pages {
		page, err := w.records.List(ctx, reader, crm.Query{Object: l.object, Where: where, Sort: l.sort, Limit: 50, Cursor: cursor})
		if err != nil {
			return err
		}
		if _, err := w.records.Titles(ctx, reader, page.Records); err != nil {
			return err
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	return nil
}

// look gives the times of one page of every list (of a deep one's average page).
func (w *workplace) look(ctx context.Context, reader models.Reader) (map[string][]float64, []float64, error) {
	each, all := map[string][]float64{}, []float64(nil)
	for _, l := range lists {
		n := samples / len(lists) * 2
		times, err := timed(ctx, max(n/l.pages, 2), func(ctx context.Context, _ int) error { return w.walk(ctx, reader, l) })
		if err != nil {
			return nil, nil, err
		}
		for i := range times {
			times[i] /= float64(l.pages)
		}
		each[strings.TrimSpace(l.object+" "+l.sort+" "+l.filter)] = times
		for range l.pages { // every page weighs the same
			all = append(all, times...)
		}
	}
	slices.Sort(all)
	return each, all, nil
}

// reads measures lists, searching and record pages; the first time it only keeps their medians, to see how they grow.
func (w *workplace) reads(ctx context.Context, small bool) error {
	each, all, err := w.look(ctx, models.System())
	if err != nil {
		return err
	}
	found, err := w.searches(ctx, models.System())
	if err != nil {
		return err
	}
	pages, err := w.recordPages(ctx)
	if err != nil {
		return err
	}
	suffix := ".now"
	if small {
		suffix = ""
	}
	w.small["list"+suffix], w.small["search"+suffix], w.small["record"+suffix] = quantile(all, 0.5), quantile(found, 0.5), quantile(pages, 0.5)
	if small {
		return nil
	}
	bare, err := w.bareList(ctx)
	if err != nil {
		return err
	}
	p95 := quantile(all, 0.95)
	w.tell("list", p95, "ms", p95/50, "of 50 ms, p95 of all lists below (at most 1)")
	for _, l := range lists {
		name := strings.TrimSpace(l.object + " " + l.sort + " " + l.filter)
		w.tell("list.one", quantile(each[name], 0.95), "ms", quantile(each[name], 0.95)/50, "of 50 ms: "+name)
	}
	plain := quantile(each["contact name"], 0.5)
	w.tell("list.bare", plain, "ms", plain/bare, "median, of reading the same page as bare SQL")
	w.tell("search", quantile(found, 0.95), "ms", quantile(found, 0.95)/100, "of 100 ms, p95 (at most 1)")
	w.tell("record", quantile(pages, 0.95), "ms", quantile(pages, 0.95)/50, "of 50 ms, p95 of a record with its timeline (at most 1)")
	return nil
}

func (w *workplace) searches(ctx context.Context, reader models.Reader) ([]float64, error) {
	texts := []string{"anna", "schm", "maria lind", "li pet", "a", "de", "company77", "company12.example", "12125550042", "555 0042", "deal 4711",
		"X0000", "contact_4242", "zoe.son", "carla.er55", "nobody at all"}
	return timed(ctx, samples, func(ctx context.Context, k int) error {
		_, err := w.records.Search(ctx, reader, crm.SearchQuery{Text: texts[k%len(texts)]})
		return err
	})
}

// recordPages opens accounts, contacts and deals with the first page of their timelines.
func (w *workplace) recordPages(ctx context.Context) ([]float64, error) {
	return timed(ctx, samples, func(ctx context.Context, k int) error {
		object, most := "contact", w.contacts
		switch k % 3 {
		case 1:
			object, most = "account", w.contacts/5
		case 2:
			object, most = "deal", w.contacts/2
		}
		number := uint64(w.random.IntN(most) + 1) //nolint:gosec // small
		r, err := w.records.Get(ctx, models.System(), object, number, models.Cutoff{})
		if err != nil {
			return err
		}
		if _, err := w.records.Titles(ctx, models.System(), []*models.Record{r}); err != nil {
			return err
		}
		_, err = w.records.Timeline(ctx, models.System(), object, number, 0, 50)
		return err
	})
}

// scopes holds lists of readers who see a part against those of a reader who sees all.
func (w *workplace) scopes(ctx context.Context) error {
	user := func(scope models.ScopeKind) models.Reader {
		return models.Reader{User: w.owners[3], Name: "Owner 4", Role: models.Editor, Scope: scope}
	}
	team := user(models.ScopeTeam)
	team.Teams = []uint64{w.team}
	rare := user(models.ScopeTerritory)
	rare.User, rare.Territories = 1<<40, []string{"Nowhere"}
	all := models.Reader{User: w.owners[0], Name: "Owner 1", Role: models.Editor, Scope: models.ScopeAll}
	_, everything, err := w.look(ctx, all)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		name   string
		reader models.Reader
	}{{"a_fifth", team}, {"one_in_200", user(models.ScopeOwner)}, {"nothing", rare}} {
		_, times, err := w.look(ctx, s.reader)
		if err != nil {
			return err
		}
		found, err := w.searches(ctx, s.reader)
		if err != nil {
			return err
		}
		if s.name == "a_fifth" {
			w.tell("scope."+s.name, quantile(times, 0.5), "ms", quantile(times, 0.5)/quantile(everything, 0.5), "median of lists, of a reader who sees all (at most 1.1)")
		}
		w.tell("scope."+s.name+".list", quantile(times, 0.95), "ms", quantile(times, 0.95)/50, "of 50 ms, p95 (at most 1)")
		w.tell("scope."+s.name+".search", quantile(found, 0.95), "ms", quantile(found, 0.95)/100, "of 100 ms, p95 (at most 1)")
	}
	return nil
}

// change is what a person does to a record.
func (w *workplace) change(k int) models.Command {
	number := uint64(k*7919%w.contacts + 1) //nolint:gosec // small
	return models.Command{Op: models.Update, Object: "contact", Number: number, Cause: "api", Sets: []models.Set{w.set("contact", "job_title", fmt.Sprintf("Title %d", k))}}
}
