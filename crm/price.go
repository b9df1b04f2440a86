package crm

import (
	"fmt"

	"canopy/models"
)

// completePrice keys a price by its price book and product, so that each pair has one.
func completePrice(_ *batch, w *writing) error {
	book, _ := w.after("price_book").(uint64)
	product, _ := w.after("product").(uint64)
	if book != 0 && product != 0 {
		w.set("key", priceKey(book, product))
	}
	return nil
}

func priceKey(book, product uint64) string { return fmt.Sprintf("%d/%d", book, product) }

// priceOf gives a product's list price: that of the parent's price book where the parent has one that names the product,
// and else the product's own; nil where there is none.
func (b *batch) priceOf(product *models.Record, parent string, number models.Value) (models.Value, error) {
	of, ok := number.(uint64)
	if !ok {
		return product.Get("list_price"), nil
	}
	owner, err := b.record(parent, of)
	if err != nil || owner == nil {
		return product.Get("list_price"), err
	}
	book, ok := owner.Get("price_book").(uint64)
	if !ok {
		return product.Get("list_price"), nil
	}
	prices := b.registry.Object("price_book_entry")
	found, err := b.store.FindByText(b.ctx, prices.Name, prices.Field("key"), []string{priceKey(book, product.Number)})
	if err != nil {
		return nil, err
	}
	for _, list := range found {
		entry, err := b.record(prices.Name, list[0])
		if err != nil {
			return nil, err
		}
		if entry != nil && !entry.Deleted {
			return entry.Get("price"), nil
		}
	}
	return product.Get("list_price"), nil
}
