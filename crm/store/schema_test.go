package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/postgrestest"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func adopt(t *testing.T, db *store.DB, text string) (*models.Registry, error) {
	t.Helper()
	d, err := models.ParseDefinition(text)
	if err != nil {
		t.Fatal(err)
	}
	var grown *models.Registry
	err = db.Run(t.Context(), crm.Interactive, func(ctx context.Context) error {
		grown, err = db.Adopt(ctx, d, 0, func(*models.Registry) error { return nil })
		return err
	})
	return grown, err
}

func create(t *testing.T, engine *crm.Engine, object, fields string) *models.Record {
	t.Helper()
	return write(t, engine, models.Command{Op: models.Create, Object: object}, fields)
}

func write(t *testing.T, engine *crm.Engine, c models.Command, fields string) *models.Record {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(fields), &raw); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.Sets, err = engine.Patch(engine.Registry().Object(c.Object), raw); err != nil {
		t.Fatal(err)
	}
	outcome, err := engine.Do(t.Context(), models.System(), c)
	if err != nil {
		t.Fatal(err)
	}
	return outcome.Record
}

const (
	budgetField   = `{"object":"account","fields":[{"name":"paper_budget","kind":"money","label":"Paper budget","indexed":true}]}`
	machineObject = `{"object":"machine","new_object":{"name":"machine","label":"Machine","plural":"Machines","title":"name","fields":[
		{"name":"name","kind":"text","label":"Name","required":true},
		{"name":"serial","kind":"text","label":"Serial number","unique":true},
		{"name":"account","kind":"reference","to":"account","label":"Account"},
		{"name":"owner","kind":"reference","to":"user","label":"Owner"}]}}`
)

func TestTheRegistryGrowsWhileTheStoreIsOpen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		old := create(t, engine, "account", `{"name":"Acme"}`)
		if _, err := adopt(t, db, budgetField); err != nil {
			t.Fatal(err)
		}
		if _, err := adopt(t, db, machineObject); err != nil {
			t.Fatal(err)
		}
		if engine.Registry().Version() != 2 {
			t.Fatalf("version is %d", engine.Registry().Version())
		}
		rich := create(t, engine, "account", `{"name":"Byte","paper_budget":{"amount":"12.50","currency":"USD"}}`)
		write(t, engine, models.Command{Op: models.Update, Object: "account", Number: old.Number}, `{"name":"Acme Ltd"}`)
		create(t, engine, "machine", fmt.Sprintf(`{"name":"Press","serial":"A1","account":%q}`, rich.ID()))
		page, err := engine.List(t.Context(), models.System(), crm.Query{Object: "account", Sort: "-paper_budget"})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Records) != 2 || page.Records[0].Get("paper_budget") != (models.Money{Minor: 1250, Currency: "USD"}) || page.Records[1].Get("paper_budget") != nil {
			t.Fatalf("listed %v", page.Records)
		}
		history, err := db.History(t.Context(), "account", old.Number)
		if err != nil || len(history) != 2 || len(history[0].Image) != len(engine.Registry().Object("account").Fields) {
			t.Fatalf("history %v, %v", history, err)
		}
		again := storetest.Open(t, c) // another process, or the next start
		if again.Registry().Version() != 2 || again.Registry().Object("machine") == nil || !again.Registry().Object("account").Field("paper_budget").Custom {
			t.Error("the changes are not kept")
		}
	})
}

func TestAFailedApprovalLeavesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		d, err := models.ParseDefinition(machineObject)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Run(t.Context(), crm.Interactive, func(ctx context.Context) error {
			if _, err := db.Adopt(ctx, d, 0, func(*models.Registry) error { return nil }); err != nil {
				return err
			}
			return models.Errorf(models.Invalid, "thought better of it")
		})
		if models.CodeOf(err) != models.Invalid || db.Registry().Object("machine") != nil {
			t.Fatalf("%v", err)
		}
		if _, err := adopt(t, db, machineObject); err != nil { // its table was not left behind
			t.Fatal(err)
		}
		for _, taken := range []string{"changes", "registry_changes"} {
			_, err := adopt(t, db, strings.ReplaceAll(machineObject, `"machine"`, `"`+taken+`"`))
			if models.CodeOf(err) != models.Invalid {
				t.Errorf("an object called %s: %v", taken, err)
			}
		}
	})
}

