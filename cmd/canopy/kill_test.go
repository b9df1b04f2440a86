package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
	"canopy/models/require"
	"canopy/warehouse"
)

// TestKilledAtAnyMoment kills the server twenty times while it imports and relays the real set: in the end there are exactly
// its deals, and the same changes in both stores, none twice.
func TestKilledAtAnyMoment(t *testing.T) {
	require.SharedData(t)
	random := rand.New(rand.NewPCG(20, 17)) //nolint:gosec // a test's choices
	s := startServer(t, t.TempDir())
	for _, name := range realSet {
		s.importFile(name)
	}
	busy := 0
	for range 20 {
		pause(context.Background(), time.Duration(random.IntN(400))*time.Millisecond) // the moment of the kill is what is tested
		if status := s.relayStatus(); status.LagChanges > 0 || s.importing() {
			busy++
		}
		s.end(syscall.SIGKILL)
		s.start()
	}
	if busy < 3 {
		t.Errorf("only %d of 20 kills met work", busy)
	}
	t.Logf("%d of 20 kills met work", busy)
	s.settle()
	s.end(syscall.SIGTERM)
	checkBothStores(t, s.data)
}

// TestTheEngineKilledAndAway kills the engine under the running server, and then halts it while records are written: writes
// go on, and the relay catches up.
func TestTheEngineKilledAndAway(t *testing.T) {
	require.SharedData(t)
	random := rand.New(rand.NewPCG(4, 2)) //nolint:gosec // a test's choices
	s := startServer(t, t.TempDir())
	for _, name := range realSet {
		s.importFile(name)
	}
	for range 5 {
		pause(context.Background(), time.Duration(random.IntN(400))*time.Millisecond) // the moment of the kill is what is tested
		for _, pid := range s.children() {
			syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may have gone by itself
		}
		s.waitFor("a new engine", func() bool { return len(s.children()) > 0 && s.status("/readyz") == http.StatusOK })
	}
	s.settle()
	away := s.children()
	for _, pid := range away {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	const writes = 50
	for i := range writes {
		body := map[string]any{"fields": map[string]any{"name": fmt.Sprintf("Written while away %d", i)}}
		if err := s.call(context.Background(), http.MethodPost, "/api/v1/records/account", body, nil); err != nil {
			t.Fatalf("write %d with the engine away: %v", i, err)
		}
	}
	if status := s.relayStatus(); status.LagChanges == 0 {
		t.Errorf("the engine is away, and the relay says that nothing is behind: %+v", status)
	}
	for _, pid := range away {
		syscall.Kill(pid, syscall.SIGCONT) //nolint:errcheck // the server may have replaced it
	}
	s.settle()
	s.end(syscall.SIGTERM)
	checkBothStores(t, s.data)
}

// importing tells whether an import is at work.
func (s *server) importing() bool {
	s.Helper()
	var list struct {
		Items []models.Import `json:"items"`
	}
	s.get("/api/v1/imports", &list)
	return slices.ContainsFunc(list.Items, func(i models.Import) bool { return i.State.Active() })
}

// settle waits until all imports are done and the relay has caught up.
func (s *server) settle() {
	s.Helper()
	s.waitFor("the imports to be done", func() bool {
		var list struct {
			Items []models.Import `json:"items"`
		}
		s.get("/api/v1/imports", &list)
		for _, i := range list.Items {
			if i.State.Active() {
				return false
			}
			if i.State != models.ImportDone || i.Refused != 0 {
				s.Fatalf("import: %+v", i)
			}
		}
		return len(list.Items) == len(realSet)
	})
	s.waitFor("the relay to catch up", func() bool { status := s.relayStatus(); return status.Head > 0 && status.Position == status.Head })
}

// checkBothStores opens what the server has left, counts the deals and audits the warehouse against the log.
func checkBothStores(t *testing.T, data string) {
	t.Helper()
	ctx := context.Background()
	c := testConfig(data)
	quiet := &streams{out: discard{}, err: discard{}}
	err := withRecords(ctx, &c, quiet, func(ctx context.Context, p *parts) error {
		for status, want := range map[string]int{"": 8800, "won": 4238, "lost": 2473, "open": 2089} {
			if n := countDeals(t, p, status); n != want {
				t.Errorf("%d deals of status %q, want %d", n, status, want)
			}
		}
		e, err := p.startEngine(ctx)
		if err != nil {
			return err
		}
		w, err := warehouse.Open(ctx, c.warehouseConfig(e, p.log))
		if err != nil {
			return errors.Join(err, e.Close())
		}
		r, err := newRelay(p, w, nil)
		if err != nil {
			return errors.Join(err, e.Close())
		}
		differences, err := r.Audit(ctx)
		for _, d := range differences {
			t.Errorf("the stores differ: %+v", d)
		}
		return errors.Join(err, w.Close(), e.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func countDeals(t *testing.T, p *parts, status string) int {
	t.Helper()
	where := dealsOf(p, status)
	page, err := p.records.List(context.Background(), models.System(), crm.Query{Object: "deal", Limit: 1, Where: where})
	if err != nil {
		t.Fatal(err)
	}
	return page.Count
}

// dealsOf is the filter for deals of a status; nil for all.
func dealsOf(p *parts, status string) *predicate.Node {
	if status == "" {
		return nil
	}
	return predicate.Compare(p.records.Registry().Object("deal").Field("status"), predicate.Eq, status)
}

// testConfig is the default configuration on a data directory.
func testConfig(data string) Config {
	return Config{
		Data: data, Listen: "127.0.0.1:0", Workspace: "Test", Zone: "UTC", WeekStart: "monday", FiscalFrom: 1, Currency: "USD", Locale: "en-US",
		ClickHouseUser: "default", ClickHouseDatabase: "canopy", EngineMemory: 2048, UploadLimit: 2048, CountPatience: time.Minute, LogLevel: "warn",
	}
}
