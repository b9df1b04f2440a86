package predicate_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"canopy/models"
	"canopy/models/predicate"
)

func TestParseNamesThePlace(t *testing.T) {
	t.Parallel()
	leaf := `{"field":"name","op":"is_empty"}`
	for text, want := range map[string]string{
		`{`:                               "not JSON",
		`null`:                            "at /: wanted a node",
		`[]`:                              "at /: wanted a node",
		`{}`:                              "has a field and an op",
		leaf + leaf:                       "more text",
		`{"and":[` + leaf + `,7]}`:        "at /and/1: wanted a node",
		`{"and":{}}`:                      "at /and: wanted a list",
		`{"and":[{"not":{"feild":"x"}}]}`: `at /and/0/not: unknown member "feild"`,
		`{"And":[]}`:                      `unknown member "And"`,
		`{"and":[],"or":[]}`:              `"and" stands alone`,
		`{"or":[],"field":"name"}`:        `"or" stands alone`,
		`{"or":[],"or":[]}`:               `at /: "or" stands here twice`,
		`{"field":"name"}`:                "has a field and an op",
		`{"field":7,"op":"eq"}`:           "at /field: wanted text",
		`{"field":"name","op":"like","value":"x"}`:                             `unknown op "like"`,
		`{"field":"name","op":"eq"}`:                                           "eq needs a value",
		`{"field":"name","op":"is_empty","value":1}`:                           "is_empty takes no value",
		`{"field":"name","op":"eq","value":1,"where":` + leaf + `}`:            "where belongs to related",
		`{"field":"name","op":"eq","value":}`:                                  "at /value: not JSON",
		`{"field":"a","op":"related","where":{"or":[{"100%":1}]}}`:             `at /where/or/0: unknown member "100%"`,
		strings.Repeat(`{"not":`, 33) + leaf + strings.Repeat("}", 33):         "more than 32 levels",
		`{"and":[` + strings.Repeat(leaf+",", 1000) + leaf + `]}`:              "more than 1000 nodes",
		`{"field":"a","op":"eq","value":"` + strings.Repeat("x", 1<<20) + `"}`: "at most 1048576 bytes",
	} {
		node, err := predicate.Parse([]byte(text))
		var e *models.Error
		if !errors.As(err, &e) || e.Code != models.Invalid || !strings.Contains(e.Message, want) {
			t.Errorf("%.80s gives %v, %v; want %q", text, node, err, want)
		}
	}
	if node, err := predicate.Parse([]byte(" \n")); node != nil || err != nil {
		t.Errorf("blank text gives %v, %v", node, err)
	}
	if _, err := predicate.Parse([]byte(strings.Repeat(`{"not":`, 31) + leaf + strings.Repeat("}", 31))); err != nil {
		t.Errorf("32 levels: %v", err)
	}
}

func TestBindNamesFieldAndRemedy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	far := `{"field":"name","op":"is_empty"}`
	for range 5 {
		far = `{"field":"parent","op":"related","where":` + far + `}`
	}
	long := `["a"` + strings.Repeat(`,"a"`, 5000) + `]`
	for text, want := range map[string]models.Error{
		far:                                       {Field: strings.Repeat("parent.", 4) + "parent", Message: "more than 4 references"},
		`{"field":"nmae","op":"is_empty"}`:        {Field: "nmae", Message: `thing has no field "nmae"`, Remedy: "Did you mean name"},
		`{"field":"created","op":"is_empty"}`:     {Field: "created", Remedy: "Did you mean created_at"},
		`{"field":"xyzzyplugh","op":"is_empty"}`:  {Field: "xyzzyplugh", Remedy: "There are name, key"},
		`{"field":"number","op":"related"}`:       {Field: "number", Message: "related cannot be asked"},
		`{"field":"name","op":"has","value":"x"}`: {Field: "name", Message: "has cannot be asked of a field of the kind text", Remedy: "Use one of contains, starts_with, eq"},
		`{"field":"place","op":"eq","value":{}}`:  {Field: "place", Remedy: "Use one of is_empty, not_empty."},
		`{"field":"holder","op":"related","where":{"field":"nam","op":"is_empty"}}`:         {Field: "holder.nam", Remedy: "Did you mean name?"},
		`{"field":"holder","op":"related","where":{"field":"version","op":"eq","value":1}}`: {Field: "holder.version", Message: "cannot be asked of a referred holder"},
		`{"field":"rank","op":"eq","value":null}`:                                           {Field: "rank", Message: "null is no value", Remedy: "is_empty"},
		`{"field":"rank","op":"eq","value":"1.5"}`:                                          {Field: "rank", Message: "more than 0 decimals"},
		`{"field":"rank","op":"eq","value":[1]}`:                                            {Field: "rank", Message: "not a number"},
		`{"field":"rank","op":"in","value":[]}`:                                             {Field: "rank", Message: "at least one"},
		`{"field":"rank","op":"in","value":1}`:                                              {Field: "rank", Message: "wants a list"},
		`{"field":"rank","op":"in","value":[1,"x"]}`:                                        {Field: "rank", Message: "value 2"},
		`{"field":"name","op":"in","value":` + long + `}`:                                   {Field: "name", Message: "at most 5000 values"},
		`{"field":"name","op":"eq","value":"  "}`:                                           {Field: "name", Message: "blank"},
		`{"field":"name","op":"contains","value":"a\u0000b"}`:                               {Field: "name", Message: "NUL"},
		`{"field":"name","op":"eq","value":"a\u0000b"}`:                                     {Field: "name", Message: "NUL"},
		`{"field":"email","op":"eq","value":"nobody"}`:                                      {Field: "email", Remedy: "name@example.com"},
		`{"field":"group","op":"eq","value":"Letter"}`:                                      {Field: "group", Message: "none of the options"},
		`{"field":"value","op":"has","value":["a"]}`:                                        {Field: "value", Message: "one option"},
		`{"field":"price","op":"gt","value":12}`:                                            {Field: "price", Remedy: `{"amount":"12.50","currency":"USD"}`},
		`{"field":"price","op":"gt","value":{"amount":"1.5","currency":"JPY"}}`:             {Field: "price", Message: "more than 0 decimals"},
		`{"field":"day","op":"eq","value":"2017-02-31"}`:                                    {Field: "day", Message: "2017-02-31"},
		`{"field":"at","op":"eq","value":"yesterday"}`:                                      {Field: "at", Message: "not an instant"},
		`{"field":"at","op":"in_week","value":"2017-06-27"}`:                                {Field: "at", Message: "weeks start on Monday", Remedy: "2017-06-26"},
		`{"field":"holder","op":"eq","value":"thing_1"}`:                                    {Field: "holder", Remedy: `"holder_12"`},
		`{"field":"id","op":"eq","value":"deal_1"}`:                                         {Field: "id", Remedy: `"thing_12"`},
		`{"field":"active","op":"eq","value":"yes"}`:                                        {Field: "active", Message: "true or false"},
		`{"field":"score","op":"gt","value":50}`:                                            {Field: "score", Message: "0 to 1"},
	} {
		node, err := predicate.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		_, err = node.Bind(w.registry, w.thing, models.Calendar{WeekStart: 1})
		var e *models.Error
		if !errors.As(err, &e) || e.Code != models.Invalid || e.Field != want.Field || !strings.Contains(e.Message, want.Message) || !strings.Contains(e.Remedy, want.Remedy) || e.Remedy == "" {
			t.Errorf("%.80s gives %#v", text, e)
		}
	}
}

