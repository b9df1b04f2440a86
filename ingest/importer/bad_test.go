package importer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/ingest/importer"
	"canopy/models"
)

const bottles = `
dates: DD/MM/YYYY
ensure:
  - {object: pipeline, key: name, records: [{name: P}]}
  - object: stage
    key: key
    records:
      - {key: P/Open, name: Open, pipeline: P, rank: "1", status: open}
      - {key: P/Won, name: Won, pipeline: P, rank: "2", status: won}
records:
  - object: deal
    key: external_id
    fields:
      external_id: {from: id}
      name: {from: name}
      account: {from: account, lookup: {by: name, missing: create, with: {sector: glass}}}
      pipeline: {value: P, lookup: {by: name}}
      amount: {from: amount}
    history:
      - {at: opened, fields: {stage: {value: P/Open, lookup: {by: key}}}}
      - {at: won, when: {column: won, empty: false}, fields: {stage: {value: P/Won, lookup: {by: key}}}}
notes:
  - {text: large ones, when: {column: size, is: large}}
`

const bottlesHeader = "id,name,account,amount,opened,won,size\n"

// What is wrong with single rows refuses them, by name and with a remedy; everything else is written.
func TestWrongRowsAreRefusedAndTheRestIsWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		rows := []string{
			"1,Fine,Acme,12.50,03/04/2017,05/04/2017,large",
			"2,No such day,Acme,1,31/02/2017,,",
			"3,=cmd|' /C calc'!A0,Acme,a lot,03/04/2017,,",
			"1,Twice,Acme,1,03/04/2017,,",
			"4,Short",
			"5,Backwards,Acme,1,03/04/2017,01/04/2017,",
			"6,Tomorrow,Acme,1,03/04/2117,,",
			"7,Nul\x00l,Acme,1,03/04/2017,,",
			"8,K\xf6ln,Acme,1,03/04/2017,,",
			",No key,Acme,1,03/04/2017,,",
			"9,\"" + strings.Repeat("x", 3<<20) + "\",Acme,1,03/04/2017,,",
			"10,,Acme,1,03/04/2017,,",
			"11,Unknown instant,Bolt & Söhne " + strings.Repeat("ä", 300) + ",1,,,",
			"12,Last,Bolt & Söhne,-7,03/04/2017,,large",
		}
		i := w.load("Flaschen.csv", bottlesHeader+strings.Join(rows, "\n"), bottles)
		if i.State != models.ImportDone || i.RowsRead != 14 || i.Created != 3 || i.Refused != 11 || i.BytesRead != i.BytesTotal || *i.RowsTotal != 14 {
			t.Errorf("%+v", i)
		}
		notes := map[string]int64{}
		for _, n := range i.Notes {
			notes[n.Text] = n.Count
		}
		if notes["large ones"] != 2 || notes["Accounts made because rows name them"] != 3 || notes["records whose source knows no instant: they happened when they were imported"] != 1 {
			t.Errorf("notes %v", notes)
		}
		text := w.refused(i.ID)
		lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err == nil || len(lines) == 0 { // rows that could not be read have one cell: lines differ in length on purpose
			r := csv.NewReader(strings.NewReader(text))
			r.FieldsPerRecord = -1
			if lines, err = r.ReadAll(); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Join(lines[0], ",")+"\n" != "refused_row,refused_field,refused_reason,refused_remedy,"+bottlesHeader {
			t.Errorf("header %q", lines[0])
		}
		want := [][3]string{
			{"3", "opened", `"31/02/2017" is not a date`}, {"4", "amount", `"a lot" is not a number`}, {"5", "id", `"1" stands in row 2 already`},
			{"6", "", "the row has 2 cells"}, {"7", "won", "lies before"}, {"8", "happened_at", "lies in the future"}, {"9", "", "NUL"},
			{"10", "name", "not utf-8 text"}, {"11", "id", "the key is empty"}, {"12", "", "too large"}, {"13", "name", "Name is required"},
		}
		if len(lines) != len(want)+1 {
			t.Fatalf("%d refused rows\n%s", len(lines)-1, text[:2000])
		}
		for n, line := range lines[1:] {
			if line[0] != want[n][0] || want[n][1] != "" && line[1] != want[n][1] || !strings.Contains(line[2], want[n][2]) || line[3] == "" {
				t.Errorf("%.200q, want %q", line[:4], want[n])
			}
		}
		if lines[2][5] != "'=cmd|' /C calc'!A0" {
			t.Errorf("a formula goes out armed: %q", lines[2][5])
		}
		if len(w.all("deal")) != 3 || len(w.all("account")) != 3 || w.one("account", "name", "Acme").Get("sector") != "glass" {
			t.Error("the store holds something else")
		}
	})
}

