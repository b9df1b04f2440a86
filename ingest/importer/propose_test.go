package importer

import (
	"strings"
	"testing"
	"time"

	"canopy/models"

	"pgregory.net/rapid"
)

func propose(t *testing.T, text string) string {
	t.Helper()
	path, f := stored(t, []byte(text))
	header, rows := readAll(t, path, f)
	var sample [][]string
	for _, r := range rows {
		sample = append(sample, r.cells)
	}
	yaml, err := Propose(header, sample, func(int) bool { return false }, standard(t), Workspace{Zone: time.UTC, Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	return yaml
}

func TestProposals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file  string
		wants []string
	}{
		"people": {"First Name,Last Name,E-Mail,Mobile,Company,Job Title\nAda,Lovelace,ada@example.com,+44 20 7946 0000,Engines,Countess\nMary,Somerville,mary@example.com,,Engines,Writer\n",
			[]string{"object: contact", "key: email", `name: {template: "{First Name} {Last Name}"}`, "phone: {from: Mobile}", "account: {from: Company, lookup: {by: name, missing: empty}}", "job_title: {from: Job Title}"}},
		"opportunities": {"Opportunity ID;Opportunity Name;Account;Stage;Amount;Created Date;Close Date;Owner\nA1;Big one;Acme;Negotiation;1.234,50;02/01/2024;;Kim\nA2;Small one;Acme;Closed Won;99,90;13/01/2024;20/02/2024;Lee\n",
			[]string{"object: deal", "key: external_id", `decimal: ","`, "format: DD/MM/YYYY", "key: Imported deals/Closed Won", "status: won", "- at: Created Date", "- at: Close Date", "owner: {from: Owner"}},
		"products": {"SKU,Family,List Price,Weight\nBolt,Steel,0.10,5\nNut,Steel,0.08,4\n", []string{"object: product", "key: name", "series: {from: Family}", "list_price: {from: List Price}", "nowhere yet: Weight"}},
		"leads": {"Lead Name,Lead Source,E-mail,Country,Created On\nX,Google,x@example.com,India,2024-01-02\nY,Direct,y@example.com,Japan,2024-02-03\n",
			[]string{"object: lead", "source: {from: Lead Source}", "country: {from: Country}", "- at: Created On"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := propose(t, c.file)
			for _, want := range c.wants {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// Whatever the columns are called and hold, a proposal is a mapping that compiles, or there is none and that is said.
func TestProposalsAreValid(t *testing.T) {
	t.Parallel()
	registry := standard(t)
	names := rapid.OneOf(rapid.SampledFrom([]string{"name", "deal_stage", "Account", "e-mail", "Close Date", "created", "opportunity id", "amount", "owner", "first name", "last name", "product", "campaign", "role", "done_at", "subject", "type", "a: b", "x}{", "#", "[stage]", "'q'", "null", "true"}), rapid.StringN(1, 12, 40))
	cells := rapid.OneOf(rapid.SampledFrom([]string{"", "Won", "Closed lost", "2024-01-02", "31/12/2024", "12,5", "1.5", "a@b.example", "Germany", "yes", "{x}", "a: b # c", "call", "Null"}), rapid.StringN(0, 12, 40))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "columns")
		header := rapid.SliceOfN(names, n, n).Draw(t, "header")
		for i := range header {
			header[i] = strings.TrimSpace(header[i])
		}
		sample := rapid.SliceOfN(rapid.SliceOfN(cells, n, n), 0, 6).Draw(t, "sample")
		text, err := Propose(header, sample, func(int) bool { return false }, registry, Workspace{Zone: time.UTC, Currency: "USD"})
		if err != nil && models.CodeOf(err) != models.Invalid {
			t.Fatalf("%v", err)
		}
		if err == nil && text == "" {
			t.Fatal("an empty proposal")
		}
	})
}
