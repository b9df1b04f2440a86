package importer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
	"canopy/models/require"
)

// The whole of the real set, against the reference numbers that were made from the same files by another program.
func TestRealSet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		require.SharedData(t)
		w := newWorkplace(t, c)
		w.start()
		imports := w.loadRealSet()
		for n, want := range []struct{ created, rows int64 }{{85, 85}, {7, 7}, {47, 35}, {8800, 8800}} {
			if i := imports[n]; i.Created != want.created || i.RowsRead != want.rows || i.Refused != 0 || i.Updated != 0 || i.Unchanged != 0 || i.State != models.ImportDone {
				t.Errorf("%s: %+v\n%s", i.FileName, i, w.refused(i.ID))
			}
		}
		notes := map[string]int64{}
		for _, n := range imports[3].Notes {
			notes[n.Text] = n.Count
		}
		if notes["deals without an account"] != 1425 || notes["records whose source knows no instant: they happened when they were imported"] != 500 || len(notes) != 2 {
			t.Errorf("notes: %v", notes)
		}
		s := w.summary()
		s.check(t)
		t.Run("as of the middle of 2017", func(t *testing.T) { w.checkAsOf(t) })
		t.Run("imported again", func(t *testing.T) { w.checkAgain(t) })
	})
}

// group is one line of a by_*.csv file.
type group struct {
	closed, won int
	revenue     int64 // whole US dollars
}

type summary struct {
	stages  map[string]int
	by      map[string]map[string]group // file → value → numbers
	parents int
	agents  map[string]bool
}

// summary counts the records as the reference files do.
func (w *workplace) summary() summary {
	w.t.Helper()
	s := summary{stages: map[string]int{}, by: map[string]map[string]group{}, agents: map[string]bool{}}
	text := func(r *models.Record, field string) string { v, _ := r.Get(field).(string); return v }
	index := func(object string) map[uint64]*models.Record {
		m := map[uint64]*models.Record{}
		for _, r := range w.all(object) {
			m[r.Number] = r
		}
		return m
	}
	stages, accounts, products, users, teams := index("stage"), index("account"), index("product"), index("user"), index("team")
	for _, a := range accounts {
		if a.Get("parent") != nil {
			s.parents++
		}
	}
	for _, u := range users {
		if team := teams[u.Get("team").(uint64)]; text(team, "name") != text(u, "name") {
			s.agents[text(u, "name")] = true
		}
	}
	number := func(r *models.Record, field string) uint64 { n, _ := r.Get(field).(uint64); return n }
	for _, d := range w.all("deal") {
		s.stages[text(stages[number(d, "stage")], "name")]++
		status := text(d, "status")
		if status == "open" {
			if d.Get("closed_at") != nil {
				w.t.Fatalf("%s is open and closed", d.ID())
			}
			continue
		}
		closed := d.Get("closed_at").(time.Time)
		groups := map[string]string{
			"by_close_month":     closed.Format("2006-01"),
			"by_manager":         text(teams[number(d, "team")], "name"),
			"by_regional_office": text(d, "territory"),
			"by_product":         text(products[number(d, "product")], "name"),
			"by_sales_agent":     text(users[number(d, "owner")], "name"),
		}
		if a := accounts[number(d, "account")]; a != nil {
			groups["by_sector"] = text(a, "sector")
		}
		for file, key := range groups {
			if s.by[file] == nil {
				s.by[file] = map[string]group{}
			}
			g := s.by[file][key]
			g.closed++
			if status == "won" {
				amount := d.Get("amount").(models.Money)
				g.won++
				g.revenue += amount.Minor / 100
			}
			s.by[file][key] = g
		}
	}
	return s
}

