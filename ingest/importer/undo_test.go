package importer_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// at some instants between the changes of the bottles' deals.
var instants = []time.Time{
	time.Date(2017, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2017, 4, 4, 0, 0, 0, 0, time.UTC), time.Date(2017, 4, 8, 0, 0, 0, 0, time.UTC),
	time.Date(2017, 5, 20, 0, 0, 0, 0, time.UTC), time.Date(2017, 7, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
}

// state writes all live records of the objects that the bottles touch, as of each instant and now.
func (w *workplace) state() string {
	var b strings.Builder
	for _, object := range []string{"deal", "account", "stage", "pipeline"} {
		for _, r := range w.all(object) {
			fmt.Fprintf(&b, "%s %s\n", r.ID(), r.Object.AppendImage(nil, r.Values))
		}
		histories := w.histories(object)
		for _, at := range instants {
			states := asOf(histories, at)
			for _, n := range slices.Sorted(maps.Keys(states)) {
				fmt.Fprintf(&b, "%s %s_%d %s\n", at.Format(time.DateOnly), object, n, states[n].Object.AppendImage(nil, states[n].Image))
			}
		}
	}
	return b.String()
}

// bottlesFile makes a file of deals with random values; the same key in two files has different ones.
func bottlesFile(random *rand.Rand, from, to int) string {
	var b strings.Builder
	b.WriteString(bottlesHeader)
	for n := from; n < to; n++ {
		won := ""
		if random.IntN(2) == 0 {
			won = fmt.Sprintf("%02d/06/2017", 1+random.IntN(28))
		}
		account := ""
		if random.IntN(4) > 0 {
			account = fmt.Sprintf("Account %d", random.IntN(12))
		}
		opened := ""
		if random.IntN(5) > 0 {
			opened = fmt.Sprintf("%02d/%02d/2017", 1+random.IntN(28), 4+random.IntN(2))
		}
		fmt.Fprintf(&b, "K%d,Deal %d,%s,%d,%s,%s,\n", n, random.IntN(5), account, random.IntN(1000), opened, won)
	}
	return b.String()
}

// After an undo, the present and every instant of the past are what they were before the import, whatever it made and changed.
func TestUndoRestoresPresentAndPast(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		for seed := range uint64(3) {
			random := rand.New(rand.NewPCG(seed, 9))
			first := int(seed) * 100 // each round has keys of its own
			w.load("before.csv", bottlesFile(random, first, first+30), bottles)
			before := w.state()
			// Half of the keys are there already: with other dates, stages, accounts and amounts.
			i := w.load("after.csv", bottlesFile(random, first+15, first+45), bottles)
			if i.Created == 0 || i.Updated == 0 || w.state() == before {
				t.Fatalf("nothing to undo: %+v", i)
			}
			if _, err := w.service.Undo(context.Background(), models.System(), i.ID); err != nil {
				t.Fatal(err)
			}
			if i = w.wait(i.ID); i.State != models.ImportUndone || i.Conflicts != 0 || i.Undone != i.UndoTotal || i.Undone < i.Created+i.Updated {
				t.Errorf("%+v\n%s", i, w.refused(i.ID))
			}
			if after := w.state(); after != before {
				t.Fatalf("seed %d: %s", seed, firstDifference(before, after))
			}
			if _, err := w.service.Undo(context.Background(), models.System(), i.ID); models.CodeOf(err) != models.Conflict {
				t.Errorf("undone twice: %v", err)
			}
		}
	})
}

func firstDifference(before, after string) string {
	x, y := strings.Split(before, "\n"), strings.Split(after, "\n")
	for n := range x {
		if n >= len(y) || x[n] != y[n] {
			return fmt.Sprintf("before\n%s\nafter\n%s", x[n], y[min(n, len(y)-1)])
		}
	}
	return "more after than before: " + y[len(x)]
}

