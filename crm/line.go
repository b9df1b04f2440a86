package crm

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// rollUp says how the totals of a record follow from its lines.
type rollUp struct {
	line string // object of the lines, which refer to the parent by a field of the parent's name
	sums []lineSum
	// emptied says what no lines at all mean: nothing (the total is emptied), or that the parent keeps what it was given.
	emptied bool
}

// lineSum is one total: the sum over lines of price × quantity, or of price alone where quantity is blank.
type lineSum struct {
	into, quantity, price string
	only                  func(parent *models.Record) bool // nil: always
}

// rollUps are the records whose totals follow from their lines, by parent.
var rollUps = map[string][]rollUp{
	dealObject: {{line: "deal_line", sums: []lineSum{
		{into: "list_value", quantity: "quantity", price: "list_price"},
		{into: "amount", quantity: "quantity", price: "net_price", only: func(deal *models.Record) bool { return deal.Get("status") == "open" }},
	}}},
	"quote": {{line: "quote_line", emptied: true, sums: []lineSum{
		{into: "list_total", quantity: "quantity", price: "list_price"},
		{into: "total", quantity: "quantity", price: "net_price"},
	}}},
	"order": {
		{line: "order_line", sums: []lineSum{
			{into: "list_total", quantity: "quantity", price: "list_price"},
			{into: "total", quantity: "quantity", price: "net_price"},
		}},
		{line: "refund", emptied: true, sums: []lineSum{{into: "refunded_total", price: "amount"}}},
	},
}

// lineOf is the behaviour of the lines of a parent.
func lineOf(parent string) behaviour {
	return behaviour{
		complete: func(b *batch, w *writing) error { return completeLine(b, w, parent) },
		check: func(b *batch, w *writing) ([]models.Error, error) {
			return checkCurrency(b, w, parent, "list_price", "net_price")
		},
		after: func(b *batch, r *models.Record, changed []models.FieldChange) error {
			b.noteParent(parent, r, changed)
			return nil
		},
	}
}

// completeLine takes the line's name and list price from its product (of the quote's price book where it has one) and the
// net price from the list price, where the caller gave none.
func completeLine(b *batch, w *writing, parent string) error {
	number, ok := w.after("product").(uint64)
	if ok && (w.after("name") == nil || w.after("list_price") == nil) {
		product, err := b.record("product", number)
		if err != nil {
			return err
		}
		if product != nil && w.after("name") == nil {
			w.set("name", product.Get("name"))
		}
		if product != nil && w.after("list_price") == nil {
			price, err := b.priceOf(product, parent, w.after(parent))
			if err != nil {
				return err
			}
			w.set("list_price", price)
		}
	}
	if w.after("net_price") == nil {
		w.set("net_price", w.after("list_price"))
	}
	return nil
}

// checkCurrency sees that the lines of one record share a currency, so that they can be added up.
func checkCurrency(b *batch, w *writing, parent string, prices ...string) ([]models.Error, error) {
	number, ok := w.after(parent).(uint64)
	if !ok {
		return nil, nil // check says that it is required
	}
	currency, err := b.currencyOf(RecordKey{parent, number}, w, prices[0])
	if err != nil {
		return nil, err
	}
	var wrong []models.Error
	for _, name := range prices {
		m, ok := w.after(name).(models.Money)
		if !ok {
			continue
		}
		if currency == "" {
			currency = m.Currency
		}
		if m.Currency != currency {
			wrong = append(wrong, *models.FieldError(name, "the lines of one %s share a currency; this one has %s, not %s", parent, currency, m.Currency).
				WithRemedy("Give the price in " + currency + "."))
		}
	}
	if len(wrong) == 0 && currency != "" {
		b.currencies[RecordKey{parent, number}] = currency
	}
	return wrong, nil
}

// currencyOf gives the currency of a record's other lines; blank where it has none.
func (b *batch) currencyOf(parent RecordKey, w *writing, price string) (string, error) {
	if currency, ok := b.currencies[parent]; ok && w.number == 0 {
		return currency, nil
	}
	field := w.object.Field(parent.Object)
	lines, err := b.linesOf(w.object, field, parent.Number, 0, 2)
	if err != nil {
		return "", err
	}
	for _, line := range lines {
		if m, ok := line.Get(price).(models.Money); ok && line.Number != w.number {
			return m.Currency, nil
		}
	}
	return "", nil
}

