package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

// A field and an object that are approved while the relay runs arrive in ClickHouse with their first records. On PostgreSQL the relay
// is another process's, which nobody has told.
func TestApprovedFieldsArriveWithoutARestart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		feed := db
		if db.IsPostgres() {
			feed = storetest.Open(t, c)
		}
		e := enginetest.Start(t)
		w, err := warehouse.Open(t.Context(), warehouse.Config{Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: enginetest.Database(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		r, err := New(Config{Feed: feed, State: feed.Relay(), Warehouse: w, Registry: feed.Registry, Refresh: feed.Refresh, Linger: -1, BackoffMax: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		defer func() {
			stop()
			<-ended //nolint:errcheck // it ends because it was stopped
		}()
		sequencer := db.NewSequencer(store.SequencerOptions{})
		arrive := func() {
			t.Helper()
			if db.IsPostgres() {
				if _, err := sequencer.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			head, err := db.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			waited, done := context.WithTimeout(t.Context(), patience)
			defer done()
			if err := r.WaitFor(waited, head); err != nil {
				t.Fatal(err)
			}
		}
		create := func(object, fields string) uint64 {
			t.Helper()
			var raw map[string]json.RawMessage
			if err := json.Unmarshal([]byte(fields), &raw); err != nil {
				t.Fatal(err)
			}
			sets, err := engine.Patch(engine.Registry().Object(object), raw)
			if err != nil {
				t.Fatal(err)
			}
			outcome, err := engine.Do(t.Context(), models.System(), models.Command{Op: models.Create, Object: object, Sets: sets})
			if err != nil {
				t.Fatal(err)
			}
			return outcome.Record.Number
		}
		create("account", `{"name":"Early"}`)
		arrive()
		for _, definition := range []string{
			`{"object":"account","fields":[{"name":"paper_budget","kind":"money","label":"Paper budget"}]}`,
			`{"object":"machine","new_object":{"name":"machine","label":"Machine","title":"name","fields":[{"name":"name","kind":"text","label":"Name"}]}}`,
		} {
			request := create("field_request", fmt.Sprintf(`{"definition":%q,"reason":"r","example":"e"}`, definition))
			if _, err := engine.Approve(t.Context(), models.System(), request, 0, "needed"); err != nil {
				t.Fatal(err)
			}
		}
		create("account", `{"name":"Late","paper_budget":{"amount":"12.50","currency":"USD"}}`)
		create("machine", `{"name":"Press"}`)
		arrive()
		found, err := warehouse.Rows[struct {
			Name  string `ch:"name"`
			Worth string `ch:"worth"`
		}](t.Context(), w, warehouse.Query{Name: "read back", SQL: `select name, worth from (select assumeNotNull(name) as name, concat(ifNull(toString(paper_budget), '-'), ifNull(paper_budget_currency, '')) as worth from staging_account_now
union all select assumeNotNull(name) as name, 'machine' as worth from staging_machine_now) order by name`})
		if err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprint(found); said != "[{Early -} {Late 12.5USD} {Press machine}]" {
			t.Errorf("the warehouse holds %s", said)
		}
	})
}
