package importer_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/ingest/importer"
	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// A dry run says what a run would do, row by row, and writes nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		file := strings.Replace(synthetic(t, 700), "\n", "\nS99999999,A,P,O,nowhere,Open,2020-01-01,,1,\nS00000003,A,P,O,other,Open,2020-01-01,,1,\n", 1)
		dry, err := w.service.Start(context.Background(), models.System(), importer.File{Name: "x.csv", Body: strings.NewReader(file)}, importer.SyntheticMapping, true)
		if err != nil {
			t.Fatal(err)
		}
		dry = w.wait(dry.ID)
		for _, object := range []string{"deal", "account", "product", "user", "team", "stage", "pipeline"} {
			if n := len(w.all(object)); n != 0 {
				t.Fatalf("%d of %s were written", n, object)
			}
		}
		if changes, err := w.db.Changes(context.Background(), 0, 1); err != nil || len(changes) != 0 {
			t.Fatalf("%v (%v)", changes, err)
		}
		if _, err := w.service.Undo(context.Background(), models.System(), dry.ID); models.CodeOf(err) != models.Conflict {
			t.Errorf("undo of a dry run: %v", err)
		}
		// The real run must come out the same.
		real := w.load("x.csv", file, importer.SyntheticMapping)
		if !dry.DryRun || dry.RowsRead != real.RowsRead || dry.Created != real.Created || dry.Updated != real.Updated || dry.Unchanged != real.Unchanged || dry.Refused != real.Refused {
			t.Errorf("dry %+v\nreal %+v", dry, real)
		}
		if d, r := w.refused(dry.ID), w.refused(real.ID); d != r {
			t.Errorf("dry\n%s\nreal\n%s", d, r)
		}
	})
}

const salesTeams = "sales_agent,manager,regional_office\nAda,Kim,East\nBob,Kim,East\nCyd,Lee,West\nKim,Lee,West\n"

// The same key in several rows of one file: one record, counted once.
func TestRecordsThatManyRowsName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		mapping := exampleMapping(t, "sales_teams")
		dry, err := w.service.Start(context.Background(), models.System(), importer.File{Name: "x.csv", Body: strings.NewReader(salesTeams)}, mapping, true)
		if err != nil {
			t.Fatal(err)
		}
		dry = w.wait(dry.ID)
		i := w.load("x.csv", salesTeams, mapping)
		// Kim, Lee, Ada, Bob, Cyd and two teams. Kim is a manager and an agent of Lee's.
		if i.Created != 7 || i.Updated != 0 || i.Unchanged != 0 || i.Refused != 0 || dry.Created != 7 {
			t.Errorf("%+v\ndry %+v", i, dry)
		}
		kim, lee := w.one("user", "name", "Kim"), w.one("team", "name", "Lee")
		if kim.Get("team") != lee.Number || kim.Get("territory") != "West" {
			t.Errorf("%v", kim.Values)
		}
	})
}

const people = "records:\n  - object: account\n    key: name\n    fields:\n      name: {from: name}\n      sector: {from: sector}\n      parent: {from: parent, lookup: {by: name, missing: later}}\n"

// Later files change what they say, keep what they leave empty, and find parents that stand further down.
func TestUpdatesAndReferencesToLaterRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		w.start()
		i := w.load("a.csv", "name,sector,parent\nA,glass,C\nB,,Nowhere\nC,cork,\n", people)
		if i.Created != 3 || i.Updated != 0 || i.Refused != 0 || len(i.Notes) != 1 || i.Notes[0].Count != 1 {
			t.Errorf("%+v", i)
		}
		if list := w.refused(i.ID); !strings.Contains(list, `3,parent,"there is no account ""Nowhere""; the rest of the row is written"`) {
			t.Error(list)
		}
		if a, c := w.one("account", "name", "A"), w.one("account", "name", "C"); a.Get("parent") != c.Number {
			t.Errorf("%v", a.Values)
		}
		i = w.load("b.csv", "name,sector,parent\nA,,\nB,lead,\nC,cork,\nD,,A\n", people)
		if i.Created != 1 || i.Updated != 1 || i.Unchanged != 2 || i.Refused != 0 {
			t.Errorf("%+v", i)
		}
		if a := w.one("account", "name", "A"); a.Get("sector") != "glass" || a.Get("parent") == nil {
			t.Errorf("an empty cell emptied a field: %v", a.Values)
		}
	})
}

