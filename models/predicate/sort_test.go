package predicate_test

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/predicate"

	"pgregory.net/rapid"
)

func TestSQLitePagesVisitEachRowOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 9)
	checkPaging(t, w, openSQLite(t, w))
}

func TestPostgresPagesVisitEachRowOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	checkPaging(t, w, openPostgres(t, w))
}

// checkPaging walks pages of random sizes in random orders and compares what it meets with the order that Go gives.
func checkPaging(t *testing.T, w *world, s *transactional) {
	t.Helper()
	names := []string{"number", "id", "version", "created_at", "updated_at", "happened_at"}
	for _, f := range w.thing.Fields {
		if f.Kind != models.MultiPick && f.Kind != models.AddressOf && f.Kind != models.FileOf {
			names = append(names, f.Name)
		}
	}
	signed := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + rapid.SampledFrom(names).Draw(t, "name")
	})
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(signed, 0, 3, func(s string) string {
			return strings.Replace(strings.TrimPrefix(s, "-"), "id", "number", 1)
		}).Draw(t, "sort")
		order, err := predicate.ParseSort(w.thing, strings.Join(keys, ","))
		if err != nil {
			t.Fatal(err)
		}
		size := rapid.SampledFrom([]int{7, 50, 1000}).Draw(t, "page")
		limit := fmt.Sprintf(" limit %d", size)
		met, condition, args := []uint64{}, "1 = 1", []any(nil)
		for {
			page := s.numbers(t, condition+" order by "+order.OrderBy(s.dialect)+limit, args...)
			if len(page) == 0 {
				break
			}
			if met = append(met, page...); len(met) > len(w.things) {
				t.Fatalf("%s: more rows than there are", order)
			}
			after, err := order.After(s.dialect, order.CursorOf(w.things[page[len(page)-1]-1]))
			if err != nil {
				t.Fatal(err)
			}
			condition, args = after.Text, after.Args
		}
		wanted := w.ordered(keys)
		if !slices.Equal(met, wanted) {
			t.Fatalf("%s: met %v, wanted %v", order, met, wanted)
		}
		cursor := ""
		for met = nil; len(met) < len(wanted); {
			segments, err := order.Segments(s.dialect, cursor)
			if err != nil {
				t.Fatal(err)
			}
			var page []uint64
			for _, segment := range segments {
				if segment.Where.Text == "" {
					segment.Where.Text = "1 = 1"
				}
				page = append(page, s.numbers(t, segment.Where.Text+" order by "+segment.OrderBy+limit, segment.Where.Args...)...)
			}
			if page = page[:min(len(page), size)]; len(page) == 0 {
				break
			}
			met = append(met, page...)
			cursor = order.CursorOf(w.things[page[len(page)-1]-1])
		}
		if !slices.Equal(met, wanted) {
			t.Fatalf("%s in segments: met %v, wanted %v", order, met, wanted)
		}
	})
}

// ordered sorts the things that are not deleted by the rules.
func (w *world) ordered(keys []string) []uint64 {
	live := slices.DeleteFunc(slices.Clone(w.things), func(r *models.Record) bool { return r.Deleted })
	slices.SortFunc(live, func(a, b *models.Record) int {
		sign := 1
		for _, key := range keys {
			name, down := strings.CutPrefix(key, "-")
			if sign = 1; down {
				sign = -1
			}
			switch x, y := plain(a, name), plain(b, name); {
			case x == nil && y == nil:
			case x == nil:
				return 1
			case y == nil:
				return -1
			default:
				if c := order(x, y); c != 0 {
					return c * sign
				}
			}
		}
		return cmp.Compare(a.Number, b.Number) * sign
	})
	numbers := make([]uint64, len(live))
	for i, r := range live {
		numbers[i] = r.Number
	}
	return numbers
}

func plain(r *models.Record, name string) models.Value {
	switch name {
	case "number", "id":
		return r.Number
	case "version":
		return r.Version
	case "created_at":
		return r.CreatedAt
	case "updated_at":
		return r.UpdatedAt
	case "happened_at":
		return r.HappenedAt
	}
	return r.Get(name)
}

