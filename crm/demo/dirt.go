package demo

import "strings"

// misspelt are what people make of the names of sources when they type them.
var misspelt = map[string][]string{
	"newsletter": {"Newsletter ", "news letter", "newsleter"}, "content": {"Content", "blog??"}, "list": {"List 2024", "purchased list"}, "event": {"Event", "Messe", "evnet"},
	"organic_search": {"Google", "organic serach", "web"}, "paid_search": {"Adwords", "google ads", "paid-search"}, "paid_social": {"LinkedIn ads", "linkdin"},
	"email": {"E-Mail", "mailing"}, "referral": {"Refferal", "recommended"}, "partner": {"Partner (old)", "reseller"}, "outbound": {"cold call", "Outbound!"},
}

// spelt writes a source as people write it: rightly, most of the time.
func (c *company) spelt(chance chance, source string) string {
	if list := misspelt[source]; len(list) > 0 && chance.of(c.truths.Dirt.Misspelt) {
		return strings.TrimSpace(pick(chance, list))
	}
	return source
}

// otherSpelling writes a name as somebody else would: turned around, shortened, without its accents, in capitals.
func otherSpelling(chance chance, name string) string {
	given, rest, ok := strings.Cut(name, " ")
	if !ok {
		return name
	}
	switch chance.IntN(4) {
	case 0:
		return rest + ", " + given
	case 1:
		return given[:1] + ". " + rest
	case 2:
		return strings.ReplaceAll(strings.ToUpper(latin.Replace(name)), ".", " ")
	}
	return strings.ReplaceAll(latin.Replace(name), ".", " ")
}

// remarks are what people write into notes, with what their keyboards hold.
var remarks = []string{
	"", "", "", "Asked for a price by Friday.", "Wants to see it with their own data 👍", "Budget talk next quarter.", "Knows us from the fair.",
	"מעוניין בהדגמה בשבוע הבא", "يرغب في عرض تجريبي", "Sounded busy – keep it short.", "Competitor is in the house already 😬", "Bitte Angebot auf Deutsch schicken.",
}
