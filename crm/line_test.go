package crm_test

import (
	"fmt"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func usd(minor int64) models.Money { return models.Money{Minor: minor, Currency: "USD"} }

func price(amount string) string { return fmt.Sprintf(`{"amount":%q,"currency":"USD"}`, amount) }

func TestQuoteLinesTakePricesAndRollUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		product := w.make("product", `{"name":"Widget","list_price":`+price("20.00")+`}`)
		other := w.make("product", `{"name":"Cog","list_price":`+price("5.00")+`}`)
		book := w.make("price_book", `{"name":"Partners"}`)
		w.make("price_book_entry", fmt.Sprintf(`{"price_book":"price_book_%d","product":"product_%d","price":%s}`, book, product, price("15.00")))
		w.refuse(models.Conflict, "key", models.Command{Op: models.Create, Object: "price_book_entry",
			Sets: w.sets("price_book_entry", fmt.Sprintf(`{"price_book":"price_book_%d","product":"product_%d","price":%s}`, book, product, price("1.00")))})
		quote := w.make("quote", fmt.Sprintf(`{"name":"Offer","price_book":"price_book_%d"}`, book))
		line := func(product uint64, more string) uint64 {
			return w.make("quote_line", fmt.Sprintf(`{"quote":"quote_%d","product":"product_%d"%s}`, quote, product, more))
		}
		first := line(product, `,"quantity":2`)              // 15.00 from the book
		second := line(other, `,"net_price":`+price("4.00")) // 5.00 from the product, sold at 4.00
		r := w.record("quote", quote)
		if r.Get("list_total") != usd(3500) || r.Get("total") != usd(3400) {
			t.Errorf("2 × 15 + 5 = 35; 30 + 4 = 34: %v %v", r.Get("list_total"), r.Get("total"))
		}
		if name := w.record("quote_line", first).Get("name"); name != "Widget" {
			t.Errorf("the line is named after its product: %v", name)
		}
		w.refuse(models.Invalid, "net_price", models.Command{Op: models.Create, Object: "quote_line",
			Sets: w.sets("quote_line", fmt.Sprintf(`{"quote":"quote_%d","name":"X","list_price":%s,"net_price":{"amount":"1.00","currency":"EUR"}}`, quote, price("1.00")))})
		for _, number := range []uint64{first, second} {
			w.do(models.Command{Op: models.Delete, Object: "quote_line", Number: number})
		}
		if r := w.record("quote", quote); r.Get("total") != nil {
			t.Errorf("a quote without lines has no total: %v", r.Get("total"))
		}
	})
}

func TestRefundsNeverExceedTheirOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		order := w.make("order", `{"name":"First","total":`+price("100.00")+`}`)
		refund := func(amount string) models.Command {
			return models.Command{Op: models.Create, Object: "refund", Sets: w.sets("refund", fmt.Sprintf(`{"order":"order_%d","amount":%s}`, order, price(amount)))}
		}
		first := w.do(refund("60.00"))
		w.refuse(models.Invalid, "amount", refund("40.01"))
		w.do(refund("40.00"))
		if r := w.record("order", order); r.Get("refunded_total") != usd(10000) || r.Get("total") != usd(10000) {
			t.Errorf("all is refunded, the total stays: %v %v", r.Get("refunded_total"), r.Get("total"))
		}
		w.do(models.Command{Op: models.Delete, Object: "refund", Number: first.Number})
		if r := w.record("order", order); r.Get("refunded_total") != usd(4000) {
			t.Errorf("a deleted refund counts no more: %v", r.Get("refunded_total"))
		}
		w.refuse(models.Invalid, "amount", models.Command{Op: models.Create, Object: "refund",
			Sets: w.sets("refund", fmt.Sprintf(`{"order":"order_%d","amount":{"amount":"1.00","currency":"EUR"}}`, order))})
	})
}

func TestSubscriptionsEndAfterTheyStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		w.refuse(models.Invalid, "ended_on", models.Command{Op: models.Create, Object: "subscription",
			Sets: w.sets("subscription", `{"name":"S","started_on":"2026-02-01","ended_on":"2026-01-31"}`)})
		w.make("subscription", `{"name":"S","started_on":"2026-02-01","ended_on":"2026-02-01"}`)
		w.make("subscription", `{"name":"open end","ended_on":"2026-02-01"}`)
	})
}

// record reads a record as it stands.
func (w *world) record(object string, number uint64) *models.Record {
	w.Helper()
	r, err := w.engine.Get(ctx, models.System(), object, number, models.Cutoff{})
	if err != nil {
		w.Fatal(err)
	}
	return r
}
