package relay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"canopy/models"
)

// jewel has a field of every kind.
func jewel(t testing.TB, more ...*models.Field) *models.Registry {
	t.Helper()
	options := []models.Option{{Value: "a"}, {Value: "b"}, {Value: "c \"d\""}}
	fields := append([]*models.Field{
		{Name: "name", Kind: models.Text}, {Name: "story", Kind: models.LongText}, {Name: "on", Kind: models.DateKind}, {Name: "at", Kind: models.Instant},
		{Name: "price", Kind: models.MoneyKind}, {Name: "carat", Kind: models.Number, Scale: 3}, {Name: "pieces", Kind: models.Number},
		{Name: "state", Kind: models.Picklist, Options: options}, {Name: "tags", Kind: models.MultiPick, Options: options},
		{Name: "sold", Kind: models.Boolean}, {Name: "mail", Kind: models.Email}, {Name: "phone", Kind: models.Phone}, {Name: "link", Kind: models.URL},
		{Name: "origin", Kind: models.Country}, {Name: "shop", Kind: models.AddressOf}, {Name: "twin", Kind: models.Reference, To: "jewel"},
		{Name: "photo", Kind: models.FileOf}, {Name: "ratio", Kind: models.Formula, Scale: 2, Formula: "1.0"}, {Name: "beauty", Kind: models.Score},
	}, more...)
	r, err := models.NewRegistry([]*models.Object{{Name: "jewel", Title: "name", Fields: fields},
		{Name: "box", Title: "name", Fields: []*models.Field{{Name: "name", Kind: models.Text}}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var texts = []string{"ruby", "", "a\"b\\c", "tab\tnew\nline\r", "\x01\x1f", "ünï 漢字 \U0001F48E", "\u2028<>&", strings.Repeat("long ", 50), `"`, `\`, `},"x":"`, `[{"]`}

// value makes up a value of a field; a quarter is empty.
func value(random *rand.Rand, f *models.Field) models.Value {
	if random.IntN(4) == 0 {
		return nil
	}
	text := texts[random.IntN(len(texts))]
	switch f.Kind {
	case models.Number, models.Formula:
		return random.Int64N(2_000_000_000_000_000) - 1_000_000_000_000_000
	case models.MoneyKind:
		return models.Money{Minor: random.Int64N(20_000_000_000) - 10_000_000_000, Currency: []string{"USD", "EUR", "JPY", "BHD", "CLF"}[random.IntN(5)]}
	case models.DateKind:
		return models.NewDate(1900+random.IntN(361), 1, 1+random.IntN(365))
	case models.Instant:
		return time.UnixMilli(random.Int64N(9_000_000_000_000) - 2_000_000_000_000).UTC()
	case models.Picklist:
		return f.Options[random.IntN(len(f.Options))].Value
	case models.MultiPick:
		return [][]string{{"a"}, {"a", "b"}, {`c "d"`}}[random.IntN(3)]
	case models.Boolean:
		return random.IntN(2) == 0
	case models.Reference:
		return random.Uint64N(1<<62) + 1
	case models.Score:
		return random.Float64()
	case models.AddressOf:
		return models.Address{Line1: text, City: "a<b>&c", Country: "DE"}
	case models.FileOf:
		return models.File{Name: text, MediaType: "image/png", Size: random.Int64N(1 << 40), SHA256: strings.Repeat("ab", 32)}
	}
	return text
}

func record(random *rand.Rand, o *models.Object) []models.Value {
	values := make([]models.Value, len(o.Fields))
	for i, f := range o.Fields {
		values[i] = value(random, f)
	}
	return values
}

// The scanner finds in every image what encoding/json finds.
func TestScanFindsEveryValue(t *testing.T) {
	t.Parallel()
	o := jewel(t).Object("jewel")
	random := rand.New(rand.NewPCG(1, 2))
	table := newTable(o)
	for range 5_000 {
		image := o.AppendImage(nil, record(random, o))
		unknown, err := scanImage(image, table.names, table.spans)
		if err != nil || unknown != 0 {
			t.Fatalf("%s: %d unknown, %v", image, unknown, err)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(image, &want); err != nil {
			t.Fatal(err)
		}
		for i, f := range o.Fields {
			s := table.spans[i]
			raw := string(want[f.Name])
			if (s.end == 0) != (raw == "") {
				t.Fatalf("%s of %s: found is %t", f.Name, image, s.end != 0)
			}
			if s.end == 0 {
				continue
			}
			got := string(image[s.start:s.end])
			if raw[0] != '"' {
				if got != raw {
					t.Fatalf("%s of %s: %s", f.Name, image, got)
				}
				continue
			}
			var text string
			if err := json.Unmarshal([]byte(raw), &text); err != nil {
				t.Fatal(err)
			}
			if s.escaped {
				resolved, err := unescape(nil, []byte(got))
				if err != nil {
					t.Fatal(err)
				}
				got = string(resolved)
			}
			if got != text {
				t.Fatalf("%s of %s: %q, not %q", f.Name, image, got, text)
			}
		}
	}
}

// Fields in another order, with white space, unknown or null: all that is JSON of a record is read.
func TestScanReadsOtherForms(t *testing.T) {
	t.Parallel()
	o := jewel(t).Object("jewel")
	for _, c := range []struct {
		image   string
		unknown uint64
		good    bool
	}{
		{`{}`, 0, true},
		{`{"sold":true,"name":"x"}`, 0, true},
		{"{ \"name\" : \"x\",\n \"sold\" : true }", 0, true},
		{`{"name":"x","cut":"round","old":{"a":["}"]},"sold":true}`, 2, true},
		{`{"name":"\ud83d\udc8e\u00fc\/"}`, 0, true},
		{``, 0, false},
		{`null`, 0, false},
		{`[]`, 0, false},
		{`{"name":"x"`, 0, false},
		{`{"name":"x"}}`, 0, false},
		{`{"name":"x",}`, 0, false},
		{`{"name":"\x"}`, 0, false},
		{`{"sold":1}`, 0, false},
		{`{"price":{"amount":"1","currency":"USD","x":1}}`, 0, false},
		{`{"carat":1.2345}`, 0, false},
		{`{"carat":1e3}`, 0, false},
		{`{"twin":"box_3"}`, 0, false},
		{`{"twin":"jewel_"}`, 0, false},
		{`{"on":"2017-02-29"}`, 0, false},
		{`{"at":"2017-02-28T24:00:00.000Z"}`, 0, false},
		{`{"tags":["a"}`, 0, false},
		{`{"tags":"a"}`, 0, false},
	} {
		table := newTable(o)
		err := table.add(&models.LogRow{Object: "jewel", Number: 1, Position: 1, HappenedAt: time.Now(), RecordedAt: time.Now(), Image: []byte(c.image)})
		if (err == nil) != c.good || table.unknown != c.unknown {
			t.Errorf("%s: %d unknown, %v", c.image, table.unknown, err)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"name":"a\"b","price":{"amount":"1.5","currency":"USD"},"tags":["a","b"]}`))
	f.Add([]byte(`{"on":"2017-01-01","at":"2017-01-01T00:00:00.000Z","carat":-1.250}`))
	o := jewel(f).Object("jewel")
	f.Fuzz(func(t *testing.T, image []byte) {
		table := newTable(o)
		// Whatever comes, it does not panic, and a row that is taken has a value in every column.
		if err := table.add(&models.LogRow{Image: image}); err != nil {
			return
		}
		for _, c := range table.input {
			if c.Data.Rows() != 1 {
				t.Errorf("%q: %d rows in %s", image, c.Data.Rows(), c.Name)
			}
		}
	})
}

func TestNumbersAreReadExactly(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		v, scale := random.Int64N(2e18)-1e18, random.IntN(10)
		text := models.FormatScaled(v, scale)
		if got, ok := decimal([]byte(text), scale); !ok || got != v {
			t.Fatalf("%s: %d, %t", text, got, ok)
		}
		d := models.NewDate(1583, 1, 1).AddDays(random.IntN(3_000_000))
		if got, ok := date([]byte(d.String())); !ok || got != int32(d) {
			t.Fatalf("%s: %d, %t", d, got, ok)
		}
		at := time.UnixMilli(random.Int64N(9_000_000_000_000) - 2_000_000_000_000).UTC()
		if got, ok := instant([]byte(at.Format(models.InstantLayout))); !ok || got != at.UnixMilli() {
			t.Fatalf("%s: %d, %t", at, got, ok)
		}
	}
	for text, good := range map[string]bool{"0": true, "-0.000": true, "1.50": true, "": false, "-": false, ".": false, "1.2.3": false, "+1": false, "1 ": false,
		"999999999999999.999": true, "9999999999999999.999": false, "99999999999999999999999": false} {
		if _, ok := decimal([]byte(text), 3); ok != good {
			t.Errorf("%q is read: %t", text, ok)
		}
	}
	// An amount with fewer decimals than the column keeps its value: 1.5 is 15000 ten-thousandths.
	if v, ok := decimal([]byte("1.5"), 4); !ok || v != 15_000 {
		t.Error(v, ok)
	}
}

// A dictionary changes its key width where its texts no longer fit.
func TestKeysAreAsWideAsNeeded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ distinct, width int }{{1, 1}, {256, 1}, {257, 2}, {65_536, 2}, {65_537, 4}} {
		column := newCoded("LowCardinality(String)", false)
		for i := range c.distinct {
			column.text([]byte(fmt.Sprint(i)))
		}
		column.text([]byte("0"))
		packed := column.pack(map[int]int64{1: 0, 2: 1, 4: 2}[c.width])
		var head proto.Buffer
		if got := column.head(&head); got != map[int]int64{1: 0, 2: 1, 4: 2}[c.width] {
			t.Errorf("%d texts: width %d", c.distinct, got)
		}
		if len(packed) != (c.distinct+1)*c.width || column.Rows() != c.distinct+1 {
			t.Errorf("%d texts: %d bytes", c.distinct, len(packed))
		}
		if c.width == 4 && binary.LittleEndian.Uint32(packed[len(packed)-8:]) != uint32(c.distinct-1) {
			t.Error("the last new text has not the last number")
		}
	}
}