// linesOf reads lines of one record in the order of their numbers, after a number.
func (b *batch) linesOf(object *models.Object, parent *models.Field, number, after uint64, limit int) ([]*models.Record, error) {
	where, err := predicate.Compare(parent, predicate.Eq, number).Bind(b.registry, object, b.options.Calendar)
	if err != nil {
		return nil, err
	}
	sort, err := predicate.ParseSort(object, "")
	if err != nil {
		return nil, err
	}
	q := Listing{Object: object.Name, Where: where, Sort: sort, Limit: limit}
	if after != 0 {
		q.Cursor = sort.CursorOf(&models.Record{Object: object, Number: after})
	}
	return b.store.List(b.ctx, q)
}

// noteParent remembers the records whose lines a command changed.
func (b *batch) noteParent(parent string, line *models.Record, changed []models.FieldChange) {
	if number, ok := line.Get(parent).(uint64); ok {
		key := RecordKey{parent, number}
		b.parents[key] = later(b.parents[key], line.HappenedAt)
	}
	for _, c := range changed { // a line that moved leaves its old parent, too
		if number, ok := c.Before.(uint64); ok && c.Field.Name == parent {
			key := RecordKey{parent, number}
			b.parents[key] = later(b.parents[key], line.HappenedAt)
		}
	}
}

// rollUpAll brings the totals of touched records to the sums of their lines. It runs as the system, in the batch's transaction.
func (b *batch) rollUpAll() error {
	keys := slices.SortedFunc(maps.Keys(b.parents), func(x, y RecordKey) int {
		return cmp.Or(cmp.Compare(x.Object, y.Object), cmp.Compare(x.Number, y.Number))
	})
	changed := maps.Clone(b.parents)
	clear(b.parents)
	for _, key := range keys {
		for _, r := range rollUps[key.Object] {
			if err := b.rollUp(key, r, changed[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// linePage is how many lines are read at a time.
const linePage = 500

// rollUp writes one record's totals, at the instant of the latest line that changed or of the record's latest image, whichever is later.
func (b *batch) rollUp(key RecordKey, r rollUp, changed time.Time) error {
	lineObject, parentObject := b.registry.Object(r.line), b.registry.Object(key.Object)
	parent, err := b.record(key.Object, key.Number)
	if err != nil || parent == nil || parent.Deleted {
		return err
	}
	totals := make([]*big.Int, len(r.sums))
	for i := range totals {
		totals[i] = new(big.Int)
	}
	var currency string
	var after uint64
	for {
		lines, err := b.linesOf(lineObject, lineObject.Field(key.Object), key.Number, after, linePage)
		if err != nil {
			return err
		}
		for _, line := range lines {
			for i, s := range r.sums {
				m, _ := line.Get(s.price).(models.Money)
				currency = m.Currency
				add := big.NewInt(m.Minor)
				if s.quantity != "" {
					quantity, _ := line.Get(s.quantity).(int64)
					add.Mul(add, big.NewInt(quantity))
				}
				totals[i].Add(totals[i], add)
			}
		}
		if len(lines) < linePage {
			break
		}
		after = lines[len(lines)-1].Number
	}
	if currency == "" && !r.emptied {
		return nil
	}
	var sets []models.Set
	for i, s := range r.sums {
		if s.only != nil && !s.only(parent) {
			continue
		}
		set := models.Set{Field: parentObject.Field(s.into)}
		if currency != "" {
			scale := int64(1)
			if s.quantity != "" {
				for range lineObject.Field(s.quantity).Scale {
					scale *= 10
				}
			}
			set.Value = models.Money{Minor: roundedQuotient(totals[i], scale), Currency: currency}
		}
		sets = append(sets, set)
	}
	at := later(changed, parent.HappenedAt) // totals are those of all lines, so the past keeps its own
	_, err = b.follows(models.Command{Op: models.Update, Object: key.Object, Number: key.Number, Sets: sets, HappenedAt: at, Cause: "rule:lines"})
	return err
}

// roundedQuotient divides and rounds half away from zero.
func roundedQuotient(n *big.Int, by int64) int64 {
	half := big.NewInt(by / 2)
	if n.Sign() < 0 {
		half.Neg(half)
	}
	return new(big.Int).Quo(new(big.Int).Add(n, half), big.NewInt(by)).Int64()
}
