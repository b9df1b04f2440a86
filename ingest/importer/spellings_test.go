package importer_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// Spellings that a list knows become one value while the importer runs; those that it does not know are listed with how often they came.
func TestSpellingsOfASourceBecomeOneValue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		approve := func(definition string) {
			t.Helper()
			var raw map[string]json.RawMessage
			if err := json.Unmarshal([]byte(fmt.Sprintf(`{"definition":%q,"reason":"r","example":"e"}`, definition)), &raw); err != nil {
				t.Fatal(err)
			}
			sets, err := w.engine.Patch(w.engine.Registry().Object("field_request"), raw)
			if err != nil {
				t.Fatal(err)
			}
			outcome, err := w.engine.Do(t.Context(), models.System(), models.Command{Op: models.Create, Object: "field_request", Sets: sets})
			if err == nil {
				_, err = w.engine.Approve(t.Context(), models.System(), outcome.Record.Number, 0, "needed")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		approve(`{"object":"account","fields":[{"name":"trade","kind":"picklist","label":"Trade","options":[{"value":"retail","label":"Retail","aliases":["Retail & Wholesale","shops"]}]}]}`)
		const mapping = "records:\n  - object: account\n    key: name\n    fields:\n      name: {from: name}\n      trade: {from: trade}\n"
		const file = "name,trade\nA,retail\nB,RETAIL  &  wholesale\nC,Shops\nD,Railways\nE,Railways\nF,Docks\n"
		i := w.load("trades.csv", file, mapping)
		if i.Created != 3 || i.Refused != 3 {
			t.Errorf("created %d, refused %d", i.Created, i.Refused)
		}
		for _, r := range w.all("account") {
			if r.Get("trade") != "retail" {
				t.Errorf("%s is %v", r.Get("name"), r.Get("trade"))
			}
		}
		if said := fmt.Sprint(i.Notes); said != `[{trade: "Railways" is no option, and refused 2} {trade: "Docks" is no option, and refused 1}]` {
			t.Errorf("the notes say %s", said)
		}
		approve(`{"object":"account","amend":[{"field":"trade","options":[{"value":"transport","label":"Transport","aliases":["railways","docks"]}]}]}`)
		if i := w.load("trades.csv", file+"G,railways\n", mapping); i.Refused != 0 || len(i.Notes) != 0 {
			t.Errorf("taught, it refuses %d: %v", i.Refused, i.Notes)
		}
	})
}
