package predicate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/predicate"

	"pgregory.net/rapid"
)

// world is a small registry with every kind of field, and records with values that databases are known to disagree about. Field names are
// words that SQL, or a table function of a database, uses itself.
type world struct {
	registry *models.Registry
	thing    *models.Object
	holder   *models.Object
	things   []*models.Record
	holders  []*models.Record
}

func newWorld(t testing.TB, seed int) *world {
	t.Helper()
	options := []models.Option{{Value: "a", Label: "Letter A"}, {Value: "b", Label: "Letter B"}, {Value: ",", Label: "Comma"}, {Value: `q"\`, Label: "Quote"}, {Value: "Ä", Label: "Umlaut"}, {Value: "old", Label: "Old", Retired: true}}
	person := &models.Object{Name: "person", Title: "name", Visibility: models.Shared, Fields: []*models.Field{{Name: "name", Kind: models.Text}}}
	effort := &models.Object{Name: "effort", Title: "name", Visibility: models.Shared, Fields: []*models.Field{{Name: "name", Kind: models.Text}}}
	holder := &models.Object{
		Name: "holder", Title: "name", Scope: models.ScopeFields{Owner: "owner", Territory: "areas", Via: []string{"of"}},
		Fields: []*models.Field{
			{Name: "name", Kind: models.Text}, {Name: "order", Kind: models.Picklist, Options: options}, {Name: "since", Kind: models.DateKind},
			{Name: "owner", Kind: models.Reference, To: "person"}, {Name: "areas", Kind: models.MultiPick, Options: options}, {Name: "of", Kind: models.Reference, To: "thing"},
		},
	}
	thing := &models.Object{
		Name: "thing", Title: "name",
		Scope: models.ScopeFields{Owner: "owner", Team: "team", Territory: "territory", Campaign: "campaign", Via: []string{"holder", "parent"}},
		Fields: []*models.Field{
			{Name: "name", Kind: models.Text}, {Name: "key", Kind: models.LongText}, {Name: "email", Kind: models.Email},
			{Name: "phone", Kind: models.Phone}, {Name: "url", Kind: models.URL}, {Name: "country", Kind: models.Country},
			{Name: "group", Kind: models.Picklist, Options: options}, {Name: "value", Kind: models.MultiPick, Options: options},
			{Name: "rank", Kind: models.Number}, {Name: "weight", Kind: models.Number, Scale: 3}, {Name: "ratio", Kind: models.Formula, Scale: 2, Formula: "1.0"},
			{Name: "price", Kind: models.MoneyKind}, {Name: "day", Kind: models.DateKind}, {Name: "at", Kind: models.Instant},
			{Name: "active", Kind: models.Boolean}, {Name: "holder", Kind: models.Reference, To: "holder"}, {Name: "parent", Kind: models.Reference, To: "thing"},
			{Name: "place", Kind: models.AddressOf}, {Name: "file", Kind: models.FileOf}, {Name: "score", Kind: models.Score},
			{Name: "owner", Kind: models.Reference, To: "person"}, {Name: "team", Kind: models.Reference, To: "person"},
			{Name: "territory", Kind: models.Text}, {Name: "campaign", Kind: models.Reference, To: "effort"},
		},
	}
	registry, err := models.NewRegistry([]*models.Object{person, effort, holder, thing})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{registry: registry, thing: thing, holder: holder}
	w.things = records(thing, 260).Example(seed)
	w.holders = records(holder, 14).Example(seed + 1)
	return w
}

func records(o *models.Object, n int) *rapid.Generator[[]*models.Record] {
	return rapid.Custom(func(t *rapid.T) []*models.Record {
		all := make([]*models.Record, n)
		for i := range all {
			r := &models.Record{
				Object: o, Number: uint64(i + 1), Version: rapid.Int64Range(1, 5).Draw(t, "version"),
				CreatedAt: instants.Draw(t, "created_at"), UpdatedAt: instants.Draw(t, "updated_at"), HappenedAt: instants.Draw(t, "happened_at"),
				Deleted: rapid.IntRange(0, 9).Draw(t, "deleted") == 0, Values: make([]models.Value, len(o.Fields)),
			}
			for j, f := range o.Fields {
				if rapid.IntRange(0, 3).Draw(t, "empty") > 0 {
					r.Values[j] = valueOf(f).Draw(t, f.Name)
				}
			}
			all[i] = r
		}
		return all
	})
}

// find is what Match asks for records that are referred to.
func (w *world) find(object string, number uint64) ([]models.Value, bool) {
	all := w.things
	if object == "holder" {
		all = w.holders
	}
	if object != "holder" && object != "thing" || number == 0 || number > uint64(len(all)) || all[number-1].Deleted {
		return nil, false
	}
	return all[number-1].Values, true
}

// matches gives the numbers of the things that are not deleted and for which b holds, in order.
func (w *world) matches(b *predicate.Bound) []uint64 {
	found := []uint64{}
	for _, r := range w.things {
		if !r.Deleted && b.Match(r.Values, predicate.MetaOf(r), w.find) {
			found = append(found, r.Number)
		}
	}
	return found
}

// Letters on which case folding, collation, wildcards, escapes and lengths in bytes, characters and UTF-16 differ.
var letters = []string{"a", "A", "b", "B", "z", "Z", "ä", "Ä", "ß", "İ", "ı", "K", "k", "é", "e\u0301", "日", "😀", "%", "_", `\`, "'", `"`, "`", "\t", "\n", "\r", "\x01", " ", "?", "$1", "{", "}", "~", "[", "\ufffd", "0", "9", "-"}

var texts = rapid.Custom(func(t *rapid.T) string {
	for {
		s := strings.TrimSpace(strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 1, 4).Draw(t, "letters"), ""))
		if s != "" {
			return s
		}
	}
})

var zones = []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Asia/Amman", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns"}

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// Days around clock changes, the epoch, leap days, a day that Apia never had, and the ends of the range.
var days = []string{"2017-03-25", "2017-03-26", "2017-03-27", "2017-10-28", "2017-10-29", "2017-10-30", "2018-02-18", "2018-11-03", "2018-11-04", "2018-11-05", "2022-03-27", "2022-10-30", "2021-10-29", "1969-12-31", "1970-01-01", "2000-02-29", "2011-12-29", "2011-12-30", "2011-12-31", "1900-01-02", "2261-12-30", "2017-06-30", "2017-07-01"}

var dates = rapid.Custom(func(t *rapid.T) models.Date {
	d, err := models.ParseDate(rapid.SampledFrom(days).Draw(t, "day"))
	if err != nil {
		panic(err)
	}
	return d
})

// instants lie at the starts of those days in those zones, and a millisecond or an hour beside them.
var instants = rapid.Custom(func(t *rapid.T) time.Time {
	if rapid.IntRange(0, 20).Draw(t, "edge") == 0 {
		return rapid.SampledFrom([]time.Time{time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 12, 31, 23, 59, 59, 999e6, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 1e6, time.UTC)}).Draw(t, "end")
	}
	at := dates.Draw(t, "day").Time(zone(rapid.SampledFrom(zones).Draw(t, "zone"))).UTC()
	return at.Add(rapid.SampledFrom([]time.Duration{0, -time.Millisecond, time.Millisecond, -time.Hour, time.Hour, 12 * time.Hour}).Draw(t, "beside"))
})

var moneys = rapid.Custom(func(t *rapid.T) models.Money {
	currency := rapid.SampledFrom([]string{"USD", "EUR", "JPY", "BHD", "CLF"}).Draw(t, "currency")
	minor := rapid.SampledFrom([]int64{0, 1, -1, 10, 100, 1000, 12345, -12345, 99_999_999_999_999, -99_999_999_999_999}).Draw(t, "minor")
	return models.Money{Minor: minor, Currency: currency}
})

var integers = rapid.SampledFrom([]int64{0, 1, -1, 5, 10, 1000, 1001, -1000, 999_999_999_999_999_999, -999_999_999_999_999_999})

var fractions = rapid.SampledFrom([]float64{0, 1, 0.1, 0.3, 0.1 + 0.2, math.SmallestNonzeroFloat64, math.Nextafter(1, 0), 0.5, 1.0 / 3})

func pick[T any](values ...T) *rapid.Generator[models.Value] {
	return rapid.Map(rapid.SampledFrom(values), func(v T) models.Value { return v })
}

func any1[T any](g *rapid.Generator[T]) *rapid.Generator[models.Value] {
	return rapid.Map(g, func(v T) models.Value { return v })
}

// valueOf gives values of a field in normal form, from so few that equal ones meet.
func valueOf(f *models.Field) *rapid.Generator[models.Value] {
	switch f.Kind {
	case models.Email:
		return pick("a@example.com", "b@example.com", "ab@example.org")
	case models.Phone:
		return pick("+4930123456", "+12125550123", "+81312345678")
	case models.URL:
		return pick("https://example.com/A", "https://example.com/a", "http://example.org/?q=1")
	case models.Country:
		return pick("DE", "AT", "JP")
	case models.Picklist:
		return pick("a", "b", ",", `q"\`, "Ä", "old")
	case models.MultiPick:
		return pick([]string{"a"}, []string{"a", "b"}, []string{","}, []string{",", "b"}, []string{"b", `q"\`}, []string{"a", "b", "Ä"}, []string{"old"})
	case models.Number, models.Formula:
		return any1(integers)
	case models.MoneyKind:
		return any1(moneys)
	case models.DateKind:
		return any1(dates)
	case models.Instant:
		return any1(instants)
	case models.Boolean:
		return pick(true, false)
	case models.AddressOf:
		return pick(models.Address{City: "Köln"}, models.Address{Line1: "1 'Main' St", Country: "US"})
	case models.FileOf:
		return pick(models.File{Name: "a.txt", SHA256: strings.Repeat("0", 64)})
	case models.Score:
		return any1(fractions)
	case models.Reference:
		last := map[string]uint64{"holder": 16, "thing": 300, "person": 4, "effort": 3}[f.To] // some of them are not there
		return rapid.Map(rapid.Uint64Range(1, last), func(n uint64) models.Value { return n })
	case models.Text:
		if f.Name == "territory" {
			return pick("north", "North", "süd")
		}
	case models.LongText:
	default:
		panic(fmt.Sprintf("no values of kind %s", f.Kind))
	}
	return any1(texts)
}
