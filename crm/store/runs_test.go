package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// The run store on both databases.
func TestRuns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		runs := storetest.Open(t, c).Runs()
		ctx := t.Context()
		at := time.Date(2017, 7, 5, 12, 0, 0, 0, time.UTC)
		week := models.NewDate(2017, 6, 26)
		first := models.Run{Room: "kpi", Definition: "v1", Params: []byte(`{"zone":"UTC"}`), Position: 9, Cause: models.CauseLate, Status: models.RunWaiting,
			Weeks: []models.Date{week, week.AddDays(7)}, Tracks: true, By: 3, CreatedAt: at}
		if err := runs.Add(ctx, &first); err != nil || first.ID == 0 {
			t.Fatal(first.ID, err)
		}
		second := first
		if err := runs.Add(ctx, &second); models.CodeOf(err) != models.Conflict {
			t.Errorf("two runs bring one room up to date: %v", err)
		}
		second.Tracks, second.Cause = false, models.CauseBackfill
		if err := runs.Add(ctx, &second); err != nil || second.ID <= first.ID {
			t.Fatal(second.ID, err)
		}
		got, err := runs.Get(ctx, first.ID)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(first) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, first)
		}
		if _, err := runs.Get(ctx, 77); models.CodeOf(err) != models.NotFound {
			t.Errorf("a run that is not there: %v", err)
		}

		claimed, err := runs.Claim(ctx, "a", at, at.Add(time.Minute))
		if err != nil || claimed == nil || claimed.ID != first.ID || claimed.Status != models.RunRunning || !claimed.StartedAt.Equal(at) {
			t.Fatalf("claimed %+v, %v", claimed, err)
		}
		if other, err := runs.Claim(ctx, "b", at, at.Add(time.Minute)); err != nil || other != nil {
			t.Errorf("two runs of one room at once: %+v, %v", other, err)
		}
		result := models.RunResult{Room: "kpi", Subject: "tree/region", Definition: "v1", Week: week, Position: 9, Hash: "h1", Body: []byte("[1]")}
		claimed.Done = 1
		if mine, err := runs.Save(ctx, "b", claimed, at, []models.RunResult{result}, nil); mine || err != nil {
			t.Errorf("a stranger wrote: %t, %v", mine, err)
		}
		if mine, err := runs.Save(ctx, "a", claimed, at.Add(time.Minute), []models.RunResult{result}, nil); !mine || err != nil {
			t.Fatalf("saved %t, %v", mine, err)
		}
		if stored, err := runs.StoredWeeks(ctx, first.ID); err != nil || fmt.Sprint(stored) != "[2017-06-26]" {
			t.Errorf("stored weeks: %v, %v", stored, err)
		}

		late := at.Add(2 * time.Minute)
		taken, err := runs.Claim(ctx, "b", late, late.Add(time.Minute))
		if err != nil || taken == nil || taken.ID != first.ID || taken.Done != 1 || !taken.StartedAt.Equal(at) {
			t.Fatalf("a lease that ran out: %+v, %v", taken, err)
		}
		if mine, err := runs.Save(ctx, "a", claimed, at, nil, nil); mine || err != nil {
			t.Errorf("the old worker wrote: %t, %v", mine, err)
		}
		taken.Status, taken.Done, taken.FinishedAt, taken.OutputHash = models.RunDone, 2, late, "all"
		empty := result
		empty.Week, empty.Hash, empty.Body, empty.Empty = week.AddDays(-7), "h0", []byte("[]"), true
		result.Body, result.Hash = []byte("[2]"), "h2"
		state := models.RoomState{Room: "kpi", Definition: "v1", Position: 9, Watermark: at}
		if mine, err := runs.Save(ctx, "b", taken, time.Time{}, []models.RunResult{result, empty}, &state); !mine || err != nil {
			t.Fatalf("saved %t, %v", mine, err)
		}
		results, err := runs.Results(ctx, "kpi", "", "v1", week.AddDays(-70), week.AddDays(7))
		if err != nil || len(results) != 2 || !results[0].Empty || string(results[1].Body) != "[2]" || results[1].RunID != first.ID || results[1].Week != week {
			t.Errorf("results: %+v, %v", results, err)
		}
		if results, err = runs.Results(ctx, "kpi", "tree/source", "v1", 0, week.AddDays(7)); err != nil || len(results) != 0 {
			t.Errorf("another subject: %+v, %v", results, err)
		}
		if from, err := runs.FirstWeek(ctx, "kpi", "tree/region", "v1"); err != nil || from == nil || *from != week {
			t.Errorf("first week: %v, %v", from, err)
		}
		if from, err := runs.FirstWeek(ctx, "kpi", "tree/region", "v2"); err != nil || from != nil {
			t.Errorf("first week of nothing: %v, %v", from, err)
		}
		if got, err := runs.State(ctx, "kpi"); err != nil || got != state {
			t.Errorf("state: %+v, %v", got, err)
		}
		if got, err := runs.State(ctx, "funnel"); err != nil || got != (models.RoomState{Room: "funnel"}) {
			t.Errorf("no state: %+v, %v", got, err)
		}
		if err := runs.Move(ctx, models.RoomState{Room: "kpi", Definition: "v1", Position: 5, Watermark: at}); err != nil {
			t.Fatal(err)
		}
		if got, err := runs.State(ctx, "kpi"); err != nil || got.Position != 9 {
			t.Errorf("the state went back: %+v, %v", got, err)
		}

		if cancelled, err := runs.Cancel(ctx, second.ID, late); err != nil || cancelled.Status != models.RunCancelled || !cancelled.FinishedAt.Equal(late) {
			t.Errorf("cancelled: %+v, %v", cancelled, err)
		}
		if _, err := runs.Cancel(ctx, first.ID, late); models.CodeOf(err) != models.Conflict {
			t.Errorf("cancelled what is done: %v", err)
		}
		list, err := runs.List(ctx, models.RunFilter{Room: "kpi", Limit: 1})
		if err != nil || len(list) != 1 || list[0].ID != second.ID {
			t.Errorf("list: %+v, %v", list, err)
		}
		if list, err = runs.List(ctx, models.RunFilter{Status: models.RunDone, Before: second.ID}); err != nil || len(list) != 1 || list[0].OutputHash != "all" || list[0].Done != 2 {
			t.Errorf("list: %+v, %v", list, err)
		}

		// A new definition begins: what was stored under the old one is dropped.
		if err := runs.Move(ctx, models.RoomState{Room: "kpi", Definition: "v2", Position: 1, Watermark: at}); err != nil {
			t.Fatal(err)
		}
		if results, err = runs.Results(ctx, "kpi", "", "v1", 0, week.AddDays(70)); err != nil || len(results) != 0 {
			t.Errorf("results of the old definition: %+v, %v", results, err)
		}
	})
}