// A row whose later step is refused leaves nothing of its earlier ones.
func TestARowIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		i := w.load("x.csv", bottlesHeader+"1,A,Acme,1,03/04/2017,03/04/2117,\n2,B,Bolt,1,03/04/2017,04/04/2017,\n", bottles)
		if i.Created != 1 || i.Refused != 1 || len(w.all("deal")) != 1 || len(w.all("account")) != 1 {
			t.Errorf("%+v: %d deals, %d accounts\n%s", i, len(w.all("deal")), len(w.all("account")), w.refused(i.ID))
		}
	})
}

// What is wrong with a file as a whole is said before anything is kept.
func TestWrongFilesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	for name, c := range map[string]struct{ text, mapping, field, message string }{
		"empty":                {"", bottles, "file", "the file is empty"},
		"no header":            {"\n\n", bottles, "file", "empty"},
		"missing column":       {"id,name,acount,amount,opened,won,size\n", bottles, "records[1].fields.account.from", `no column "account"; did you mean "acount"?`},
		"wrong encoding, said": {bottlesHeader, "file: {encoding: klingon}\n" + bottles, "file.encoding", "unknown encoding"},
		"wrong mapping":        {bottlesHeader, "records: 5", "records", "wanted a list"},
		"no mapping to find":   {"q,z\n1,2\n", "", "mapping", "fit no object"},
		"not a Parquet file":   {"PAR1 something", bottles, "file", "the Parquet file cannot be read"},
	} {
		_, err := w.service.Start(context.Background(), models.System(), importer.File{Name: "x.csv", Body: strings.NewReader(c.text)}, c.mapping, false)
		var said *models.Error
		if !errors.As(err, &said) || said.Field != c.field || !strings.Contains(said.Message, c.message) {
			t.Errorf("%s: %v", name, err)
		}
	}
	viewer := models.Reader{User: 7, Role: models.Viewer, Scope: models.ScopeAll}
	if _, err := w.service.Start(context.Background(), viewer, importer.File{Body: strings.NewReader(bottlesHeader)}, bottles, false); models.CodeOf(err) != models.Forbidden {
		t.Errorf("a viewer imports: %v", err)
	}
	editor := models.Reader{User: 7, Role: models.Editor, Scope: models.ScopeAll}
	if _, err := w.service.Start(context.Background(), editor, importer.File{Body: strings.NewReader(bottlesHeader)}, bottles, false); models.CodeOf(err) != models.Forbidden {
		t.Errorf("an editor makes stages: %v", err) // stages are written by administrators
	}
	list, err := w.service.List(context.Background(), models.System(), 10)
	if err != nil || len(list) != 0 {
		t.Errorf("kept: %v (%v)", list, err)
	}
	i := w.load("nothing.csv", bottlesHeader, bottles)
	if i.State != models.ImportDone || i.RowsRead != 0 || len(i.Notes) != 1 {
		t.Errorf("a header without rows: %+v", i)
	}
}

func TestOthersImportsAreNotFound(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	i := w.load("x.csv", bottlesHeader+"1,A,,1,03/04/2017,,\n", bottles)
	other := models.Reader{User: 9, Role: models.Editor, Scope: models.ScopeAll}
	if _, err := w.service.Get(context.Background(), other, i.ID); models.CodeOf(err) != models.NotFound {
		t.Errorf("get: %v", err)
	}
	if _, err := w.service.Undo(context.Background(), other, i.ID); models.CodeOf(err) != models.NotFound {
		t.Errorf("undo: %v", err)
	}
	if err := w.service.Refused(context.Background(), other, i.ID, &bytes.Buffer{}); models.CodeOf(err) != models.NotFound {
		t.Errorf("refused: %v", err)
	}
	if list, err := w.service.List(context.Background(), other, 10); err != nil || len(list) != 0 {
		t.Errorf("list: %v (%v)", list, err)
	}
}
