package crm

import "canopy/models"

// checkRefund sees that an order's refunds stay in its currency and never exceed what was ordered.
func checkRefund(b *batch, w *writing) ([]models.Error, error) {
	number, _ := w.after("order").(uint64)
	amount, ok := w.after("amount").(models.Money)
	if number == 0 || !ok {
		return nil, nil // check says that they are required
	}
	order, err := b.record("order", number)
	if err != nil || order == nil {
		return nil, err
	}
	total, ok := order.Get("total").(models.Money)
	if !ok {
		return checkCurrency(b, w, "order", "amount")
	}
	if amount.Currency != total.Currency {
		return []models.Error{*models.FieldError("amount", "the order is in %s, not %s", total.Currency, amount.Currency).
			WithRemedy("Give the refund in " + total.Currency + ".")}, nil
	}
	refunded, err := b.refundedOf(w.object, number, w.number)
	if err != nil {
		return nil, err
	}
	if left := total.Minor - refunded; amount.Minor > left {
		return []models.Error{*models.FieldError("amount", "only %s of the order is left to refund", models.Money{Minor: left, Currency: total.Currency}).
			WithRemedy("Refund at most that.")}, nil
	}
	return nil, nil
}

// refundedOf sums an order's refunds but one, in minor units.
func (b *batch) refundedOf(refund *models.Object, order, except uint64) (int64, error) {
	var sum int64
	var after uint64
	for {
		lines, err := b.linesOf(refund, refund.Field("order"), order, after, linePage)
		if err != nil {
			return 0, err
		}
		for _, line := range lines {
			if m, ok := line.Get("amount").(models.Money); ok && line.Number != except {
				sum += m.Minor
			}
		}
		if len(lines) < linePage {
			return sum, nil
		}
		after = lines[len(lines)-1].Number
	}
}

func afterRefund(b *batch, r *models.Record, changed []models.FieldChange) error {
	b.noteParent("order", r, changed)
	return nil
}
