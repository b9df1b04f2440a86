package importer_test

import (
	"context"
	"strings"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/ingest/importer"
	"canopy/models"
)

const gatedMapping = `
ensure:
  - object: pipeline
    key: name
    records: [{name: Strict}]
  - object: stage
    key: key
    records:
      - {key: Strict/Open, name: Open, pipeline: Strict, rank: "1", status: open}
      - {key: Strict/Won, name: Won, pipeline: Strict, rank: "2", status: won, entry_criteria: '{"field":"amount","op":"not_empty"}'}
records:
  - object: deal
    key: external_id
    fields:
      external_id: {from: id}
      name: {from: id}
      pipeline: {value: Strict, lookup: {by: name}}
      stage: {from: stage, lookup: {by: key}}
      amount: {from: amount}
`

const gatedFile = "id,stage,amount\nA,Strict/Won,500\nB,Strict/Won,\nC,Strict/Open,\n"

// TestImportMeetsTheStages is the import as a path past what a stage asks for: refused by the row, and passed over and kept where an administrator
// says that the file is historical.
func TestImportMeetsTheStages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		i := w.load("deals.csv", gatedFile, gatedMapping)
		if i.Created != 2 || i.Refused != 1 {
			t.Errorf("created %d, refused %d", i.Created, i.Refused)
		}
		if refused := w.refused(i.ID); !strings.Contains(refused, "amount: Amount is filled") || !strings.Contains(refused, "\n3,") {
			t.Errorf("refused: %s", refused)
		}
		editor := models.Reader{User: 1, Role: models.Editor, Scope: models.ScopeAll}
		_, err := w.service.Start(context.Background(), editor, importer.File{Name: "deals.csv", Body: strings.NewReader(gatedFile)}, "historical: true\n"+gatedMapping, false)
		if models.CodeOf(err) != models.Forbidden {
			t.Errorf("an editor's historical import: %v", err)
		}
		i = w.load("deals.csv", gatedFile, "historical: true\n"+gatedMapping)
		if i.Refused != 0 {
			t.Errorf("historical: %s", w.refused(i.ID))
		}
		kept := w.one("stage_override", "deal", w.one("deal", "external_id", "B").Number)
		if reason, _ := kept.Get("reason").(string); !strings.HasPrefix(reason, "Historical import ") || kept.Get("unmet") != "Amount is filled" {
			t.Errorf("kept: %v", kept.Values)
		}
		// The undo takes the deal and what it was let past back together.
		if _, err := w.service.Undo(context.Background(), models.System(), i.ID); err != nil {
			t.Fatal(err)
		}
		if undone := w.wait(i.ID); undone.Conflicts != 0 {
			t.Errorf("the undo kept %d: %s", undone.Conflicts, w.refused(i.ID))
		}
		if len(w.all("stage_override")) != 0 || len(w.all("deal")) != 2 {
			t.Errorf("%d overrides and %d deals are left", len(w.all("stage_override")), len(w.all("deal")))
		}
	})
}
