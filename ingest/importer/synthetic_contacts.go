package importer

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
)

// ContactsMapping reads what WriteContacts writes; accounts and owners are made where they are missing.
const ContactsMapping = `# People who do not exist, for measuring.
currency: USD
country: US
records:
  - object: contact
    key: email
    fields:
      email: {from: email}
      name: {from: name}
      phone: {from: phone}
      job_title: {from: title}
      country: {from: country}
      source: {from: source}
      account: {from: account, lookup: {by: name, missing: create}}
      owner: {from: owner, lookup: {by: name, missing: create, with: {scope: owner}}}
`

var (
	givenNames  = []string{"Anna", "Ben", "Carla", "David", "Elena", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Karin", "Liam", "Maria", "Noah", "Olga", "Pedro", "Quinn", "Rosa", "Samir", "Tessa", "Ulla", "Victor", "Wanda", "Xenia", "Yusuf", "Zoe"}
	nameStems   = []string{"Ander", "Bauer", "Carl", "Dahl", "Eriks", "Fisch", "Grün", "Hoff", "Ibra", "Jans", "Kowal", "Lind", "Mayer", "Nord", "Oliv", "Peter", "Rossi", "Schmidt", "Thom", "Vogel", "Wagner", "Zimmer"}
	nameEndings = []string{"", "berg", "er", "feld", "ini", "mann", "owski", "sen", "son", "stein"}
	jobTitles   = []string{"Buyer", "Head of operations", "Engineer", "Founder", "Controller", "Analyst"}
	countries   = []string{"DE", "US", "FR", "GB", "SE", "IT", "ES", "PL"}
	sources     = []string{"Webinar", "Fair", "Referral", "Website", "Call"}
)

// ContactOwners is how many owners the contacts of WriteContacts have.
const ContactOwners = 200

// WriteContacts writes a CSV file of contacts: the same numbers and seed give the same bytes. accounts is how many distinct accounts they
// work at; there are ContactOwners owners.
func WriteContacts(w io.Writer, rows, accounts int, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 0x63616e6f7079)) //nolint:gosec // nothing secret
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "name,email,phone,title,country,source,account,owner")
	first := int(seed) //nolint:gosec // small; files of other seeds have other addresses
	for n := range rows {
		given, stem, ending := pick(givenNames), pick(nameStems), pick(nameEndings)
		account := random.IntN(accounts) + 1
		fmt.Fprintf(out, "%s %s%s,%s.%s%d@company%d.example,+1 212 555 %04d,%s,%s,%s,Company %d,Owner %d\n", given, stem, ending, given, ending, first+n, account,
			random.IntN(10_000), pick(jobTitles), pick(countries), pick(sources), account, random.IntN(ContactOwners)+1)
	}
	return out.Flush()
}
