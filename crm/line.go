package crm

import (
	"math/big"
	"slices"

	"canopy/models"
	"canopy/models/predicate"
)

// noteLine remembers the deals whose lines a command changed.
func (b *batch) noteLine(r *models.Record, changed []models.FieldChange) {
	if r.Object.Name != "deal_line" {
		return
	}
	if deal, ok := r.Get("deal").(uint64); ok {
		b.touched[deal] = true
	}
	for _, c := range changed { // a line that moved leaves its old deal, too
		if deal, ok := c.Before.(uint64); ok && c.Field.Name == "deal" {
			b.touched[deal] = true
		}
	}
}

// rollUpLines brings the list value of touched deals to the sum of their lines, and the amount of those still open to the
// sum of net prices. A deal without lines keeps what it has. It runs as the system, in the batch's transaction.
func (b *batch) rollUpLines() error {
	deals := make([]uint64, 0, len(b.touched))
	for number := range b.touched {
		deals = append(deals, number)
	}
	slices.Sort(deals)
	b.touched = map[uint64]bool{}
	for _, number := range deals {
		if err := b.rollUp(number); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) rollUp(number uint64) error {
	lineObject, dealObj := b.registry.Object("deal_line"), b.registry.Object(dealObject)
	where, err := predicate.Compare(lineObject.Field("deal"), predicate.Eq, number).Bind(b.registry, lineObject, b.options.Calendar)
	if err != nil {
		return err
	}
	sort, err := predicate.ParseSort(lineObject, "")
	if err != nil {
		return err
	}
	lines, err := b.store.List(b.ctx, Listing{Object: "deal_line", Where: where, Sort: sort, Limit: maxLines + 1})
	if err != nil || len(lines) == 0 {
		return err
	}
	if len(lines) > maxLines {
		return models.FieldError("deal", "a deal has at most %d lines", maxLines)
	}
	list, net := new(big.Int), new(big.Int)
	var currency string
	for _, line := range lines {
		quantity, _ := line.Get("quantity").(int64)
		for _, price := range []struct {
			field string
			sum   *big.Int
		}{{"list_price", list}, {"net_price", net}} {
			m, _ := line.Get(price.field).(models.Money)
			if currency == "" {
				currency = m.Currency
			}
			if m.Currency != currency {
				return models.FieldError(price.field, "the lines of one deal share a currency; this deal has %s and %s", currency, m.Currency)
			}
			price.sum.Add(price.sum, new(big.Int).Mul(big.NewInt(quantity), big.NewInt(m.Minor)))
		}
	}
	scale := int64(1)
	for range lineObject.Field("quantity").Scale {
		scale *= 10
	}
	sets := []models.Set{{Field: dealObj.Field("list_value"), Value: models.Money{Minor: roundedQuotient(list, scale), Currency: currency}}}
	deal, err := b.record(dealObject, number)
	if err != nil || deal == nil || deal.Deleted {
		return err
	}
	if deal.Get("status") == "open" {
		sets = append(sets, models.Set{Field: dealObj.Field("amount"), Value: models.Money{Minor: roundedQuotient(net, scale), Currency: currency}})
	}
	system := *b
	system.reader = models.System()
	_, err = system.execute(&models.Command{Op: models.Update, Object: dealObject, Number: number, Sets: sets, Cause: "rule:lines"})
	return err
}

// maxLines bounds the lines of one deal.
const maxLines = 1000

// roundedQuotient divides and rounds half away from zero.
func roundedQuotient(n *big.Int, by int64) int64 {
	half := big.NewInt(by / 2)
	if n.Sign() < 0 {
		half.Neg(half)
	}
	return new(big.Int).Quo(new(big.Int).Add(n, half), big.NewInt(by)).Int64()
}
