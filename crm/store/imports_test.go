package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func TestImportsAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		ctx := context.Background()
		jobs := storetest.Open(t, c).Imports()
		total, finished := int64(12), time.Date(2026, 2, 3, 4, 5, 6, 7e6, time.UTC)
		var added []*models.Import
		for n := range 3 {
			i := &models.Import{
				FileName: "Köln.csv", Object: "deal", State: models.ImportWaiting, DryRun: n == 1, RowsTotal: &total, BytesTotal: 99, SHA256: fmt.Sprint("hash", n%2),
				CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Mapping: "records: []\n", Format: `{"x":1}`, Pass: 1,
				Reader: models.Reader{User: uint64(n), Name: "Kim", Role: models.Editor, Scope: models.ScopeTeam, Teams: []uint64{4}}, Notes: []models.ImportNote{},
			}
			if err := jobs.Add(ctx, i); err != nil {
				t.Fatal(err)
			}
			i.By = models.ImportUser{Name: "Kim"}
			if n > 0 {
				i.By.ID = fmt.Sprint("user_", n)
			}
			added = append(added, i)
		}
		if added[0].ID == added[1].ID || added[2].ID < added[1].ID {
			t.Fatalf("ids %d %d %d", added[0].ID, added[1].ID, added[2].ID)
		}
		i := added[2]
		i.RowsRead, i.Created, i.Updated, i.Unchanged, i.Refused, i.BytesRead, i.Undone, i.Conflicts = 1, 2, 3, 4, 5, 6, 7, 8
		i.Pass, i.PassRows, i.Later, i.Undo, i.UndoBefore, i.UndoTotal = 2, 9, true, true, 10, 11
		i.Notes, i.Error, i.FinishedAt, i.Undoer, i.State = []models.ImportNote{{Text: "n", Count: 3}}, "e", &finished, models.System(), models.ImportDone
		if mine, err := jobs.Save(ctx, i); err != nil || !mine {
			t.Fatalf("%t %v", mine, err)
		}
		got, err := jobs.Get(ctx, i.ID)
		if err != nil || !reflect.DeepEqual(got, i) {
			t.Errorf("%+v\nwant\n%+v (%v)", got, i, err)
		}
		if missing, err := jobs.Get(ctx, 99); missing != nil || err != nil {
			t.Errorf("%v %v", missing, err)
		}
		if list, err := jobs.List(ctx, 0, 2); err != nil || len(list) != 2 || list[0].ID != i.ID {
			t.Errorf("list %v (%v)", list, err)
		}
		if list, err := jobs.List(ctx, 1, 10); err != nil || len(list) != 1 || list[0].ID != added[1].ID {
			t.Errorf("one user's list %v (%v)", list, err)
		}
		if active, err := jobs.Active(ctx); err != nil || len(active) != 2 || active[0].ID != added[0].ID {
			t.Errorf("active %v (%v)", active, err)
		}
		for hash, want := range map[string]bool{"hash0": true, "hash1": true, "other": false} { // the one that is done shares hash0
			if used, err := jobs.InUse(ctx, hash); err != nil || used != want {
				t.Errorf("%s in use: %t (%v)", hash, used, err)
			}
		}
	})
}

func TestAChangedImportIsFencedOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		ctx := context.Background()
		db := storetest.Open(t, c)
		jobs := db.Imports()
		i := &models.Import{State: models.ImportRunning, CreatedAt: time.Now()}
		if err := jobs.Add(ctx, i); err != nil {
			t.Fatal(err)
		}
		changed, err := jobs.Change(ctx, i.ID, func(i *models.Import) error { i.State = models.ImportCancelled; return nil })
		if err != nil || changed.Generation == i.Generation {
			t.Fatalf("%+v (%v)", changed, err)
		}
		i.RowsRead = 5
		err = db.Run(ctx, crm.Bulk, func(ctx context.Context) error {
			mine, err := jobs.Save(ctx, i)
			if mine {
				t.Error("a worker that was fenced off saved progress")
			}
			return err
		})
		if got, _ := jobs.Get(ctx, i.ID); err != nil || got.State != models.ImportCancelled || got.RowsRead != 0 {
			t.Errorf("%+v (%v)", got, err)
		}
		no := errors.New("no")
		if _, err := jobs.Change(ctx, i.ID, func(i *models.Import) error { i.State = models.ImportDone; return no }); !errors.Is(err, no) {
			t.Errorf("%v", err)
		}
		if got, _ := jobs.Get(ctx, i.ID); got.State != models.ImportCancelled || got.Generation != changed.Generation {
			t.Errorf("a refused change was written: %+v", got)
		}
		if none, err := jobs.Change(ctx, 99, func(*models.Import) error { t.Error("called"); return nil }); none != nil || err != nil {
			t.Errorf("%v %v", none, err)
		}
	})
}

func TestRefusalsComeInFileOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		ctx := context.Background()
		jobs := storetest.Open(t, c).Imports()
		const n = 1203 // more than two pages
		var list []models.ImportRefusal
		for row := n; row > 0; row-- {
			list = append(list, models.ImportRefusal{Row: int64(row), Reason: "r", Cells: []string{"ä", "=1"}})
		}
		for _, part := range [][]models.ImportRefusal{list, {{Row: 5, Reason: "again"}}, {{Kept: "deal_1", Reason: "k"}, {Kept: "deal_2", Reason: "k"}}, {{Kept: "deal_3", Reason: "k"}}} {
			if err := jobs.Refuse(ctx, 1, part); err != nil {
				t.Fatal(err)
			}
		}
		if err := jobs.Refuse(ctx, 2, []models.ImportRefusal{{Row: 1, Reason: "another import's"}}); err != nil {
			t.Fatal(err)
		}
		at := 0
		err := jobs.Refusals(ctx, 1, func(r models.ImportRefusal) error {
			at++
			if at <= n && (r.Row != int64(at) || r.Reason != "r" || r.Cells[0] != "ä") || at > n && r.Kept != fmt.Sprint("deal_", at-n) {
				return fmt.Errorf("place %d: %+v", at, r)
			}
			return nil
		})
		if err != nil || at != n+3 {
			t.Errorf("%d: %v", at, err)
		}
	})
}

func TestTouchedRecordsComeNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		ctx := context.Background()
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		traces := db.Traces()
		object := engine.Registry().Object("account")
		name, sector, parent := object.Field("name"), object.Field("sector"), object.Field("parent")
		do := func(c models.Command) uint64 {
			t.Helper()
			c.Object = "account"
			o, err := engine.Do(ctx, models.System(), c)
			if err != nil {
				t.Fatal(err)
			}
			return o.Record.Number
		}
		long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		var numbers []uint64
		for n := range 5 {
			numbers = append(numbers, do(models.Command{Op: models.Create, Cause: "import:7", HappenedAt: long, Sets: []models.Set{{Field: name, Value: fmt.Sprint("A", n)}}}))
		}
		do(models.Command{Op: models.Create, Cause: "import:70", Sets: []models.Set{{Field: name, Value: "of another import"}, {Field: parent, Value: numbers[3]}}})
		do(models.Command{Op: models.Update, Number: numbers[1], Cause: "screen", Sets: []models.Set{{Field: sector, Value: "x"}}})
		do(models.Command{Op: models.Update, Number: numbers[0], Cause: "import:7", HappenedAt: long.AddDate(0, 1, 0), Sets: []models.Set{{Field: sector, Value: "y"}}})
		if n, err := traces.CountTouched(ctx, "import:7", 0); err != nil || n != 5 {
			t.Errorf("%d touched (%v)", n, err)
		}
		var order []uint64
		before := int64(0)
		for {
			records, next, err := traces.Touched(ctx, "import:7", 0, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				order = append(order, r.Number)
				want := 1
				if r.Number == numbers[0] || r.Number == numbers[1] {
					want = 2
				}
				if len(r.Changes) != want || r.Object != object || r.Sequence == 0 {
					t.Errorf("%d: %d changes, sequence %d", r.Number, len(r.Changes), r.Sequence)
				}
			}
			if before = next; next == 0 {
				break
			}
		}
		if want := []uint64{numbers[0], numbers[4], numbers[3], numbers[2], numbers[1], numbers[0]}; !reflect.DeepEqual(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		found, err := traces.Referrers(ctx, "account", numbers)
		if err != nil || len(found) != 1 || len(found[numbers[3]]) != 1 || found[numbers[3]][0].ID() != fmt.Sprint("account_", numbers[4]+1) {
			t.Errorf("referrers %v (%v)", found, err)
		}
		histories, err := traces.Histories(ctx, "account", []uint64{numbers[0], numbers[2], 999})
		if err != nil || len(histories) != 2 || len(histories[0].Changes)+len(histories[1].Changes) != 3 {
			t.Errorf("histories %v (%v)", histories, err)
		}
	})
}