func TestAmbiguousAndMissingReferences(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	w.load("c.csv", "name\nKim\nKim\nLee\n", "records: [{object: contact, fields: {name: {from: name}}}]")
	deals := "records:\n  - object: activity\n    fields:\n      subject: {value: called}\n      type: {value: call}\n      contact: {from: who, lookup: {by: name, missing: %s}}\n"
	file := "who\nKim\nLee\nMax\n"
	i := w.load("d.csv", file, fmt.Sprintf(deals, "refuse"))
	if list := w.refused(i.ID); i.Created != 1 || i.Refused != 2 || !strings.Contains(list, `more than one contact is called ""Kim""`) || !strings.Contains(list, `there is no contact ""Max""`) {
		t.Errorf("%+v\n%s", i, list)
	}
	i = w.load("e.csv", file, fmt.Sprintf(deals, "empty"))
	if i.Created != 2 || i.Refused != 1 || len(i.Notes) != 1 || i.Notes[0].Text != "rows whose contact is not there: contact left empty" {
		t.Errorf("%+v", i)
	}
	i = w.load("f.csv", file, fmt.Sprintf(deals, "create"))
	if i.Created != 2 || i.Refused != 1 || len(w.all("contact")) != 4 {
		t.Errorf("%+v", i)
	}
}

// A proposed mapping imports the real set's deals as well as its columns allow.
func TestProposedMappingOfTheRealSet(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	text, _ := realFile(t, "sales_pipeline")
	mapping, err := w.service.Propose(context.Background(), models.System(), importer.File{Name: "sales_pipeline.csv", Body: strings.NewReader(text)})
	if err != nil {
		t.Fatal(err)
	}
	i := w.load("sales_pipeline.csv", text, "")
	if i.Mapping != mapping {
		t.Errorf("imported by another mapping than the proposed one")
	}
	statuses := map[models.Value]int{}
	for _, d := range w.all("deal") {
		statuses[d.Get("status")]++
	}
	if i.Created != 8800 || i.Refused != 0 || statuses["won"] != 4238 || statuses["lost"] != 2473 || statuses["open"] != 2089 {
		t.Errorf("%+v\n%v\n%.2000s", i, statuses, w.refused(i.ID))
	}
}

// A Parquet file with typed columns goes the same way as text.
func TestParquet(t *testing.T) {
	t.Parallel()
	pool := memory.NewGoAllocator()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "name", Type: arrow.BinaryTypes.String},
		{Name: "account", Type: arrow.BinaryTypes.LargeString, Nullable: true},
		{Name: "amount", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}, Nullable: true},
		{Name: "opened", Type: arrow.FixedWidthTypes.Date32, Nullable: true}, {Name: "won", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "size", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(pool, schema)
	defer b.Release()
	const rows = 2500
	opened, won := time.Date(2017, 4, 3, 0, 0, 0, 0, time.UTC), time.Date(2017, 4, 5, 10, 30, 0, 0, time.UTC)
	for n := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(n))
		b.Field(1).(*array.StringBuilder).Append("Köln \"1\"")
		b.Field(2).(*array.LargeStringBuilder).Append([]string{"Acme", "Bolt"}[n%2])
		b.Field(3).(*array.Decimal128Builder).Append(decimal128.FromI64(1250))
		b.Field(4).(*array.Date32Builder).Append(arrow.Date32FromTime(opened))
		if n%2 == 0 {
			b.Field(5).AppendNull()
		} else {
			b.Field(5).(*array.TimestampBuilder).Append(arrow.Timestamp(won.UnixMicro()))
		}
		b.Field(6).(*array.Float64Builder).Append(0.1)
	}
	record := b.NewRecord()
	defer record.Release()
	var file bytes.Buffer
	out, err := pqarrow.NewFileWriter(schema, &file, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithAllocator(pool)), pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(pool)))
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	i := w.load("bottles.parquet", file.String(), bottles) // its dates: DD/MM/YYYY does not apply to typed columns
	if i.Created != rows || i.Refused != 0 || *i.RowsTotal != rows || len(w.all("account")) != 2 {
		t.Errorf("%+v\n%.500s", i, w.refused(i.ID))
	}
	deal := w.one("deal", "external_id", "7")
	if deal.Get("amount") != (models.Money{Minor: 1250, Currency: "USD"}) || deal.Get("name") != "Köln \"1\"" ||
		!deal.Get("opened_at").(time.Time).Equal(opened) || !deal.Get("closed_at").(time.Time).Equal(won) {
		t.Errorf("%v", deal.Values)
	}
	// Cut off in the middle, it is refused as a whole before anything is written.
	_, err = w.service.Start(context.Background(), models.System(), importer.File{Name: "cut.parquet", Body: bytes.NewReader(file.Bytes()[:file.Len()/2])}, bottles, false)
	if models.CodeOf(err) != models.Invalid {
		t.Errorf("half a file: %v", err)
	}
}