func order(a, b models.Value) int {
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case int64:
		return cmp.Compare(x, b.(int64))
	case uint64:
		return cmp.Compare(x, b.(uint64))
	case float64:
		return cmp.Compare(x, b.(float64))
	case models.Date:
		return cmp.Compare(x, b.(models.Date))
	case time.Time:
		return x.Compare(b.(time.Time))
	case bool:
		return map[bool]int{true: 1}[x] - map[bool]int{true: 1}[b.(bool)]
	}
	x, y := a.(models.Money), b.(models.Money)
	return cmp.Or(strings.Compare(x.Currency, y.Currency), cmp.Compare(x.Minor, y.Minor))
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	deal := newStandard(t).Object("deal")
	for text, want := range map[string]string{
		"":               "number",
		" -amount, name": "-amount,name,number",
		"name,-amount":   "name,-amount,-number",
		"-id":            "-number",
		"number,name":    "number",
	} {
		s, err := predicate.ParseSort(deal, text)
		if err != nil || s.String() != want {
			t.Errorf("%q is %s, %v; want %s", text, s, err, want)
		}
	}
	for text, want := range map[string]string{
		"amuont": "Did you mean amount", ",": "Name a field", "name,": "Name a field", "name,name": "once", "name,-name": "once",
		"name,external_id,account,contact,pipeline,stage,status,amount,source": "fewer",
	} {
		_, err := predicate.ParseSort(deal, text)
		var e *models.Error
		if !errors.As(err, &e) || e.Code != models.Invalid || e.Field != "sort" || !strings.Contains(e.Remedy, want) {
			t.Errorf("%q gives %v", text, err)
		}
	}
	if _, err := predicate.ParseSort(newStandard(t).Object("contact"), "address"); err == nil {
		t.Error("addresses have no order")
	}
}

func TestSortText(t *testing.T) {
	t.Parallel()
	s, err := predicate.ParseSort(newStandard(t).Object("deal"), "-amount,name")
	if err != nil {
		t.Fatal(err)
	}
	want := `"d"."amount_currency" collate "C" desc nulls last, "d"."amount" desc, "d"."name" collate "C" asc nulls last, "d"."number" asc`
	if got := s.As("d").OrderBy(predicate.Postgres); got != want {
		t.Errorf("order by %s", got)
	}
}

func TestCursorsOfAnotherListAreInvalid(t *testing.T) {
	t.Parallel()
	registry := newStandard(t)
	sortOf := func(object, text string) predicate.Sort {
		s, err := predicate.ParseSort(registry.Object(object), text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	byName := sortOf("deal", "name")
	good := byName.Cursor([]models.Value{"a<b"}, 7)
	if _, err := byName.After(predicate.SQLite, good); err != nil {
		t.Fatal(err)
	}
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, text := range map[string]string{
		"other direction": sortOf("deal", "-name").Cursor([]models.Value{"a"}, 7),
		"other object":    sortOf("account", "name").Cursor([]models.Value{"a"}, 7),
		"not base64":      "%%%",
		"not JSON":        encode("{"),
		"too few":         encode(`{"o":"deal","s":"name,number","v":["a"]}`),
		"no number":       encode(`{"o":"deal","s":"name,number","v":["a",null]}`),
		"bad number":      encode(`{"o":"deal","s":"name,number","v":["a","account_1"]}`),
		"NUL":             encode(`{"o":"deal","s":"name,number","v":["a\u0000","deal_1"]}`),
		"wrong kind":      encode(`{"o":"deal","s":"name,number","v":[{},"deal_1"]}`),
		"blank":           "",
	} {
		_, err := byName.After(predicate.SQLite, text)
		var e *models.Error
		if !errors.As(err, &e) || e.Code != models.Invalid || e.Field != "cursor" || e.Remedy == "" {
			t.Errorf("%s gives %v", name, err)
		}
	}
	if _, err := byName.After(predicate.ClickHouse, good); err == nil {
		t.Error("analyses are not paged")
	}
}
