package demo

import (
	"encoding/json"
	"fmt"

	"canopy/models"
)

// Truths are what drives the simulated company, so that an analysis of its records can be proved to find what is there.
// Every effect is an addition to log-odds: odds multiply by exp(effect).
type Truths struct {
	About       string            `json:"about"`
	Company     CompanyTruth      `json:"company"`
	Reps        []RepTruth        `json:"reps"`
	Stages      []StageTruth      `json:"stages"`
	Deals       DealTruth         `json:"deals"`
	PriceChange PriceTruth        `json:"price_change"`
	Leads       LeadTruth         `json:"leads"`
	Channels    []ChannelTruth    `json:"channels"`
	Churn       ChurnTruth        `json:"churn"`
	Agents      []AgentTruth      `json:"agents"`
	Managers    []ManagerTruth    `json:"success_managers"`
	Season      SeasonTruth       `json:"seasonality"`
	Dirt        DirtTruth         `json:"dirt"`
	Definitions map[string]string `json:"definitions"`
}

// CompanyTruth says which company it is.
type CompanyTruth struct {
	Seed     uint64 `json:"seed"`
	Contacts int    `json:"contacts"`
	Weeks    int    `json:"weeks"`
	FromOn   string `json:"from_on"` // first day of week 1
	UntilAt  string `json:"until_at"`
	Leaver   string `json:"leaver"`      // rep who leaves; colleagues take over
	LeftIn   int    `json:"leaver_week"` // 0: nobody leaves
}

// RepTruth is what a seller is like.
type RepTruth struct {
	Name      string  `json:"name"`
	Territory string  `json:"territory"`
	Skill     float64 `json:"skill"`          // log-odds, added at each decision about leaving an open stage
	Diligence float64 `json:"diligence"`      // multiplies how often deals are touched
	Response  float64 `json:"response_hours"` // median hours until a new lead is answered, before office hours are kept
	Discount  float64 `json:"discount"`       // mean share taken off the list price
}

// StageTruth is what an open stage does with a deal that is neither silent nor moved back nor skipping.
type StageTruth struct {
	Name    string  `json:"name"`
	Days    float64 `json:"median_days"` // of its length in a company of 50 to 499 people
	Spread  float64 `json:"spread"`      // standard deviation of the length's logarithm
	Forward float64 `json:"forward"`     // log-odds of going on rather than being lost, all effects being zero
	Back    float64 `json:"back_share"`  // share of decisions that send the deal back by one stage
}

// DealTruth are the effects on going on rather than being lost, at each decision.
type DealTruth struct {
	Attention float64            `json:"attention"` // × (ln(1+n) − ln 3), n activities on the deal in the 14 days before the decision
	Age       float64            `json:"age"`       // × age in days / 30
	Size      map[string]float64 `json:"size"`      // by the account's employees: small < 50 ≤ medium < 500 ≤ large
	Length    map[string]float64 `json:"length"`    // by the same; multiplies the median length of a stage
	Silent    float64            `json:"silent"`    // of deals that nobody touches any more; they stand five times as long
	SilentIn  float64            `json:"silent_share"`
	Skip      float64            `json:"skip_share"`   // of first stages that go on straight to the third
	Reopened  float64            `json:"reopen_share"` // of lost deals
}

// PriceTruth is the change of list prices.
type PriceTruth struct {
	Week   int     `json:"week"`   // in whose first instant it comes; 0: the history is too short for it
	On     string  `json:"on"`     // first day on which the new prices hold
	Factor float64 `json:"factor"` // on all list prices
	Effect float64 `json:"effect"` // on decisions in Proposal and later from then on
	Before float64 `json:"price_reason_share_before"`
	After  float64 `json:"price_reason_share_after"` // of lost deals whose reason is the price, from Proposal on
}

