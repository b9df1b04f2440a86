package demo

import (
	"fmt"
	"math"

	"canopy/models"
)

// product is something that Fernhill sells.
type product struct {
	ref
	name, series string
	price        float64 // list price of one for a year, as it stands; major units
	seats        bool    // sold by the seat
}

// market is what stands in the books before anything is sold.
type market struct {
	products  []*product
	book      ref // price book that holds
	sales     ref // pipelines
	growing   ref
	stages    []ref // of the sales pipeline: open ones in order, won, lost
	steps     []ref // of the pipeline for customers who buy more
	heads     []ref // of territories' sales
	marketers []ref
	campaigns []*campaign
}

// Names of the stages that end a deal.
const won, lost = "Won", "Lost"

// settle writes down what is there from the first day on: people, products and ways of selling.
func (c *company) settle() {
	c.hire()
	c.catalogue()
	c.pipelines()
	c.targets()
	c.planCampaigns()
	c.planPriceChange()
}

func (c *company) catalogue() {
	for _, p := range []product{
		{name: "Fern Core", series: "Platform", price: 300, seats: true}, {name: "Fern Plus", series: "Platform", price: 480, seats: true}, {name: "Fern Enterprise", series: "Platform", price: 720, seats: true},
		{name: "Insights", series: "Add-on", price: 4800}, {name: "Automation", series: "Add-on", price: 7200}, {name: "Connectors", series: "Add-on", price: 2400},
		{name: "Onboarding", series: "Services", price: 3500}, {name: "Premium support", series: "Services", price: 6000},
	} {
		p.ref = c.create("product", values{"name": p.name, "series": p.series, "list_price": c.money(p.price), "active": true})
		c.market.products = append(c.market.products, &p)
	}
	c.publish("List prices", c.today())
}

// publish makes a price book of today's list prices and closes the one before.
func (c *company) publish(name string, from models.Date) {
	if c.market.book != none {
		c.update(c.market.book, values{"active": false, "to_on": from})
	}
	c.market.book = c.create("price_book", values{"name": name, "currency": c.currency, "active": true, "from_on": from})
	for _, p := range c.market.products {
		c.create("price_book_entry", values{"price_book": c.market.book, "product": p.ref, "price": c.money(p.price)})
	}
}

// planPriceChange raises all list prices in the truths' week.
func (c *company) planPriceChange() {
	change := c.truths.PriceChange
	if change.Week == 0 {
		return
	}
	c.at(c.weekStart(change.Week-1), func() {
		for _, p := range c.market.products {
			p.price = math.Round(p.price * change.Factor)
			c.update(p.ref, values{"list_price": c.money(p.price)})
		}
		c.publish("List prices from "+change.On, c.today())
	})
}

// pipelines makes the two ways of selling: to new customers, and more to those who are there.
func (c *company) pipelines() {
	c.market.sales = c.create("pipeline", values{"name": "New business", "active": true})
	declared, category, limit := []int64{1500, 3000, 5000, 7500}, []string{"pipeline", "pipeline", "best_case", "commit"}, []int64{21, 30, 30, 21}
	for i, s := range c.truths.Stages {
		v := values{
			"key": "New business/" + s.Name, "name": s.Name, "pipeline": c.market.sales, "rank": int64(i + 1), "status": "open",
			"probability": declared[i], "forecast_category": category[i],
		}
		c.stageRules(v, i, limit[i])
		c.market.stages = append(c.market.stages, c.create("stage", v))
	}
	c.market.stages = append(c.market.stages, c.endings("New business", c.market.sales, len(c.truths.Stages))...)
	c.market.growing = c.create("pipeline", values{"name": "Expansion", "active": true})
	for i, name := range []string{"Proposed", "Agreed"} {
		c.market.steps = append(c.market.steps, c.create("stage", values{
			"key": "Expansion/" + name, "name": name, "pipeline": c.market.growing, "rank": int64(i + 1), "status": "open",
			"probability": []int64{5000, 8500}[i], "forecast_category": []string{"best_case", "commit"}[i],
		}))
	}
	c.market.steps = append(c.market.steps, c.endings("Expansion", c.market.growing, 2)...)
}

// endings makes the stages won and lost of a pipeline.
func (c *company) endings(pipeline string, of ref, open int) []ref {
	var made []ref
	for i, name := range []string{won, lost} {
		made = append(made, c.create("stage", values{
			"key": pipeline + "/" + name, "name": name, "pipeline": of, "rank": int64(open + i + 1), "status": []string{"won", "lost"}[i],
			"probability": []int64{10_000, 0}[i], "forecast_category": []string{"closed", "omitted"}[i],
		}))
	}
	return made
}

// targets sets a plan a quarter (thirteen weeks) for the tree's main nodes: it grows as the company was meant to.
func (c *company) targets() {
	weekly := dealsPerContact * 0.85 * float64(c.config.Contacts) / float64(c.config.Weeks)
	for start := 0; start < c.config.Weeks; start += 13 {
		grown := 0.7 + 0.6*float64(start)/float64(c.config.Weeks)
		decided, rate, value := weekly*grown, 0.27, 22_000.0
		from := models.DateOf(c.from, c.calendar.Zone).AddDays(7 * start)
		for _, t := range []struct {
			node  string
			value float64
			owner ref
		}{
			{"won_revenue", decided * rate * value, c.market.heads[1]}, {"decided_deals", decided, c.market.heads[0]},
			{"win_rate", rate, c.market.heads[1]}, {"avg_won_value", value, c.market.heads[2]},
		} {
			c.create("target", values{
				"name": fmt.Sprintf("b2b_pipeline/%s/%s", t.node, from), "tree": "b2b_pipeline", "node": t.node,
				"value": int64(math.Round(t.value * 10_000)), "from_on": from, "to_on": from.AddDays(7 * 13), "owner": t.owner,
			})
		}
	}
}

// stageRules gives the open stages what they ask for.
func (c *company) stageRules(v values, stage int, limit int64) {
	v["age_limit_days"] = limit
	switch stage {
	case 1:
		v["required_fields"] = `["amount"]`
		v["entry_help"] = "An amount that is more than a guess"
	case 2:
		v["entry_criteria"] = `{"and":[{"field":"need","op":"eq","value":"yes"},{"field":"budget","op":"eq","value":"yes"}]}`
		v["entry_help"] = "Need and budget are confirmed"
	case 3:
		v["required_fields"] = `["expected_close_on"]`
		v["entry_help"] = "A day on which the decision is expected"
	}
}
