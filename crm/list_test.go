package crm_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
	"canopy/models/predicate"

	"pgregory.net/rapid"
)

// Pages of any size, under any filter and row scope, in both directions over fields that may be empty, are the whole list cut into pieces,
// whether an order is walked or few rows are sorted.
func TestPagesAreTheListCutIntoPieces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		owner := w.make("user", `{"name":"Olga","role":"editor","scope":"owner"}`)
		var commands []models.Command
		for n := range 90 {
			fields := []string{fmt.Sprintf(`"name":"Name %d"`, n%7), `"account":"account_` + fmt.Sprint(w.account) + `"`}
			if n%3 > 0 {
				fields = append(fields, fmt.Sprintf(`"source":"Source %d"`, n%5))
			}
			if n%4 > 0 {
				fields = append(fields, fmt.Sprintf(`"email":"e%d@example.org"`, n*37%90))
			}
			if n%5 > 0 {
				fields = append(fields, fmt.Sprintf(`"owner":"user_%d"`, owner))
			}
			if n%6 > 0 {
				fields = append(fields, fmt.Sprintf(`"phone":"+1212555%04d"`, n%11))
			}
			commands = append(commands, models.Command{Op: models.Create, Object: "contact", Sets: w.sets("contact", "{"+strings.Join(fields, ",")+"}")})
		}
		if _, err := w.engine.Batch(ctx, models.System(), commands); err != nil {
			t.Fatal(err)
		}
		readers := []models.Reader{models.System(), {User: owner, Name: "Olga", Role: models.Editor, Scope: models.ScopeOwner}}
		filters := []string{"", `{"field":"source","op":"eq","value":"Source 1"}`, `{"field":"phone","op":"is_empty"}`,
			`{"or":[{"field":"source","op":"eq","value":"Source 2"},{"field":"name","op":"eq","value":"Name 3"}]}`,
			`{"and":[{"field":"name","op":"gt","value":"Name 2"},{"field":"source","op":"in","value":["Source 1","Source 4"]}]}`,
			`{"not":{"field":"email","op":"eq","value":"e37@example.org"}}`, `{"field":"email","op":"eq","value":"nobody@example.org"}`}
		rapid.Check(t, func(t *rapid.T) {
			reader := rapid.SampledFrom(readers).Draw(t, "reader")
			where, err := predicate.Parse([]byte(rapid.SampledFrom(filters).Draw(t, "filter")))
			if err != nil {
				t.Fatal(err)
			}
			field := rapid.SampledFrom([]string{"name", "source", "email", "owner", "phone", "lifecycle", "updated_at", "number", "job_title"}).Draw(t, "field")
			sort := rapid.SampledFrom([]string{"", "-"}).Draw(t, "direction") + field
			size := rapid.IntRange(1, 40).Draw(t, "size")
			all, err := w.engine.List(ctx, reader, crm.Query{Object: "contact", Where: where, Sort: "number", Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			want := numbersOf(ordered(all.Records, sort))
			var got []uint64
			for cursor := ""; ; {
				page, err := w.engine.List(ctx, reader, crm.Query{Object: "contact", Where: where, Sort: sort, Limit: size, Cursor: cursor})
				if err != nil {
					t.Fatal(err)
				}
				if page.Count != len(want) || page.Capped || page.Unknown {
					t.Fatalf("counted %d of %d", page.Count, len(want))
				}
				got = append(got, numbersOf(page.Records)...)
				if cursor = page.NextCursor; cursor == "" || len(got) > len(want) {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("by %s: %v, want %v", sort, got, want)
			}
		})
	})
}

func numbersOf(records []*models.Record) []uint64 {
	numbers := make([]uint64, len(records))
	for i, r := range records {
		numbers[i] = r.Number
	}
	return numbers
}

// ordered sorts by one field, empty values last, then by number in the same direction.
func ordered(records []*models.Record, sort string) []*models.Record {
	name, down := strings.CutPrefix(sort, "-")
	sign := 1
	if down {
		sign = -1
	}
	records = slices.Clone(records)
	slices.SortFunc(records, func(x, y *models.Record) int {
		a, b := x.Get(name), y.Get(name)
		switch name {
		case "updated_at":
			a, b = x.UpdatedAt.Format(models.InstantLayout), y.UpdatedAt.Format(models.InstantLayout)
		case "number":
			a, b = nil, nil
		}
		switch {
		case a == nil && b != nil:
			return 1
		case a != nil && b == nil:
			return -1
		}
		n, m := fmt.Sprint(a), fmt.Sprint(b)
		if u, ok := a.(uint64); ok {
			n, m = fmt.Sprintf("%020d", u), fmt.Sprintf("%020d", b)
		}
		return sign * cmp.Or(strings.Compare(n, m), cmp.Compare(x.Number, y.Number))
	})
	return records
}

// A repeated idempotency key tells what it did only to those who may still see it.
func TestRepeatedKeyObeysTodaysScope(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		olga := w.make("user", `{"name":"Olga","role":"editor","scope":"owner"}`)
		otto := w.make("user", `{"name":"Otto","role":"editor","scope":"owner"}`)
		reader := models.Reader{User: olga, Name: "Olga", Role: models.Editor, Scope: models.ScopeOwner}
		command := models.Command{Op: models.Create, Object: "contact", IdempotencyKey: "once", Sets: w.sets("contact", `{"name":"Ann"}`)}
		first, err := w.engine.Do(ctx, reader, command)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.engine.Do(ctx, reader, command)
		if err != nil || !again.Repeated || again.Record.Number != first.Record.Number || again.Change != first.Change {
			t.Fatalf("repeated: %+v, %v", again, err)
		}
		other := command
		other.Sets = w.sets("contact", `{"name":"Bea"}`)
		if _, err := w.engine.Do(ctx, reader, other); models.CodeOf(err) != models.Conflict {
			t.Errorf("the key of another request: %v", err)
		}
		w.do(models.Command{Op: models.Update, Object: "contact", Number: first.Record.Number, Sets: w.sets("contact", fmt.Sprintf(`{"owner":"user_%d"}`, otto))})
		if _, err := w.engine.Do(ctx, reader, command); models.CodeOf(err) != models.NotFound || strings.Contains(err.Error(), "Ann") {
			t.Errorf("a record that is hidden by now: %v", err)
		}
		stranger := models.Reader{User: otto, Name: "Otto", Role: models.Editor, Scope: models.ScopeOwner}
		mine, err := w.engine.Do(ctx, stranger, command) // keys are each user's own
		if err != nil || mine.Repeated || mine.Record.Number == first.Record.Number {
			t.Errorf("another user's key: %+v, %v", mine, err)
		}
		if page, err := w.engine.List(ctx, models.System(), crm.Query{Object: "contact"}); err != nil || page.Count != 2 {
			t.Errorf("%d contacts, %v", page.Count, err)
		}
	})
}
