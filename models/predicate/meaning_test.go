package predicate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// TestMeaning states by hand what each operator says of one record, so that the four evaluations do not merely agree.
func TestMeaning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	full := w.record(t, `{"name":"Äb C_d","email":"b@example.com","country":"DE","group":"old","value":["a","b"],"rank":10,"weight":2.5,
		"price":{"amount":"1000.000","currency":"BHD"},"day":"2017-06-30","at":"2017-03-26T22:30:00.000Z","active":false,
		"holder":"holder_1","score":0.5}`)
	full.Number, full.Version, full.CreatedAt = 42, 3, time.Date(2017, 6, 30, 23, 30, 0, 0, time.UTC)
	blank := w.record(t, `{}`)
	holder := w.recordOf(t, w.holder, `{"name":"Acme","order":"a"}`)
	find := func(object string, number uint64) ([]models.Value, bool) {
		return holder.Values, object == "holder" && number == 1
	}
	berlin := models.Calendar{Zone: zone("Europe/Berlin"), WeekStart: time.Monday}
	for _, c := range []struct {
		leaf  string // field op value
		full  bool
		blank bool
	}{
		{`name is_empty`, false, true},
		{`name not_empty`, true, false},
		{`name eq "Äb C_d"`, true, false},
		{`name eq "äb C_d"`, false, false},
		{`name ne "x"`, true, true},
		{`name ne "Äb C_d"`, false, true},
		{`name in ["x","Äb C_d"]`, true, false},
		{`name not_in ["x"]`, true, true},
		{`name gt "Z"`, true, false}, // Ä is 0xC3 in bytes
		{`name lt "a"`, false, false},
		{`name contains "B c"`, true, false},
		{`name contains "äb"`, false, false}, // only ASCII letters fold
		{`name contains "_"`, true, false},
		{`name contains "b_c"`, false, false}, // no wildcards
		{`name starts_with "ÄB"`, true, false},
		{`name starts_with "%"`, false, false},
		{`email eq "B@Example.com"`, true, false},
		{`email lt "c"`, true, false},
		{`country eq "Germany"`, true, false},
		{`group eq "old"`, true, false}, // a retired option is still asked for
		{`group eq "Letter A"`, false, false},
		{`value has "b"`, true, false},
		{`value has "Letter A"`, true, false},
		{`value has_any ["Ä","a"]`, true, false},
		{`value has_any ["Ä"]`, false, false},
		{`rank gte 10`, true, false},
		{`rank lt "10"`, false, false},
		{`weight eq 2.50`, true, false},
		{`price eq {"amount":"1000","currency":"BHD"}`, true, false},
		{`price lt {"amount":"1000000","currency":"JPY"}`, false, false}, // another currency is not comparable
		{`price ne {"amount":"1000","currency":"USD"}`, true, true},
		{`price in [{"amount":"1","currency":"USD"},{"amount":"1000","currency":"BHD"}]`, true, false},
		{`day on "2017-06-30"`, true, false},
		{`day in_week "2017-06-26"`, true, false},
		{`day in_week "2017-07-03"`, false, false},
		{`day lte "2017-06-30"`, true, false},
		{`at on "2017-03-26"`, false, false}, // 00:30 of the 27th in Berlin, whose clocks went forward on the 26th
		{`at on "2017-03-27"`, true, false},
		{`at lt "2017-03-27"`, false, false},
		{`at lte "2017-03-26"`, false, false},
		{`at lte "2017-03-27"`, true, false},
		{`at gt "2017-03-26"`, true, false},
		{`at gt "2017-03-27"`, false, false},
		{`at gte "2017-03-27"`, true, false},
		{`at ne "2017-03-26"`, true, true},
		{`at in ["2017-03-20","2017-03-27"]`, true, false},
		{`at in_week "2017-03-20"`, false, false},
		{`at in_week "2017-03-27"`, true, false},
		{`at eq "2017-03-27T00:30:00+02:00"`, true, false},
		{`active eq false`, true, false},
		{`active ne true`, true, true},
		{`holder eq "holder_1"`, true, false},
		{`holder related`, true, false},
		{`holder related {"field":"name","op":"starts_with","value":"ac"}`, true, false},
		{`holder related {"field":"id","op":"eq","value":"holder_2"}`, false, false},
		{`holder related {"not":{"field":"name","op":"eq","value":"Acme"}}`, false, false},
		{`holder related {"field":"since","op":"is_empty"}`, true, false},
		{`score gt 0.25`, true, false},
		{`place is_empty`, true, true},
		{`id eq "thing_42"`, true, false},
		{`number in ["thing_41","thing_42"]`, true, false},
		{`version gte 3`, true, false},
		{`created_at on "2017-07-01"`, true, false},
		{`created_at is_empty`, false, false},
	} {
		field, rest, _ := strings.Cut(c.leaf, " ")
		op, value, _ := strings.Cut(rest, " ")
		text := fmt.Sprintf(`{"field":%q,"op":%q`, field, op)
		switch {
		case value != "" && op == "related":
			text += `,"where":` + value
		case value != "":
			text += `,"value":` + value
		}
		b := w.bind(t, asked{text: text + "}", calendar: berlin, reader: models.System()})
		if got := b.Match(full.Values, predicate.MetaOf(full), find); got != c.full {
			t.Errorf("%s of the full record: %t", c.leaf, got)
		}
		if !strings.HasPrefix(c.leaf, "created_at") {
			if got := b.Match(blank.Values, predicate.Meta{Number: 1}, find); got != c.blank {
				t.Errorf("%s of the empty record: %t", c.leaf, got)
			}
			if got := b.Match(nil, predicate.Meta{Number: 1}, find); got != c.blank {
				t.Errorf("%s of a record without values: %t", c.leaf, got)
			}
		}
	}
}

func (w *world) record(t *testing.T, image string) *models.Record {
	t.Helper()
	return w.recordOf(t, w.thing, image)
}

func (w *world) recordOf(t *testing.T, o *models.Object, image string) *models.Record {
	t.Helper()
	values, err := o.ParseImage([]byte(image))
	if err != nil {
		t.Fatal(err)
	}
	return &models.Record{Object: o, Values: values}
}

func TestAllAnyNot(t *testing.T) {
	t.Parallel()
	nothing := predicate.Nothing()
	for name, c := range map[string]struct {
		got  *predicate.Bound
		want bool
	}{
		"all of none":         {predicate.All(), true},
		"all of nil":          {predicate.All(nil, nil), true},
		"all with nothing":    {predicate.All(nil, nothing), false},
		"any of none":         {predicate.Any(), false},
		"any with nil":        {predicate.Any(nothing, nil), true},
		"any of nothing":      {predicate.Any(nothing), false},
		"not nil":             {predicate.Not(nil), false},
		"not nothing":         {predicate.Not(nothing), true},
		"not not of anything": {predicate.Not(predicate.Not(nothing)), false},
	} {
		if got := c.got.Match(nil, predicate.Meta{}, nil); got != c.want {
			t.Errorf("%s is %t", name, got)
		}
		if c.got.IsNothing() == c.want {
			t.Errorf("%s: IsNothing is %t", name, c.want)
		}
	}
}