func (s summary) check(t *testing.T) {
	t.Helper()
	if got := fmt.Sprint(s.stages); got != "map[Engaging:1589 Lost:2473 Prospecting:500 Won:4238]" {
		t.Errorf("stages: %s", got)
	}
	if s.parents != 15 || len(s.agents) != 35 {
		t.Errorf("%d accounts with a parent, %d agents", s.parents, len(s.agents))
	}
	var total int64
	for _, g := range s.by["by_product"] {
		total += g.revenue
	}
	if total != 10_005_534 {
		t.Errorf("won value %d", total)
	}
	for _, file := range []string{"by_close_month", "by_manager", "by_regional_office", "by_product", "by_sales_agent", "by_sector"} {
		want := referenceGroups(t, file)
		if len(want) != len(s.by[file]) {
			t.Errorf("%s: %d groups, want %d", file, len(s.by[file]), len(want))
		}
		for key, g := range want {
			if s.by[file][key] != g {
				t.Errorf("%s, %s: %+v, want %+v", file, key, s.by[file][key], g)
			}
		}
	}
}

// referenceGroups reads a by_*.csv file; its columns are found by name.
func referenceGroups(t *testing.T, file string) map[string]group {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(require.SharedData(t), setDirectory, file+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]int{}
	for i, name := range rows[0] {
		places[name] = i
	}
	groups := map[string]group{}
	for _, row := range rows[1:] {
		number := func(name string) int64 {
			v, err := strconv.ParseFloat(row[places[name]], 64)
			if err != nil {
				t.Fatal(err)
			}
			return int64(v)
		}
		key := row[0]
		if key == "technolgy" { // the reference keeps the file's spelling
			key = "technology"
		}
		groups[key] = group{int(number("closed")), int(number("won")), number("revenue")}
	}
	return groups
}

// histories reads the log of all records of an object.
func (w *workplace) histories(object string) []models.TouchedRecord {
	w.t.Helper()
	var numbers []uint64
	for n := uint64(1); n <= 20_000; n++ {
		numbers = append(numbers, n)
	}
	histories, err := w.db.Imports().Histories(context.Background(), object, numbers)
	if err != nil {
		w.t.Fatal(err)
	}
	return histories
}

// asOf folds a log up to an instant: number → the change whose image stands; deleted records are left out.
func asOf(histories []models.TouchedRecord, before time.Time) map[uint64]models.Change {
	states := map[uint64]models.Change{}
	for _, h := range histories {
		for _, c := range h.Changes { // in the order of the log: a later one of the same instant stands
			if now, ok := states[h.Number]; c.HappenedAt.Before(before) && (!ok || !c.HappenedAt.Before(now.HappenedAt)) {
				states[h.Number] = c
			}
		}
	}
	for n, c := range states {
		if c.Deleted {
			delete(states, n)
		}
	}
	return states
}

func (w *workplace) checkAsOf(t *testing.T) {
	object := w.engine.Registry().Object("deal")
	status, list := object.Field("status").Index(), object.Field("list_value").Index()
	open, value := 0, int64(0)
	for _, c := range asOf(w.histories("deal"), time.Date(2017, 7, 1, 0, 0, 0, 0, time.UTC)) {
		if c.Image[status] == "open" {
			open++
			value += c.Image[list].(models.Money).Minor / 100
		}
	}
	if open != 1686 || value != 4_216_807 {
		t.Errorf("%d open deals with list value %d, want 1686 with 4216807", open, value)
	}
}

// checkAgain imports the same files once more: nothing is written.
func (w *workplace) checkAgain(t *testing.T) {
	before, err := w.db.Traces().CountTouched(context.Background(), "import:4", 0)
	if err != nil {
		t.Fatal(err)
	}
	if before != 8805 { // deals, the pipeline and its four stages
		t.Errorf("the deals' import wrote %d records", before)
	}
	for n, i := range w.loadRealSet() {
		want := []int64{85, 7, 47, 8800}[n]
		if i.Created != 0 || i.Updated != 0 || i.Refused != 0 || i.Unchanged != want {
			t.Errorf("%s again: %d created, %d updated, %d unchanged, %d refused\n%s", i.FileName, i.Created, i.Updated, i.Unchanged, i.Refused, strings.Join(strings.SplitN(w.refused(i.ID), "\n", 5), "\n"))
		}
		if touched, err := w.db.Traces().CountTouched(context.Background(), i.Cause(), 0); err != nil || touched != 0 {
			t.Errorf("%s again: wrote %d records (%v)", i.FileName, touched, err)
		}
	}
}