// What others have worked with since is kept, with what it refers to, and listed.
func TestUndoKeepsWhatOthersHaveWorkedWith(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		i := w.load("x.csv", bottlesHeader+"1,A,Acme,1,03/04/2017,,\n2,B,Bolt,1,03/04/2017,,\n3,C,Cork,1,03/04/2017,,\n4,D,Dent,1,03/04/2017,,\n", bottles)
		do := func(command models.Command) models.Outcome {
			t.Helper()
			command.Cause = "screen"
			o, err := w.engine.Do(context.Background(), models.System(), command)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		deal := w.engine.Registry().Object("deal")
		touched := w.one("deal", "external_id", "1")
		do(models.Command{Op: models.Update, Object: "deal", Number: touched.Number, Sets: []models.Set{{Field: deal.Field("next_step"), Value: "call"}}})
		gone := w.one("deal", "external_id", "2")
		do(models.Command{Op: models.Delete, Object: "deal", Number: gone.Number})
		contact := w.engine.Registry().Object("contact")
		cork := w.one("account", "name", "Cork")
		person := do(models.Command{Op: models.Create, Object: "contact", Sets: []models.Set{{Field: contact.Field("name"), Value: "Kim"}, {Field: contact.Field("account"), Value: cork.Number}}})
		if _, err := w.service.Undo(context.Background(), models.System(), i.ID); err != nil {
			t.Fatal(err)
		}
		i = w.wait(i.ID)
		// Kept: the touched deal, its account, its stage (and through it the pipeline); the account of somebody's contact.
		list := w.refused(i.ID)
		for _, want := range []string{
			touched.ID() + ",,\"updated by Canopy (screen)", fmt.Sprintf("%s,,%s refers to it", cork.ID(), person.Record.ID()), touched.ID() + " refers to it", "account_", "stage_", "pipeline_",
		} {
			if !strings.Contains(list, want) {
				t.Errorf("%q is not in\n%s", want, list)
			}
		}
		if i.State != models.ImportUndone || i.Conflicts != int64(strings.Count(list, "\n")-1) || len(w.all("deal")) != 1 || len(w.all("account")) != 2 {
			t.Errorf("%+v: %d deals, %d accounts\n%s", i, len(w.all("deal")), len(w.all("account")), list)
		}
	})
}

// Records that refer to each other go together.
func TestUndoOfCircles(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	text, mapping := realFile(t, "sales_teams")
	i := w.load("sales_teams.csv", text, mapping)
	if _, err := w.service.Undo(context.Background(), models.System(), i.ID); err != nil {
		t.Fatal(err)
	}
	if i = w.wait(i.ID); i.Conflicts != 0 || i.Undone != 47 || len(w.all("user")) != 0 || len(w.all("team")) != 0 {
		t.Errorf("%+v\n%s", i, w.refused(i.ID))
	}
}

// The whole real set, taken back in reverse order, leaves nothing; taken back in the wrong order, what is in use stays.
func TestUndoOfTheRealSet(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	realFile(t, "accounts")
	w.start()
	imports := w.loadRealSet()
	products := imports[1]
	if _, err := w.service.Undo(context.Background(), models.System(), products.ID); err != nil {
		t.Fatal(err)
	}
	if i := w.wait(products.ID); i.Conflicts != 7 || i.Undone != 0 || len(w.all("product")) != 7 {
		t.Errorf("products in use: %+v", i)
	}
	for n := len(imports) - 1; n >= 0; n-- {
		if n == 1 {
			continue
		}
		if _, err := w.service.Undo(context.Background(), models.System(), imports[n].ID); err != nil {
			t.Fatal(err)
		}
		if i := w.wait(imports[n].ID); i.Conflicts != 0 || i.Undone != i.UndoTotal {
			t.Errorf("%+v\n%.2000s", i, w.refused(i.ID))
		}
	}
	for _, object := range []string{"deal", "account", "user", "team", "stage", "pipeline"} {
		if left := len(w.all(object)); left != 0 {
			t.Errorf("%d of %s are left", left, object)
		}
	}
	if past := asOf(w.histories("deal"), time.Date(2017, 7, 1, 0, 0, 0, 0, time.UTC)); len(past) != 0 {
		t.Errorf("%d deals are left in the past", len(past))
	}
}
