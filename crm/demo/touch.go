package demo

import (
	"fmt"
	"time"

	"canopy/models"
)

// campaign is a planned effort on one channel.
type campaign struct {
	ref
	name, channel string
	until         models.Date
}

// planCampaigns starts a campaign on each channel that is paid for or planned, in each quarter of thirteen weeks.
func (c *company) planCampaigns() {
	for start := 0; start < c.config.Weeks; start += 13 {
		c.at(c.weekStart(start), func() {
			chance := c.stream("campaigns")
			y, m, _ := c.today().Civil()
			for i, channel := range []string{"paid_search", "paid_social", "email", "event", "content", "partner"} {
				begins := c.today().AddDays(chance.IntN(10))
				k := &campaign{name: fmt.Sprintf("%d-%02d_%s_%s", y, int(m), channel, []string{"brand", "ops_leads", "nurture", "expo", "guide", "days"}[i]), channel: channel, until: begins.AddDays(70 + chance.IntN(25))}
				k.ref = c.create("campaign", values{
					"name": k.name, "channel": channel, "starts_on": begins, "ends_on": k.until, "owner": pick(chance, c.market.marketers),
					"budget": c.money(float64(c.config.Contacts) * []float64{1.2, 0.9, 0.15, 0.8, 0.3, 0.25}[i]),
				})
				c.market.campaigns = append(c.market.campaigns, k)
			}
		})
	}
}

// campaignOf is the latest campaign of a channel that is not over; none where there is none.
func (c *company) campaignOf(channel string) ref {
	for i := len(c.market.campaigns) - 1; i >= 0; i-- {
		if k := c.market.campaigns[i]; k.channel == channel && c.today() <= k.until {
			return k.ref
		}
	}
	return none
}

func (c *company) campaignName(r ref) string {
	for _, k := range c.market.campaigns {
		if k.ref == r {
			return k.name
		}
	}
	return ""
}

// marks are how the links of a channel are marked: source, medium, referrer.
var marks = map[string][][3]string{
	"organic_search": {{"", "", "https://www.google.com/"}, {"", "", "https://www.bing.com/"}, {"", "", "https://duckduckgo.com/"}},
	"paid_search":    {{"google", "cpc", "https://www.google.com/"}, {"bing", "cpc", "https://www.bing.com/"}, {"Google", "PPC", ""}},
	"paid_social":    {{"linkedin", "cpc", "https://www.linkedin.com/"}, {"facebook", "cpc", "https://www.facebook.com/"}, {"LinkedIn", "paid-social", ""}},
	"email":          {{"newsletter", "email", ""}, {"nurture", "E-Mail", ""}},
	"event":          {{"expo", "event", ""}, {"webinar", "webinar", ""}},
	"content":        {{"guide", "content", ""}, {"blog", "blog", ""}},
	"referral":       {{"", "", "https://reviews.example/software"}, {"customer", "referral", ""}},
	"partner":        {{"northsys", "partner", "https://northsys.example/"}, {"deltaconsult", "Partners", ""}},
	"direct":         {{"", "", ""}},
}

var pages = []string{"/", "/pricing", "/demo", "/guides/forecast", "/product/insights", "/customers"}

// touchesOf writes down the visits before a lead came in; the last one has the lead's channel.
func (c *company) touchesOf(chance chance, l *lead) {
	at := l.came.Add(-time.Duration(chance.IntN(3600)+30) * time.Second)
	times := make([]time.Time, l.touches)
	for i := len(times) - 1; i >= 0; i-- {
		times[i] = at
		at = at.Add(-days(chance.around(6, 1)))
	}
	for i, at := range times {
		channel, campaign := l.channel.Channel, l.campaign
		if i < len(times)-1 {
			channel = c.truths.Channels[chance.IntN(len(c.truths.Channels))].Channel
			if chance.of(0.25) {
				channel = "direct"
			}
			campaign = c.campaignOf(channel)
		}
		m := pick(chance, marks[channel])
		v := values{"at": at.UTC().Truncate(time.Second), "lead": l.ref, "landing_page": "https://fernhill.example" + pick(chance, pages), "campaign": campaign}
		for j, field := range []string{"source", "medium", "referrer"} {
			if m[j] != "" {
				v[field] = m[j]
			}
		}
		if campaign != none && m[0] != "" {
			v["campaign_name"] = c.campaignName(campaign)
		}
		if chance.of(0.01) {
			v["source"], v["medium"] = "qr??", "flyer" // nobody has said yet what this is
		}
		l.seen = append(l.seen, c.create("touch", v))
	}
}