// Ten workers at once get ten runs of ten rooms, each once; released ones are there again.
func TestRunsAreClaimedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		runs := storetest.Open(t, c).Runs()
		ctx := t.Context()
		at := time.Date(2017, 7, 5, 12, 0, 0, 0, time.UTC)
		for i := range 10 {
			run := models.Run{Room: fmt.Sprintf("room%d", i), Cause: models.CauseSchedule, Status: models.RunWaiting, CreatedAt: at}
			if err := runs.Add(ctx, &run); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		var group sync.WaitGroup
		claimed := map[int64]int{}
		for i := range 15 {
			group.Go(func() {
				run, err := runs.Claim(ctx, fmt.Sprintf("worker%d", i), at, at.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if run != nil {
					mu.Lock()
					claimed[run.ID]++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if len(claimed) != 10 {
			t.Errorf("%d runs were claimed", len(claimed))
		}
		for id, n := range claimed {
			if n != 1 {
				t.Errorf("run %d was claimed %d times", id, n)
			}
		}
		if err := runs.Release(ctx, ""); err != nil {
			t.Fatal(err)
		}
		if run, err := runs.Claim(ctx, "later", at, at.Add(time.Minute)); err != nil || run == nil {
			t.Errorf("a released run: %+v, %v", run, err)
		}
	})
}

// The last change of an object is found by its position in the log.
func TestLastChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		ctx := t.Context()
		if position, err := db.Runs().LastChange(ctx, "user", "team"); err != nil || position != 0 {
			t.Errorf("an empty log: %d, %v", position, err)
		}
		if db.IsPostgres() {
			return // positions come from the sequencer, which has tests of its own
		}
		for _, object := range []string{"team", "user", "account"} {
			o := db.Registry().Object(object)
			err := db.Run(ctx, 0, func(ctx context.Context) error {
				_, err := db.Append(ctx, &models.Change{Object: o, Number: 1, Version: 1, Kind: models.Created, Image: make([]models.Value, len(o.Fields))})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for want, objects := range map[uint64][]string{1: {"team"}, 2: {"team", "user"}, 3: {"account"}, 0: {"deal"}} {
			if position, err := db.Runs().LastChange(ctx, objects...); err != nil || position != want {
				t.Errorf("%v: %d, %v, want %d", objects, position, err, want)
			}
		}
	})
}
