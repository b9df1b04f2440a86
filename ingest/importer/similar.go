package importer

import (
	"strings"
	"unicode"

	"canopy/models"
)

// synonyms bring the words of other systems to Canopy's.
var synonyms = map[string]string{
	"opportunity": "deal", "opp": "deal", "company": "account", "organisation": "account", "organization": "account", "firm": "account", "customer": "account", "client": "account",
	"person": "contact", "prospect": "lead", "agent": "owner", "rep": "owner", "salesperson": "owner", "seller": "owner", "assignee": "owner", "assigned": "owner",
	"mail": "email", "e": "", "telephone": "phone", "tel": "phone", "mobile": "phone", "employees": "employee", "headcount": "employee", "count": "", "number": "", "no": "", "of": "", "the": "",
	"year": "", "established": "founded", "foundation": "founded", "industry": "sector", "vertical": "sector", "site": "website", "homepage": "website", "url": "website",
	"sales": "", "item": "product", "sku": "product", "subsidiary": "parent", "region": "territory", "office": "territory", "regional": "territory",
	"close": "closed", "closing": "closed", "title": "title", "nation": "country", "price": "price", "value": "amount", "worth": "amount", "reference": "external", "ref": "external", "identifier": "id", "key": "id",
	"phase": "stage", "family": "series", "line": "series", "date": "", "at": "", "on": "", "in": "",
}

// words splits a column's or field's name into lower-case words in Canopy's vocabulary.
func words(name string) []string {
	var list []string
	var b strings.Builder
	flush := func() {
		word := b.String()
		b.Reset()
		if word == "" {
			return
		}
		if meant, ok := synonyms[word]; ok {
			word = meant
		}
		if word != "" {
			list = append(list, word)
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		case unicode.IsUpper(r) && lower:
			flush()
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
	}
	flush()
	return list
}

// alike is the Dice similarity of two lists of words, where words that differ by a typing error count for most of a word. In [0,1].
func alike(x, y []string) float64 {
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	shared := 0.0
	for _, a := range x {
		best := 0.0
		for _, b := range y {
			switch {
			case a == b:
				best = 1
			case len(a) > 3 && len(b) > 3 && editDistance(a, b) <= 1:
				best = max(best, 0.8)
			}
		}
		shared += best
	}
	return min(1, 2*shared/float64(len(x)+len(y)))
}

// nameScore says how well a column's name fits a field of an object. In [0,1].
func nameScore(column string, o *models.Object, f *models.Field) float64 {
	of := words(column)
	object := strings.ReplaceAll(o.Name, "_", "")
	score := max(alike(of, words(f.Name)), alike(of, words(f.Label)))
	var without []string // deal_stage is a deal's stage
	for _, w := range of {
		if w != object {
			without = append(without, w)
		}
	}
	if len(without) < len(of) {
		score = max(score, 0.95*alike(without, words(f.Name)), 0.95*alike(without, words(f.Label)))
		if len(without) == 0 && f.Name == o.Title { // a column "account" names an account
			score = max(score, 0.9)
		}
	}
	if o.Name == "user" && f.Name == o.Title && len(of) == 1 && of[0] == "owner" { // a column "sales agent" names a user
		score = max(score, 0.8)
	}
	if f.Kind == models.Reference && len(of) == 1 && of[0] == f.To {
		score = max(score, 0.85)
	}
	if f.Name == "external_id" && len(of) > 0 && of[len(of)-1] == "id" {
		score = max(score, 0.8)
		if len(of) == 1 || len(of) == 2 && of[0] == object {
			score = 0.9
		}
	}
	return score
}
