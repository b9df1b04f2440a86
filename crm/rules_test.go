package crm

import (
	"strings"
	"testing"

	"canopy/models"
)

func rulesOf(t *testing.T, fields ...*models.Field) (*models.Object, *rules) {
	t.Helper()
	object := &models.Object{Name: "thing", Label: "Thing", Title: fields[0].Name, Fields: fields}
	if _, err := models.NewRegistry([]*models.Object{object}); err != nil {
		t.Fatal(err)
	}
	r, err := compileRules(object)
	if err != nil {
		t.Fatal(err)
	}
	return object, r
}

func TestFormulasRoundHalfToEvenAndAreEmptyOverEmptyFields(t *testing.T) {
	t.Parallel()
	_, r := rulesOf(t,
		&models.Field{Name: "name", Kind: models.Text, Label: "Name"},
		&models.Field{Name: "hours", Kind: models.Number, Scale: 1, Label: "Hours"},
		&models.Field{Name: "rate", Kind: models.Number, Label: "Rate"},
		&models.Field{Name: "pay", Kind: models.Formula, Scale: 1, Label: "Pay", Formula: "hours * double(rate) / 4.0"},
		&models.Field{Name: "has_rate", Kind: models.Formula, Label: "Has rate", Formula: "rate == null ? 0 : 1"},
	)
	cases := []struct {
		hours, rate, pay, has models.Value
	}{
		{int64(15), int64(10), int64(38), int64(1)}, // 1.5 × 10 / 4 = 3.75 → 3.8
		{int64(5), int64(1), int64(1), int64(1)},    // 0.5 / 4 = 0.125 → 0.1
		{int64(10), int64(1), int64(2), int64(1)},   // 0.25 → 0.2: half to even
		{nil, int64(1), nil, int64(1)},
		{int64(10), nil, nil, int64(0)},
	}
	for _, x := range cases {
		values := []models.Value{"n", x.hours, x.rate, nil, nil}
		if err := r.compute(values); err != nil {
			t.Fatal(err)
		}
		if values[3] != x.pay || values[4] != x.has {
			t.Errorf("hours %v, rate %v: pay %v, has_rate %v", x.hours, x.rate, values[3], values[4])
		}
	}
	if err := r.compute([]models.Value{"n", int64(9e17), int64(9e17), nil, nil}); err == nil || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("an overflow: %v", err)
	}
}

func TestChecksLookAtWhatIsTouchedAndFilled(t *testing.T) {
	t.Parallel()
	_, r := rulesOf(t,
		&models.Field{Name: "from_on", Kind: models.DateKind, Label: "From"},
		&models.Field{Name: "to_on", Kind: models.DateKind, Label: "To", Check: "to_on > from_on", CheckHelp: "The end lies after the start"},
		&models.Field{Name: "price", Kind: models.MoneyKind, Label: "Price", Check: `price.currency == "EUR" && price.amount >= 0.0`},
	)
	monday, tuesday := models.NewDate(2026, 3, 2), models.NewDate(2026, 3, 3)
	wrong := func(previous, next []models.Value) string {
		var names []string
		for _, e := range r.verify(previous, next) {
			names = append(names, e.Field)
		}
		return strings.Join(names, " ")
	}
	if got := wrong(nil, []models.Value{monday, tuesday, models.Money{Minor: 5, Currency: "EUR"}}); got != "" {
		t.Errorf("all is well: %q", got)
	}
	if got := wrong(nil, []models.Value{tuesday, monday, models.Money{Minor: 5, Currency: "USD"}}); got != "to_on price" {
		t.Errorf("both are wrong: %q", got)
	}
	if got := wrong(nil, []models.Value{nil, monday, nil}); got != "" {
		t.Errorf("there is nothing to compare with: %q", got)
	}
	old := []models.Value{tuesday, monday, nil}
	if got := wrong(old, []models.Value{tuesday, monday, models.Money{Minor: 5, Currency: "EUR"}}); got != "" {
		t.Errorf("an old fault does not stop another field's change: %q", got)
	}
	if got := wrong(old, []models.Value{models.NewDate(2026, 3, 9), monday, nil}); got != "to_on" {
		t.Errorf("a change of what the check reads runs it: %q", got)
	}
}

func TestBrokenExpressionsAreNamedAtStart(t *testing.T) {
	t.Parallel()
	object := &models.Object{Name: "thing", Label: "Thing", Title: "name", Fields: []*models.Field{{Name: "name", Kind: models.Text, Label: "Name", Check: "nam != ''"}}}
	if _, err := models.NewRegistry([]*models.Object{object}); err != nil {
		t.Fatal(err)
	}
	if _, err := compileRules(object); err == nil || !strings.Contains(err.Error(), "thing.name") {
		t.Errorf("an unknown name in an expression: %v", err)
	}
}
