package predicate

import (
	"slices"
	"strings"

	"canopy/models"
)

// fieldNames lists what a predicate on the object may name.
func fieldNames(object *models.Object) []string {
	names := make([]string, 0, len(object.Fields)+len(metaNames))
	for _, f := range object.Fields {
		names = append(names, f.Name)
	}
	return append(names, metaNames...)
}

// nearestRemedy names up to three of names that were perhaps meant by given; where none is near it lists what there is.
func nearestRemedy(given string, names []string) string {
	type near struct {
		name     string
		distance int
	}
	given = strings.ToLower(given)
	var found []near
	for _, name := range names {
		d := distance(given, strings.ToLower(name))
		if min(len(given), len(name)) > 2 && (strings.Contains(name, given) || strings.Contains(given, name)) {
			d = min(d, 1)
		}
		if d <= max(2, len(given)/3) {
			found = append(found, near{name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	if len(found) > 0 {
		meant := make([]string, 0, 3)
		for _, f := range found[:min(3, len(found))] {
			meant = append(meant, f.name)
		}
		return "Did you mean " + strings.Join(meant, ", ") + "?"
	}
	if len(names) > 40 {
		names = append(slices.Clone(names[:40]), "…")
	}
	return "There are " + strings.Join(names, ", ") + "."
}

// distance counts the bytes to insert, delete or replace to get from a to b (Levenshtein). Both are cut at 64 bytes.
func distance(a, b string) int {
	a, b = a[:min(64, len(a))], b[:min(64, len(b))]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// valueRemedy says how a value for the operator is written.
func valueRemedy(field *models.Field, op Op) string {
	form := map[models.Kind]string{
		models.Number: "12.5", models.Formula: "12.5", models.Score: "0.75", models.Boolean: "true",
		models.MoneyKind: `{"amount":"12.50","currency":"USD"}`, models.DateKind: `"2017-06-30"`,
		models.Instant: `"2017-06-30T14:00:00Z" or a day "2017-06-30"`, models.Country: `"DE"`, models.Email: `"name@example.com"`,
		models.Phone: `"+4930123456"`, models.URL: `"https://example.com"`,
	}[field.Kind]
	switch {
	case op == On || op == InWeek:
		form = `"2017-06-30"`
	case field.Kind == models.Reference:
		form = `"` + field.To + `_12"`
	case op == Contains || op == StartsWith || form == "":
		form = `"text"`
	}
	if op.takesList() {
		return "Write a list of such values: " + form + ". Use is_empty to ask for empty ones."
	}
	return "Write the value as " + form + ". Use is_empty to ask for empty ones."
}