func TestNodesArePrintedAsTheyAreRead(t *testing.T) {
	t.Parallel()
	deal := newStandard(t).Object("deal")
	node := predicate.And(
		predicate.Compare(deal.Field("status"), predicate.Eq, "won"),
		predicate.Negate(predicate.Compare(deal.Field("amount"), predicate.Lt, models.Money{Minor: 105400, Currency: "USD"})),
		predicate.Or(predicate.Compare(deal.Field("closed_at"), predicate.InWeek, models.NewDate(2017, 6, 26))),
		predicate.RelatedTo(deal.Field("account"), predicate.Compare(newStandard(t).Object("account").Field("country"), predicate.IsEmpty)),
		predicate.IsID(deal, 42, 43),
	)
	text, err := json.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"and":[{"field":"status","op":"eq","value":"won"},{"not":{"field":"amount","op":"lt","value":{"amount":"1054.00","currency":"USD"}}},` +
		`{"or":[{"field":"closed_at","op":"in_week","value":"2017-06-26"}]},{"field":"account","op":"related","where":{"field":"country","op":"is_empty"}},` +
		`{"field":"number","op":"in","value":["deal_42","deal_43"]}]}`
	if string(text) != want {
		t.Errorf("printed\n%s\nwant\n%s", text, want)
	}
	var again struct{ Filter *predicate.Node }
	if err := json.Unmarshal([]byte(`{"filter":`+want+`}`), &again); err != nil || !reflect.DeepEqual(again.Filter, node) {
		t.Errorf("read back %v, %v", again.Filter, err)
	}
}

func newStandard(t testing.TB) *models.Registry {
	t.Helper()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// FuzzParse: whatever is read is printed, read again as the same tree, and bound or refused without a panic; whatever is bound compiles.
func FuzzParse(f *testing.F) {
	w := newWorld(f, 7)
	for seed := range 30 {
		f.Add([]byte(w.questions().Example(seed).text))
	}
	f.Add([]byte(`{"field":"account","op":"related","where":{"not":{"and":[]}}}`))
	f.Add([]byte(`{"field":"name","op":"eq","value":"<&>\u2028"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		node, err := predicate.Parse(text)
		if err != nil || node == nil {
			return
		}
		printed, err := json.Marshal(node)
		if err != nil {
			t.Fatalf("print: %v", err)
		}
		again, err := predicate.Parse(printed)
		if err != nil {
			t.Fatalf("read %s again: %v", printed, err)
		}
		if reprinted, err := json.Marshal(again); err != nil || string(reprinted) != string(printed) {
			t.Fatalf("%s became %s, %v", printed, reprinted, err)
		}
		bound, err := node.Bind(w.registry, w.thing, models.Calendar{})
		if err != nil {
			if models.CodeOf(err) != models.Invalid {
				t.Fatalf("bind: %v", err)
			}
			return
		}
		w.matches(bound)
		for _, d := range []predicate.Dialect{predicate.SQLite, predicate.Postgres, predicate.ClickHouse} {
			if _, err := bound.Compile(d, predicate.Options{}); err != nil && (d != predicate.ClickHouse || models.CodeOf(err) != models.Invalid) {
				t.Fatalf("compile: %v", err)
			}
		}
	})
}