// Two processes over one PostgreSQL: the one that has not heard of a field never writes it away.
func TestAnotherProcessNeverLosesANewField(t *testing.T) {
	t.Parallel()
	c := store.Config{DSN: postgrestest.Database(t)}
	here, there := storetest.Open(t, c), storetest.Open(t, c)
	engine, deaf := storetest.Engine(t, here, nil), storetest.Engine(t, there, nil)
	account := create(t, engine, "account", `{"name":"Acme"}`)
	if _, err := adopt(t, here, budgetField); err != nil {
		t.Fatal(err)
	}
	write(t, engine, models.Command{Op: models.Update, Object: "account", Number: account.Number}, `{"paper_budget":{"amount":"7","currency":"USD"}}`)
	if there.Registry().Version() != 0 {
		t.Fatal("the other process knows already; the test proves nothing")
	}
	write(t, deaf, models.Command{Op: models.Update, Object: "account", Number: account.Number}, `{"name":"Acme Ltd"}`)
	if there.Registry().Version() != 1 {
		t.Error("writing did not bring the registry up")
	}
	history, err := here.History(t.Context(), "account", account.Number)
	if err != nil {
		t.Fatal(err)
	}
	field := here.Registry().Object("account").Field("paper_budget")
	if last := history[len(history)-1]; last.Image[field.Index()] != (models.Money{Minor: 700, Currency: "USD"}) {
		t.Errorf("the image lost the field: %v", last.Image)
	}
}

// A later Canopy has a field of the name of a custom one: it does not start, says what to do, and starts with the values after that.
func TestACustomNameThatCanopyTakesIsRefusedUntilItIsAdopted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		if _, err := adopt(t, db, budgetField); err != nil {
			t.Fatal(err)
		}
		account := create(t, engine, "account", `{"name":"Acme","paper_budget":{"amount":"7","currency":"USD"}}`)
		later := func(kind models.Kind) *models.Registry {
			standard, err := models.Standard()
			if err != nil {
				t.Fatal(err)
			}
			o := standard.Object("account")
			o.Fields = append(o.Fields, &models.Field{Name: "paper_budget", Kind: kind, Label: "Paper"})
			registry, err := models.NewRegistry(standard.Objects())
			if err != nil {
				t.Fatal(err)
			}
			return registry
		}
		_, err := store.Open(t.Context(), c, later(models.MoneyKind))
		var said *models.Error
		if !errors.As(err, &said) || said.Code != models.Precondition || !strings.Contains(said.Remedy, "canopy adopt account.paper_budget") {
			t.Fatalf("it starts: %v", err)
		}
		if err := store.Yield(t.Context(), c, later(models.Text), "account.paper_budget"); models.CodeOf(err) != models.Invalid {
			t.Errorf("another kind takes it over: %v", err)
		}
		if err := store.Yield(t.Context(), c, later(models.MoneyKind), "account.size"); models.CodeOf(err) != models.NotFound {
			t.Errorf("what is not there is taken over: %v", err)
		}
		if err := store.Yield(t.Context(), c, later(models.MoneyKind), "account.paper_budget"); err != nil {
			t.Fatal(err)
		}
		again, err := store.Open(t.Context(), c, later(models.MoneyKind))
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close() //nolint:errcheck // the test is over
		found, err := again.Load(t.Context(), "account", []uint64{account.Number}, false)
		if err != nil || found[account.Number].Get("paper_budget") != (models.Money{Minor: 700, Currency: "USD"}) || again.Registry().Object("account").Field("paper_budget").Custom {
			t.Errorf("the values are lost: %v", err)
		}
	})
}
