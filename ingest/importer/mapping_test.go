package importer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"canopy/models"
)

func standard(t *testing.T) *models.Registry {
	t.Helper()
	r, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// planOf compiles a mapping for a header, in the zone of Berlin and in euros.
func planOf(t *testing.T, text string, header ...string) (*plan, error) {
	t.Helper()
	m, err := ParseMapping(text)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return compile(m, header, func(int) bool { return false }, standard(t), Workspace{Zone: zone, Currency: "EUR"})
}

func TestMappingsAreReadStrictly(t *testing.T) {
	t.Parallel()
	account := "records:\n  - object: account\n    fields:\n      name: {from: name}\n"
	for text, want := range map[string]string{
		"":                             "the mapping is empty",
		"records: [":                   "not YAML",
		"recrods: []":                  `line 1: unknown key "recrods"; did you mean "records"?`,
		"records: {object: account}":   "line 1: wanted a list",
		account + "records: []":        `line 5: "records" is said twice`,
		account + "    filds: {}":      `records[1].filds: line 5: unknown key "filds"; did you mean "fields"?`,
		account + "zone: Mars/Olympus": `zone: "Mars/Olympus" is no time zone`,
		account + "dates: DD.MM":       "year (YYYY), month (MM) and day (DD) belong to it",
		account + "dates: 02/01/2006":  "is no date notation",
		account + "currency: EURO":     "is no ISO 4217 currency",
		account + "notes: [{text: x, when: {column: name}}]":                                 "a condition asks one thing",
		account + "    key: sector":                                                          "account.sector is no key; keys of a account: name",
		account + "    repeats: maybe":                                                       `"maybe" is neither refuse nor allow`,
		strings.Replace(account, "account", "acount", 1):                                     `there is no object "acount"; did you mean "account"?`,
		strings.Replace(account, "name:", "nmae:", 1):                                        `account has no field "nmae"; did you mean "name"?`,
		strings.Replace(account, "from: name", "from: nam", 1):                               `the file has no column "nam"; did you mean "name"?`,
		strings.Replace(account, "from: name", "from: name, value: x", 1):                    "a value comes from one of",
		strings.Replace(account, "name: {from: name}", "sector: {from: name}", 1):            "account.name is required and has no value",
		account + "      founded_in: {value: long ago}":                                      `"long ago" is not a number`,
		account + "      founded_in: {from: name, times: many}":                              "is not a factor",
		account + "      parent: {from: name}":                                               "parent refers to a account: say how it is found",
		account + "      parent: {from: name, lookup: {by: sector, missing: perhaps}}":       `"perhaps" is none of refuse, empty, create, later`,
		account + "      parent: {from: name, lookup: {by: annual_revenue}}":                 "are not found by annual_revenue",
		account + "      parent: {from: name, lookup: {by: name, missing: later}}":           "needs a key",
		account + "      annual_revenue: {over: parent.annual_revenue}":                      "parent has no value in this mapping",
		account + "      sector: {over: name.x}":                                             "name is no reference",
		account + "      sector: {template: \"{name\"}":                                      "opens a brace that is not closed",
		account + "      sector: {template: \"[a[b]]\"}":                                     "a bracket within a bracket",
		account + "      sector: {from: twice}":                                              `the file has two columns "twice"`,
		account + "    history: [{at: name, fields: {name: {from: name}}}]":                  "name is among the record's fields already",
		"records: [{object: deal, fields: {name: {from: name}, status: {value: won}}}]":      "status is written by rules only",
		"records: [{object: lead, fields: {name: {from: name}, status: {value: splendid}}}]": `"splendid" is none of new, mql, working, qualified, rejected, converted`,
	} {
		_, err := planOf(t, text, "name", "twice", "twice")
		var said *models.Error
		if !errors.As(err, &said) || said.Code != models.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n→ %v\nwant %s", text, err, want)
		}
	}
}

// rowOf plans one row and gives its values as text, or its refusal.
func rowOf(p *plan, cells ...string) (string, *models.Error) {
	r := p.read(row{number: 7, cells: cells})
	if r.refused != nil {
		return "", r.refused
	}
	var parts []string
	for _, record := range r.records {
		for _, v := range record.all() {
			switch {
			case v.lookup != nil:
				parts = append(parts, fmt.Sprintf("%s→%s", v.field.Name, v.text))
			case v.value != nil:
				parts = append(parts, fmt.Sprintf("%s=%s", v.field.Name, v.field.AppendJSON(nil, v.value)))
			}
		}
		for _, s := range record.steps {
			at := "unknown"
			if !s.at.IsZero() {
				at = s.at.Format(time.RFC3339)
			}
			parts = append(parts, "@"+at)
		}
	}
	return strings.Join(parts, " "), nil
}

func TestValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ expression, cell, want, wrong string }{
		"plain":               {`sector: {from: x}`, " retail ", `sector="retail"`, ""},
		"empty":               {`sector: {from: x}`, "", "", ""},
		"default":             {`sector: {from: x, default: other}`, "", `sector="other"`, ""},
		"value map":           {`sector: {from: x, values: {technolgy: technology}}`, "technolgy", `sector="technology"`, ""},
		"country by name":     {`country: {from: x}`, "Korea", `country="KR"`, ""},
		"no country":          {`country: {from: x}`, "Philipines", "", `"Philipines" is not a country`},
		"millions":            {`annual_revenue: {from: x, times: "1000000"}`, "1100.04", `annual_revenue={"amount":"1100040000.00","currency":"EUR"}`, ""},
		"cents":               {`annual_revenue: {from: x, times: "0.01", currency: USD}`, "12345", `annual_revenue={"amount":"123.45","currency":"USD"}`, ""},
		"not exact":           {`annual_revenue: {from: x, times: "0.001"}`, "1", "", "more than 2 decimals"},
		"grouped":             {`annual_revenue: {from: x}`, "$1,234,567.80", `annual_revenue={"amount":"1234567.80","currency":"EUR"}`, ""},
		"wrongly grouped":     {`annual_revenue: {from: x}`, "12,34.5", "", "decimal mark"},
		"own currency":        {`annual_revenue: {from: x}`, "1,234.50 JPY", "", "more than 0 decimals"},
		"own currency, yen":   {`annual_revenue: {from: x}`, "1,234 JPY", `annual_revenue={"amount":"1234","currency":"JPY"}`, ""},
		"words":               {`annual_revenue: {from: x}`, "a lot", "", "not a number"},
		"exponent":            {`annual_revenue: {from: x, times: "10"}`, "1e9", "", "not a number"},
		"picks":               {`tags: {from: x}`, "partner;customer", `tags=["customer","partner"]`, ""},
		"unknown pick":        {`tags: {from: x}`, "friend", "", `"friend" is none of`},
		"lookup":              {`parent: {from: x, lookup: {by: name}}`, "Acme", `parent→Acme`, ""},
		"template":            {`sector: {template: "{x}[ of {y}]"}`, "head", `sector="head"`, ""},
		"blank":               {`sector: {from: x}`, "Select", "", ""},
		"too long":            {`sector: {from: x}`, strings.Repeat("x", 1001), "", "longer than 1000 characters"},
		"telephone, national": {`phone: {from: x}`, "030 901820", `phone="+4930901820"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := planOf(t, "blank: [Select]\ncountry: DE\nrecords:\n  - object: account\n    fields:\n      name: {value: A}\n      "+c.expression, "x", "y")
			if err != nil {
				t.Fatal(err)
			}
			got, wrong := rowOf(p, strings.TrimSpace(c.cell), "")
			if c.wrong != "" {
				if wrong == nil || !strings.Contains(wrong.Message, c.wrong) || wrong.Row != 7 || wrong.Field != "x" {
					t.Errorf("%+v", wrong)
				}
				return
			}
			if want := strings.TrimSpace(`name="A" ` + c.want); wrong != nil || got != want {
				t.Errorf("%s (%v), want %s", got, wrong, want)
			}
		})
	}
}

func TestGermanNumbers(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, "decimal: \",\"\nrecords:\n  - object: account\n    fields:\n      name: {value: A}\n      annual_revenue: {from: x}", "x")
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]string{"1.234,5": "1234.50", "1234": "1234.00", "-0,05 €": "-0.05", "1 234,50": "1234.50", "1.234.567": "1234567.00"} {
		if got, wrong := rowOf(p, cell); wrong != nil || got != `name="A" annual_revenue={"amount":"`+want+`","currency":"EUR"}` {
			t.Errorf("%s: %s (%v)", cell, got, wrong)
		}
	}
	if got, wrong := rowOf(p, "12.50"); wrong == nil {
		t.Errorf("12.50 was read as %s", got)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ form, text, want string }{
		{"", "2017-06-30", "2017-06-30T00:00:00+02:00"},
		{"", "2017-06-30T10:00:00Z", "2017-06-30T12:00:00+02:00"},
		{"DD/MM/YYYY", "03/04/2017", "2017-04-03T00:00:00+02:00"},
		{"MM/DD/YYYY", "03/04/2017", "2017-03-04T00:00:00+01:00"},
		{"D.M.YY", "3.4.17", "2017-04-03T00:00:00+02:00"},
		{"YYYYMMDD", "20170403", "2017-04-03T00:00:00+02:00"},
		{"MMM D, YYYY h:mm PM", "Apr 3, 2017 4:05 PM", "2017-04-03T16:05:00+02:00"},
		{"YYYY-MM-DDTHH:mm:ssZZ", "2017-04-03T10:00:00-05:00", "2017-04-03T17:00:00+02:00"},
		{"DD/MM/YYYY", "31/02/2017", ""},
		{"DD/MM/YYYY", "29/02/2016", "2016-02-29T00:00:00+01:00"},
		{"DD/MM/YYYY", "29/02/2017", ""},
		{"DD/MM/YYYY", "3/4/2017 x", ""},
		{"", "31/02/2017", ""},
		{"", "2017-02-31", ""},
	} {
		form, err := parseDateForm(c.form)
		if err != nil {
			t.Fatal(err)
		}
		zone, _ := time.LoadLocation("Europe/Berlin")
		got, err := form.parse(c.text, zone)
		if c.want == "" {
			if err == nil || form.remedy(c.text) == "" {
				t.Errorf("%s as %q: %s", c.text, c.form, got)
			}
			continue
		}
		if err != nil || got.In(zone).Format(time.RFC3339) != c.want {
			t.Errorf("%s as %q: %s (%v), want %s", c.text, c.form, got.In(zone).Format(time.RFC3339), err, c.want)
		}
	}
	// In São Paulo the night of 2017-10-15 had no midnight.
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	form, err := parseDateForm("DD/MM/YYYY")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := form.parse("15/10/2017", zone); err != nil || got.UTC().Format(time.RFC3339) != "2017-10-15T03:00:00Z" {
		t.Errorf("%s (%v)", got.UTC(), err)
	}
}

const storied = `
dates: DD/MM/YYYY
records:
  - object: deal
    key: external_id
    fields:
      external_id: {from: id}
      name: {value: D}
    history:
      - {at: opened, fields: {next_step: {value: open}}}
      - {at: closed, when: {column: status, in: [Won, Lost]}, missing: refuse, fields: {next_step: {value: closed}}}
`

func TestHistory(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, storied, "id", "status", "opened", "closed")
	if err != nil {
		t.Fatal(err)
	}
	base := `name="D" external_id="1" `
	for cells, want := range map[string]string{
		"1,Open,02/01/2017,":          base + `next_step="open" @2017-01-01T23:00:00Z`,
		"1,Open,,":                    base + `next_step="open" @unknown`,
		"1,Won,02/01/2017,03/01/2017": base + `next_step="open" next_step="closed" @2017-01-01T23:00:00Z @2017-01-02T23:00:00Z`,
		"1,Won,02/01/2017,02/01/2017": base + `next_step="closed" @2017-01-01T23:00:00Z`, // the same instant: one change
		"1,Won,,02/01/2017":           base + `next_step="closed" @2017-01-01T23:00:00Z`, // the opening is known no better
		"1,Open,31/02/2017,":          `opened: "31/02/2017" is not a date written DD/MM/YYYY`,
		"1,Won,02/01/2017,":           "closed: the instant is empty",
		"1,Won,03/01/2017,02/01/2017": `closed: "02/01/2017" lies before the step that comes first`,
		",Open,02/01/2017,":           "id: the key is empty",
		"1,Won,31/02/2017,30/02/2017": "2 fields need attention",
		"1,Open,2017-01-02,":          `opened: "2017-01-02" is not a date written DD/MM/YYYY`,
	} {
		got, wrong := rowOf(p, strings.Split(cells, ",")...)
		if wrong != nil {
			got = wrong.Error()
			if len(wrong.Details) == 0 && wrong.Remedy == "" {
				t.Errorf("%s: no remedy", cells)
			}
		}
		if got != want && !strings.HasPrefix(got, want+" (row 7)") && !strings.HasPrefix(got, want+";") && (wrong == nil || !strings.HasPrefix(got, want)) {
			t.Errorf("%s:\n%s\nwant\n%s", cells, got, want)
		}
	}
	r := p.read(row{number: 2, cells: []string{"1", "Open", "2017-01-02", ""}})
	if !strings.Contains(r.refused.Remedy, "format: YYYY-MM-DD") {
		t.Errorf("the remedy does not name the form that fits: %s", r.refused.Remedy)
	}
}

func TestChunksFollowTheClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, size, want int
		worked        time.Duration
		committing    time.Duration
	}{
		{16, 16, 32, time.Millisecond, 0},         // grows twofold at most
		{100, 100, 100, 30 * time.Millisecond, 0}, // as aimed
		{100, 100, 50, 60 * time.Millisecond, 0},
		{100, 100, 80, 30 * time.Millisecond, 6 * time.Millisecond},
		{100, 100, 50, 30 * time.Millisecond, time.Second}, // a slow disk does not make chunks small without end
		{100, 100, 25, time.Second, 0},                     // shrinks fourfold at most
		{1, 1, 1, time.Second, 0},
		{3, 100, 100, time.Millisecond, 0}, // the end of a file says nothing
		{3000, 3000, maxChunk, time.Millisecond, 0},
	} {
		if got := nextSize(c.n, c.size, c.worked, c.committing); got != c.want {
			t.Errorf("after %d rows in %s and %s: %d, want %d", c.n, c.worked, c.committing, got, c.want)
		}
	}
}
