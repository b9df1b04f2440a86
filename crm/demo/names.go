package demo

import "strings"

var (
	places     = []string{"Alder", "Birk", "Cedar", "Dunmore", "Eikeland", "Fjord", "Glen", "Harrow", "Isar", "Jura", "Kestrel", "Linden", "Moss", "Norr", "Oster", "Pine", "Quarry", "Rhone", "Sonder", "Tarn", "Umber", "Vale", "Wester", "Yarrow", "Zell"}
	trades     = []string{"Waterworks", "Energy", "Foods", "Chemicals", "Freight", "Utilities", "Laboratories", "Breweries", "Ceramics", "Textiles", "Paper", "Steel", "Glass", "Dairy", "Minerals", "Marine"}
	forms      = []string{"", " Group", " & Sons", " Works", " Partners", " International", " Cooperative"}
	givenNames = []string{"Anna", "Bruno", "Clara", "David", "Elif", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Katja", "Liam", "Marta", "Nils", "Olga", "Pedro", "Rosa", "Stefan", "Tilda", "Ugo", "Vera", "Walter", "Xenia", "Yannis", "Zora"}
	surnames   = []string{"Almeida", "Bauer", "Costa", "Dvorak", "Eriksen", "Fontana", "Gruber", "Hansen", "Ivanova", "Jansen", "Keller", "Laurent", "Marin", "Nilsen", "Olsson", "Petrov", "Ricci", "Santos", "Thomsen", "Urban", "Vidal", "Weber", "Ximenez", "Yilmaz", "Zeman"}
	jobTitles  = []string{"Plant manager", "Head of maintenance", "Buyer", "Quality engineer", "Operations director", "Process engineer", "Managing director"}
)

// accountName gives a different name for each number below 70,000 (25 places × 16 trades × 7 forms × 25 second places).
func accountName(i int) string {
	place, trade, form, second := places[i%25], trades[i/25%16], forms[i/400%7], places[i/2800%25]
	if i/2800 == 0 {
		return place + " " + trade + form
	}
	return place + "-" + second + " " + trade + form
}

// personName gives a different name for each number below 390,625.
func personName(i int) string {
	given, surname := givenNames[i%25], surnames[i/25%25]
	switch {
	case i < 625:
		return given + " " + surname
	case i < 15_625:
		return given + " " + givenNames[i/625%25] + " " + surname
	}
	return given + " " + givenNames[i/625%25] + " " + surname + "-" + surnames[i/15_625%25]
}

func domain(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r == '-':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(name)), "-") + ".example"
}

func email(person, domain string) string {
	return strings.ReplaceAll(strings.ToLower(person), " ", ".") + "@" + domain
}
