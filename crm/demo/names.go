package demo

import (
	"strings"
)

// Sizes of accounts by their employees.
const small, medium, large = "small", "medium", "large"

// territory is a part of the market.
type territory struct {
	name      string
	countries []string
}

var (
	territories = []territory{
		{"North", []string{"GB", "SE", "NO", "DK", "FI", "IE"}}, {"Central", []string{"DE", "AT", "CH", "NL", "PL", "CZ"}},
		{"South", []string{"FR", "ES", "IT", "PT", "GR"}}, {"Overseas", []string{"US", "CA", "AU", "SG", "JP", "AE"}},
	}
	heads   = []string{"Ingrid Halvorsen", "Beatriz Amaral", "Andre Moreau", "Grace Okafor"}
	sellers = [][]string{
		{"Tomas Berg", "Maja Lindqvist", "Aksel Dahl", "Fiona Gallagher", "Oskar Lehtinen", "Rhys Morgan", "Astrid Lund", "Declan Byrne"},
		{"Lena Fischer", "Pavel Novak", "Sanne de Vries", "Jakub Zielinski", "Mirjam Keller", "Lukas Steiner", "Hana Dvorakova", "Piet Bakker"},
		{"Sofia Romero", "Nikos Papadakis", "Chiara Conti", "Yara Haddad", "Mateo Ferreira", "Camille Girard", "Paolo Greco", "Ines Carvalho"},
		{"Emily Carter", "Kenji Tanaka", "Noah Tremblay", "Priya Raman", "Omar Farouk", "Chloe Bennett", "Daniel Ong", "Zoe Whitfield"},
	}
	agents     = []string{"Mikko Saari", "Greta Baum", "Luis Ortega", "Aisha Khan"}
	successors = []string{"Mira Osei", "Stefan Albrecht", "Elena Rossi", "Tyler Brooks"}
	marketers  = []string{"Jonas Weiss", "Ana Petrovic"}
)

var (
	places     = []string{"Alder", "Birk", "Cedar", "Dunmore", "Eikeland", "Fjord", "Glen", "Harrow", "Isar", "Jura", "Kestrel", "Linden", "Moss", "Norr", "Oster", "Pine", "Quarry", "Rhone", "Sonder", "Tarn", "Umber", "Vale", "Wester", "Yarrow", "Zell"}
	trades     = []string{"Waterworks", "Energy", "Foods", "Chemicals", "Freight", "Utilities", "Laboratories", "Breweries", "Ceramics", "Textiles", "Paper", "Steel", "Glass", "Dairy", "Minerals", "Marine", "Insurance", "Clinics", "Media", "Schools", "Banking"}
	legal      = []string{"", " Group", " & Sons", " Works", " Partners", " International", " Cooperative", " Holding"}
	sectors    = []string{"Manufacturing", "Logistics", "Energy", "Finance", "Health", "Education", "Retail", "Media", "Public sector"}
	givenNames = []string{"Anna", "Bruno", "Clara", "David", "Elif", "Felix", "Greta", "Hugo", "Irène", "Jonas", "Katja", "Liam", "Marta", "Nils", "Olga", "Pedro", "Quentin", "Rosa", "Stefan", "Tilda", "Ugo", "Vera", "Walter", "Xenia", "Yannis", "Zora", "Aiko", "Björn", "Chidi", "Daria", "Esra"}
	surnames   = []string{"Almeida", "Bauer", "Costa", "Dvořák", "Eriksen", "Fontana", "Grüber", "Hansen", "Ivanova", "Jansen", "Keller", "Laurent", "Marín", "Nilsen", "Olsson", "Petrov", "Quist", "Ricci", "Santos", "Thomsen", "Urban", "Vidal", "Weber", "Ximénez", "Yılmaz", "Zeman", "Adeyemi", "Brand", "Chen", "Duarte", "Engel", "Farkas", "Gallo", "Horvat", "Ito", "Jørgensen", "Kowalski"}
	jobTitles  = []string{"Managing director", "Head of operations", "IT manager", "Team lead", "Analyst", "Assistant", "Student"}
	titleOdds  = []float64{0.08, 0.14, 0.2, 0.21, 0.18, 0.12, 0.07}

	// otherAlphabets are accounts whose names are not in Latin letters, or hold more than letters.
	otherAlphabets = []string{
		"Северный Ветер ООО", "株式会社みどり", "شركة النور للتجارة", "Αιγαίο Λογιστική ΑΕ", "Łódzkie Huty 🌿", "חברת הצפון בע״מ", "서울물산 주식회사", "Ångström & Øre", "Café Ünlü 🍰 GmbH", "深圳晨光科技有限公司",
	}
)

// accountName gives a different name for each number: 21,000 plain ones, and then with a second place, and then a number.
func accountName(i int) string {
	n := len(places) * len(trades)
	place, trade, form, second := places[i%len(places)], trades[i/len(places)%len(trades)], legal[i/n%len(legal)], i/n/len(legal)
	if second == 0 {
		return place + " " + trade + form
	}
	name := place + "-" + places[(second-1)%len(places)] + " " + trade + form
	if round := (second - 1) / len(places); round > 0 {
		name += " " + strings.Repeat("I", round+1)
	}
	return name
}

// personName spreads numbers over names: neighbours differ in both.
func personName(i int) string {
	mixed := i * 7919
	given, surname, middle := givenNames[mixed%len(givenNames)], surnames[mixed/len(givenNames)%len(surnames)], mixed/len(givenNames)/len(surnames)
	if middle%3 == 0 {
		return given + " " + surname
	}
	return given + " " + givenNames[middle%len(givenNames)] + " " + surname
}

// latin writes a name with the letters that addresses have.
var latin = strings.NewReplacer("è", "e", "ø", "o", "ö", "o", "ü", "u", "ř", "r", "á", "a", "í", "i", "é", "e", "ı", "i", "Y", "y", " ", ".")

func local(person string) string { return strings.ToLower(latin.Replace(person)) }

// domainOf gives the web domain of an account's name, blank where it has no Latin letters.
func domainOf(name string) string {
	host := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r == '-':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(name)), "-")
	for strings.Contains(host, "--") {
		host = strings.ReplaceAll(host, "--", "-")
	}
	return host
}
