package importer

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"canopy/models"
)

// SyntheticMapping reads what WriteDeals writes; it needs no records beforehand.
const SyntheticMapping = `# Deals of a company that does not exist, for measuring.
currency: USD
ensure:
  - object: pipeline
    key: name
    records:
      - {name: Synthetic}
  - object: stage
    key: key
    records:
      - {key: Synthetic/Qualified, name: Qualified, pipeline: Synthetic, rank: "1", status: open}
      - {key: Synthetic/Won, name: Won, pipeline: Synthetic, rank: "2", status: won}
      - {key: Synthetic/Lost, name: Lost, pipeline: Synthetic, rank: "3", status: lost}
records:
  - object: deal
    key: external_id
    fields:
      external_id: {from: id}
      name: {template: "{product} for {account}"}
      account: {from: account, lookup: {by: name, missing: create}}
      product: {from: product, lookup: {by: name, missing: create}}
      owner: {from: owner, lookup: {by: name, missing: create, with: {scope: owner}}}
      source: {from: source}
    history:
      - at: opened
        fields:
          stage: {value: Synthetic/Qualified, lookup: {by: key}}
          amount: {from: list}
          list_value: {from: list}
      - at: closed
        when: {column: status, in: [Won, Lost]}
        missing: refuse
        fields:
          stage: {template: "Synthetic/{status}", lookup: {by: key}}
          amount: {from: amount}
          lost_reason: {value: not_recorded}
`

// WriteDeals writes a CSV file of rows deals: the same rows and seed give the same bytes. Seven of ten deals are decided; there is one
// account a hundred deals, and there are 40 owners and 12 products.
func WriteDeals(w io.Writer, rows int, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 0x63616e6f7079)) //nolint:gosec // nothing secret
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "id,account,product,owner,source,status,opened,closed,list,amount")
	first := models.NewDate(2020, time.January, 1)
	sources := []string{"inbound", "outbound", "partner", "other"}
	for n := range rows {
		opened := first.AddDays(random.IntN(1500))
		status, closed, list := "Open", "", 100+random.IntN(50_000)
		amount := ""
		if d := random.IntN(10); d < 7 {
			status = []string{"Won", "Lost"}[d%2]
			closed = opened.AddDays(1 + random.IntN(120)).String()
			amount = fmt.Sprintf("%d.%02d", list*(70+random.IntN(31))/100, random.IntN(100))
		}
		fmt.Fprintf(out, "S%08d,Account %d,Product %d,Owner %d,%s,%s,%s,%s,%d,%s\n", n+1, random.IntN(rows/100+1)+1, random.IntN(12)+1,
			random.IntN(40)+1, sources[random.IntN(len(sources))], status, opened, closed, list, amount)
	}
	return out.Flush()
}