// LeadTruth are the effects on a lead's becoming a deal rather than being rejected.
type LeadTruth struct {
	Base     float64            `json:"base"`
	Response float64            `json:"response"` // × log2 of the hours until the first activity, at least 1
	Touches  float64            `json:"touches"`  // × (touches before the lead came in − 1)
	Title    map[string]float64 `json:"title"`
}

// ChannelTruth is what a channel brings.
type ChannelTruth struct {
	Channel string  `json:"channel"`
	Share   float64 `json:"share"` // of leads
	Lead    float64 `json:"lead"`  // effect on the lead
	Deal    float64 `json:"deal"`  // effect on each decision about the lead's deal
}

// ChurnTruth are the effects on a subscription's ending rather than being renewed, at the end of each term.
type ChurnTruth struct {
	Base    float64 `json:"base"`
	Reply   float64 `json:"reply"`   // × mean of log2(hours to the first reply / 4) over the term's tickets; 0 where there was none
	Urgent  float64 `json:"urgent"`  // × number of the term's urgent and high tickets
	Price   float64 `json:"price"`   // where the term ends on or after the change of prices
	Small   float64 `json:"small"`   // in a company under 50 people
	Visited float64 `json:"visited"` // where a review was held in the 120 days before
}

// AgentTruth is how fast somebody in support answers.
type AgentTruth struct {
	Name  string  `json:"name"`
	Hours float64 `json:"reply_hours"` // median, of tickets of normal severity
}

// ManagerTruth is how much somebody in success cares.
type ManagerTruth struct {
	Name     string  `json:"name"`
	Coverage float64 `json:"coverage"` // probability that a review is booked in a quarter
}

// SeasonTruth is how much happens when.
type SeasonTruth struct {
	Growth float64     `json:"growth"` // last week over first
	Months [12]float64 `json:"months"` // January first; multiplies what comes in
}

// DirtTruth are shares of records that are not as they should be.
type DirtTruth struct {
	Misspelt   float64 `json:"misspelt_source"`
	NoSector   float64 `json:"missing_sector"`
	Twice      float64 `json:"same_person_twice"`
	Late       float64 `json:"entered_late"` // of moves of deals: something is written down days later than it was known
	NoNextStep float64 `json:"deal_without_next_step"`
}

// Write gives the truths as they are kept beside the data.
func (t *Truths) Write() ([]byte, error) {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the truths: %w", err)
	}
	return append(text, '\n'), nil
}

const about = "What drives the demonstration company. Effects are additions to log-odds; read definitions for where they work."

var definitions = map[string]string{
	"decision":      "A deal's leaving an open stage for the next one, for won (from the last) or for lost. Leaving it backwards is none.",
	"stage_forward": "P(forward) = logistic(forward + skill of the owner + deal effect of the lead's channel + size + attention + age + price change + silent).",
	"channel":       "Channel of the lead's last touch before it came in. A deal without a lead has no channel effect; deals that partners bring have that of partner.",
	"lead":          "P(becomes a deal) = logistic(base + channel + title + response × log2(hours) + touches × (n − 1)), decided once, some days after the first activity. Leads that nobody can reach and incomplete ones are never decided.",
	"churn":         "P(ends) = logistic(base + the five effects), decided once at the end of each term of a year or a quarter.",
	"price_change":  "From its first day on, all list prices are multiplied and decisions in Proposal and later have its effect, whenever the deal was opened.",
	"today":         "In the last two days everybody is given chores, and some leads more than the season has come in and wait for an answer; in the last hour the administrator takes over six open deals and their accounts.",
	"seasonality":   "Expected leads and new deals of a week grow evenly to growth times the first week's, times the month's factor.",
}

