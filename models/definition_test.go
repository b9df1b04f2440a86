package models

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func grow(t *testing.T, r *Registry, text string) (*Registry, error) {
	t.Helper()
	d, err := ParseDefinition(text)
	if err != nil {
		return nil, err
	}
	return r.Grow(d)
}

func TestDefinitionsThatDoNotFitNameTheirField(t *testing.T) {
	t.Parallel()
	r, err := Standard()
	if err != nil {
		t.Fatal(err)
	}
	r, err = grow(t, r, `{"object":"account","fields":[{"name":"segment","kind":"text","label":"Segment"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for field, text := range map[string]string{
		"account.segment":  `{"object":"account","fields":[{"name":"segment","kind":"text","label":"Segment"}]}`,
		"account.name":     `{"object":"account","fields":[{"name":"name","kind":"text","label":"Name"}]}`,
		"account.Segment2": `{"object":"account","fields":[{"name":"Segment2","kind":"text","label":"Segment"}]}`,
		"account.shade":    `{"object":"account","fields":[{"name":"shade","kind":"colour","label":"Shade"}]}`,
		"account.press":    `{"object":"account","fields":[{"name":"press","kind":"reference","to":"press","label":"Press"}]}`,
		"account.position": `{"object":"account","fields":[{"name":"position","kind":"number","label":"Position"}]}`,
		"account.must":     `{"object":"account","fields":[{"name":"must","kind":"text","label":"Must","required":true}]}`,
		"account.silent":   `{"object":"account","fields":[{"name":"silent","kind":"text"}]}`,
		"account.colour":   `{"object":"account","amend":[{"field":"colour","label":"Colour"}]}`,
		"deal":             `{"object":"deal","new_object":{"name":"deal","label":"Deal","title":"name","fields":[{"name":"name","kind":"text","label":"Name"}]}}`,
		"castle":           `{"object":"castle","fields":[{"name":"name","kind":"text","label":"Name"}]}`,
		"definition":       `{"object":"account","feilds":[]}`,
	} {
		_, err := grow(t, r, text)
		var said *Error
		if !errors.As(err, &said) || said.Code != Invalid || said.Field != field {
			t.Errorf("want invalid %s, got %v", field, err)
		}
	}
}

func TestAliasesMapSpellingsToOneValue(t *testing.T) {
	t.Parallel()
	r, err := Standard()
	if err != nil {
		t.Fatal(err)
	}
	r, err = grow(t, r, `{"object":"account","fields":[{"name":"trade","kind":"picklist","label":"Trade","options":[{"value":"retail","label":"Retail"},{"value":"bank","label":"Bank"}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	spellings := []string{"Retail & Wholesale", "retail trade", "RTL", "shops", "e-commerce", "Einzelhandel", "détail", "high street", "store", "stores",
		"retailing", "retailer", "Retail/CPG", "consumer", "merchandising", "grocery", "fashion", "department store", "mail order", "convenience"}
	list := `"` + strings.Join(spellings, `","`) + `"`
	r, err = grow(t, r, `{"object":"account","amend":[{"field":"trade","options":[{"value":"retail","aliases":[`+list+`]}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	trade := r.Object("account").Field("trade")
	for _, s := range append(spellings, "retail", "Retail") {
		for _, given := range []string{s, strings.ToUpper(s), "  " + strings.ReplaceAll(s, " ", " \t ") + " "} {
			if v, err := trade.ParseText(given, TextContext{}); err != nil || v != "retail" {
				t.Errorf("%q is %v, %v", given, v, err)
			}
		}
	}
	if _, err := trade.ParseText("railways", TextContext{}); err == nil {
		t.Error("an unknown spelling is taken")
	}
	if _, err := grow(t, r, `{"object":"account","amend":[{"field":"trade","options":[{"value":"bank","aliases":["SHOPS"]}]}]}`); err == nil {
		t.Error("one spelling means two options")
	}
	r, err = grow(t, r, `{"object":"account","amend":[{"field":"trade","options":[{"value":"retail","retired":true}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Object("account").Field("trade").ParseText("shops", TextContext{}); err == nil {
		t.Error("a spelling of a retired option is taken")
	}
}

// A registry only grows: whatever changes are approved, an image written under any earlier version is read under the last one
// with the same values, and the version before is left as it was.
func TestOldImagesAlwaysParse(t *testing.T) {
	t.Parallel()
	kinds := []Kind{Text, LongText, Number, MoneyKind, DateKind, Boolean, Picklist, MultiPick, Score, Country}
	rapid.Check(t, func(t *rapid.T) {
		r, err := Standard()
		if err != nil {
			t.Fatal(err)
		}
		type kept struct {
			image  []byte
			values []Value
		}
		var images []kept
		write := func() {
			o := r.Object("account")
			values := make([]Value, len(o.Fields))
			for i, f := range o.Fields {
				if f.Kind == Picklist && len(f.Options) > 0 {
					values[i] = rapid.SampledFrom(f.Options).Draw(t, f.Name).Value
				} else if f.Kind == Text {
					values[i] = rapid.StringMatching(`[a-z]{1,8}`).Draw(t, f.Name)
				}
			}
			images = append(images, kept{o.AppendImage(nil, values), values})
		}
		for n := range rapid.IntRange(1, 8).Draw(t, "changes") {
			before, fields := r, len(r.Object("account").Fields)
			d := Definition{Object: "account"}
			kind := rapid.SampledFrom(kinds).Draw(t, "kind")
			f := &Field{Name: fmt.Sprintf("extra_%d", n), Kind: kind, Label: "Extra"}
			if kind == Picklist || kind == MultiPick {
				f.Options = []Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}
			}
			picks := picklists(r.Object("account"))
			if rapid.Bool().Draw(t, "amend") && len(picks) > 0 {
				pick := rapid.SampledFrom(picks).Draw(t, "pick")
				retired := rapid.Bool().Draw(t, "retired")
				d.Amend = []Amendment{{Field: pick.Name, Options: []OptionChange{{Value: pick.Options[0].Value, Retired: &retired}, {Value: fmt.Sprintf("new %d", n)}}}}
			} else {
				d.Fields = []*Field{f}
			}
			grown, err := r.Grow(d)
			if err != nil {
				t.Fatal(err)
			}
			if r = grown; len(before.Object("account").Fields) != fields || before.Version()+1 != r.Version() {
				t.Fatal("growing changed what was before")
			}
			if r.Object("contact") != before.Object("contact") {
				t.Fatal("an object that did not change is another")
			}
			write()
		}
		o := r.Object("account")
		for _, k := range images {
			values, err := o.ParseImage(k.image)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range k.values {
				if !ValuesEqual(values[i], v) {
					t.Fatalf("%s was %v and is %v", o.Fields[i].Name, v, values[i])
				}
			}
		}
	})
}

func picklists(o *Object) []*Field {
	var picks []*Field
	for _, f := range o.Fields {
		if f.Kind == Picklist && f.Default == "" && !f.ReadOnly { // the rest is refused
			picks = append(picks, f)
		}
	}
	return picks
}
