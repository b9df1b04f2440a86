package demo

import (
	"fmt"
	"math"
)

// offer is what a deal is about.
type offer struct {
	name     string
	seats    int
	discount float64
	lines    []line
}

// line is one product of an offer.
type line struct {
	product  *product
	quantity int
}

// newOffer thinks up what an account needs.
func (c *company) newOffer(chance chance, a *account, r *rep) offer {
	products := c.market.products
	tier := chance.weighted(map[string][]float64{small: {0.7, 0.25, 0.05}, medium: {0.3, 0.5, 0.2}, large: {0.05, 0.4, 0.55}}[a.size])
	median := map[string]float64{small: 12, medium: 55, large: 180}[a.size]
	o := offer{seats: 3 + int(chance.around(median, 0.5)), discount: math.Round(1000*min(0.35, r.Discount*chance.around(1, 0.5))) / 1000}
	o.name = fmt.Sprintf("%s, %d seats", products[tier].name, o.seats)
	o.lines = append(o.lines, line{products[tier], o.seats})
	for _, p := range products[3:6] {
		if chance.of(0.22) {
			o.lines = append(o.lines, line{p, 1})
		}
	}
	if chance.of(0.4) {
		o.lines = append(o.lines, line{products[6+chance.IntN(2)], 1})
	}
	return o
}

// listValue is the offer's value at today's list prices, in major units.
func (o offer) listValue() float64 {
	var sum float64
	for _, l := range o.lines {
		sum += l.product.price * float64(l.quantity)
	}
	return sum
}

// yearly is what comes again each year, after discount: all but services.
func (o offer) yearly() float64 {
	var sum float64
	for _, l := range o.lines {
		if l.product.series != "Services" {
			sum += math.Round(l.product.price*(1-o.discount)) * float64(l.quantity)
		}
	}
	return sum
}

// writeLines writes the offer's lines onto a record at today's prices.
func (c *company) writeLines(object, parent string, of ref, o offer) {
	for _, l := range o.lines {
		c.create(object, values{
			"name": l.product.name, parent: of, "product": l.product.ref, "quantity": int64(l.quantity) * 1000,
			"list_price": c.money(l.product.price), "net_price": c.money(math.Round(l.product.price * (1 - o.discount))),
		})
	}
}

// propose writes the lines of a deal, once, and sends a quote of them.
func (c *company) propose(d *deal) {
	if !d.lines {
		d.lines = true
		c.writeLines("deal_line", "deal", d.ref, d.offer)
	}
	v := values{
		"name": "Quote: " + d.offer.name, "deal": d.ref, "account": d.account.ref, "contact": d.contact.ref, "price_book": c.market.book, "status": "sent",
		"valid_until_on": c.dateIn(30), "owner": d.rep.ref, "quote_number": fmt.Sprintf("Q-%06d", c.made["quote"]+1),
	}
	d.quote = c.create("quote", v)
	c.writeLines("quote_line", "quote", d.quote, d.offer)
}

// order books what was won; it is paid some weeks later, and a few want money back.
func (c *company) order(d *deal) {
	chance := c.stream("orders")
	v := values{
		"name": "Order: " + d.offer.name, "order_number": fmt.Sprintf("FH-O-%06d", c.made["order"]+1), "account": d.account.ref, "contact": d.contact.ref, "deal": d.ref,
		"status": "placed", "ordered_at": c.now, "owner": d.rep.ref,
	}
	if d.quote != none {
		v["quote"] = d.quote
	}
	o := c.create("order", v)
	c.writeLines("order_line", "order", o, d.offer)
	total := d.offer.listValue() * (1 - d.offer.discount)
	c.at(c.atWork(c.now.Add(days(chance.around(24, 0.4)))), func() {
		c.update(o, values{"status": "paid"})
		if chance.of(0.05) {
			c.at(c.atWork(c.now.Add(days(chance.around(20, 0.5)))), func() {
				c.create("refund", values{
					"name": "Refund", "order": o, "amount": c.money(max(1, total*(0.05+0.25*chance.Float64()))), "refunded_at": c.now,
					"reason": pick(chance, []string{"goodwill", "cancelled", "wrong_item", "other"}),
				})
			})
		}
	})
}