// plan makes the truths of a company: what is the same in each, and the people, whom chance makes.
func plan(c Config, calendar models.Calendar) *Truths {
	first := firstDay(c, calendar)
	t := &Truths{
		About: about, Definitions: definitions,
		Company: CompanyTruth{Seed: c.Seed, Contacts: c.Contacts, Weeks: c.Weeks, FromOn: first.String(), UntilAt: c.Until.Format(models.InstantLayout)},
		Stages: []StageTruth{
			{Name: "Qualified", Days: 10, Spread: 0.6, Forward: 0.95},
			{Name: "Evaluation", Days: 16, Spread: 0.55, Forward: 1.1, Back: 0.04},
			{Name: "Proposal", Days: 12, Spread: 0.6, Forward: 0.9, Back: 0.05},
			{Name: "Negotiation", Days: 9, Spread: 0.6, Forward: 1.5, Back: 0.04},
		},
		Deals: DealTruth{
			Attention: 0.35, Age: -0.1, Size: map[string]float64{small: 0.2, medium: 0, large: -0.25}, Length: map[string]float64{small: 0.75, medium: 1, large: 1.5},
			Silent: -2, SilentIn: 0.035, Skip: 0.04, Reopened: 0.02,
		},
		PriceChange: PriceTruth{Factor: 1.12, Effect: -0.4, Before: 0.2, After: 0.38},
		Leads: LeadTruth{
			Base: -0.35, Response: -0.25, Touches: 0.2,
			Title: map[string]float64{"Managing director": 0.5, "Head of operations": 0.4, "IT manager": 0.2, "Team lead": 0, "Analyst": -0.3, "Assistant": -0.6, "Student": -1.5},
		},
		Channels: []ChannelTruth{
			{"organic_search", 0.24, 0.3, 0.1}, {"paid_search", 0.2, 0, -0.1}, {"paid_social", 0.14, -0.6, -0.2}, {"email", 0.12, 0.2, 0},
			{"event", 0.1, 0.5, 0.15}, {"content", 0.09, -0.2, 0}, {"referral", 0.06, 0.9, 0.3}, {"partner", 0.05, 0.7, 0.25},
		},
		Churn:  ChurnTruth{Base: -2.75, Reply: 0.5, Urgent: 0.45, Price: 0.5, Small: 0.6, Visited: -0.8},
		Season: SeasonTruth{Growth: 2, Months: [12]float64{1.05, 1.05, 1.1, 1, 1, 0.95, 0.75, 0.7, 1.2, 1.2, 1.15, 0.75}},
		Dirt:   DirtTruth{Misspelt: 0.03, NoSector: 0.07, Twice: 0.012, Late: 0.02, NoNextStep: 0.1},
	}
	if week := 70 * c.Weeks / 104; week > 1 && c.Weeks >= 8 {
		t.PriceChange.Week, t.PriceChange.On = week, first.AddDays(7*(week-1)).String()
	}
	t.hire(newChance(c.Seed, "people"), c)
	return t
}

// hire makes the people: so many that each has something to do, and not more than there are names.
func (t *Truths) hire(chance chance, c Config) {
	perTerritory := min(max(c.Contacts/3000, 2), len(sellers[0]))
	for i, territory := range territories {
		for _, name := range sellers[i][:perTerritory] {
			t.Reps = append(t.Reps, RepTruth{
				Name: name, Territory: territory.name, Skill: rounded(0.3 * chance.NormFloat64()), Diligence: rounded(chance.around(1, 0.25)),
				Response: rounded(chance.around(5, 0.7)), Discount: rounded(0.03 + 0.12*chance.Float64()),
			})
		}
		t.Agents = append(t.Agents, AgentTruth{Name: agents[i], Hours: []float64{1.5, 3, 6, 12}[i]})
		t.Managers = append(t.Managers, ManagerTruth{Name: successors[i], Coverage: []float64{0.85, 0.6, 0.4, 0.2}[i]})
	}
	if week := 60 * c.Weeks / 104; week > 1 && c.Weeks >= 8 && perTerritory > 2 {
		t.Company.Leaver, t.Company.LeftIn = t.Reps[2*perTerritory-1].Name, week
	}
}

// rounded keeps three decimals, so that what is written down is exactly what was used.
func rounded(x float64) float64 { return float64(int64(x*1000)) / 1000 }
