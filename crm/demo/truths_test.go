package demo_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"canopy/crm/demo"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// The truths are estimated from the written records alone, by means that share nothing with the simulation: counting, and a
// logistic regression by Newton's method. Tolerances are four standard errors of the estimate, and wide enough for the size below.

// sample is one decision: what could have driven it, and how it went.
type sample struct {
	x []float64
	y bool
}

// fit gives the maximum-likelihood coefficients of a logistic regression and their standard errors.
func fit(t *testing.T, samples []sample) (beta, errors []float64) {
	t.Helper()
	n := len(samples[0].x)
	beta = make([]float64, n)
	var inverse [][]float64
	for range 30 {
		gradient, hessian := make([]float64, n), make([][]float64, n)
		for i := range hessian {
			hessian[i] = make([]float64, n)
		}
		for _, s := range samples {
			z := 0.0
			for i, x := range s.x {
				z += beta[i] * x
			}
			p := 1 / (1 + math.Exp(-z))
			y := 0.0
			if s.y {
				y = 1
			}
			for i, x := range s.x {
				gradient[i] += (y - p) * x
				for j, other := range s.x {
					hessian[i][j] += p * (1 - p) * x * other
				}
			}
		}
		inverse = invert(t, hessian)
		step := 0.0
		for i := range beta {
			d := 0.0
			for j := range beta {
				d += inverse[i][j] * gradient[j]
			}
			beta[i] += d
			step = max(step, math.Abs(d))
		}
		if step < 1e-9 {
			break
		}
	}
	for i := range beta {
		errors = append(errors, math.Sqrt(inverse[i][i]))
	}
	return beta, errors
}

// invert is Gauss-Jordan elimination with pivots.
func invert(t *testing.T, m [][]float64) [][]float64 {
	t.Helper()
	n := len(m)
	a := make([][]float64, n)
	for i := range a {
		a[i] = append(slices.Clone(m[i]), make([]float64, n)...)
		a[i][n+i] = 1
	}
	for i := range n {
		pivot := i
		for j := i; j < n; j++ {
			if math.Abs(a[j][i]) > math.Abs(a[pivot][i]) {
				pivot = j
			}
		}
		a[i], a[pivot] = a[pivot], a[i]
		if math.Abs(a[i][i]) < 1e-12 {
			t.Fatal("nothing can be said about one of the effects: it never varies")
		}
		scale := a[i][i]
		for j := range a[i] {
			a[i][j] /= scale
		}
		for k := range n {
			if k == i {
				continue
			}
			factor := a[k][i]
			for j := range a[k] {
				a[k][j] -= factor * a[i][j]
			}
		}
	}
	for i := range a {
		a[i] = a[i][n:]
	}
	return a
}

// near checks an estimate against the truth.
func near(t *testing.T, what string, estimate, err, truth float64) {
	t.Helper()
	if math.Abs(estimate-truth) > 4*err {
		t.Errorf("%s: %.3f ± %.3f was found, %.3f is true", what, estimate, err, truth)
	}
	if err > 0.6 {
		t.Errorf("%s: the sample says too little (± %.3f)", what, err)
	}
}

// books is what was written, read back once.
type books struct {
	truths  *demo.Truths
	records map[string]map[uint64]*models.Record
	log     map[string]map[uint64][]models.Change // in order
}

func readBooks(t *testing.T) *books {
	t.Helper()
	db := storetest.Open(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	engine := storetest.Engine(t, db, nil)
	report := seed(t, engine, demo.Config{Seed: 11, Contacts: 5000, Weeks: 104, Until: until})
	b := &books{truths: report.Truths, records: map[string]map[uint64]*models.Record{}, log: map[string]map[uint64][]models.Change{}}
	for _, object := range []string{"account", "deal", "lead", "activity", "subscription", "ticket", "appointment", "user", "stage", "touch", "pipeline", "order_line", "product"} {
		b.records[object] = map[uint64]*models.Record{}
		for _, r := range list(t, engine, object) {
			b.records[object][r.Number] = r
		}
	}
	for _, object := range []string{"deal", "subscription"} {
		b.log[object] = map[uint64][]models.Change{}
		for number := range b.records[object] {
			history, err := db.History(context.Background(), object, number)
			if err != nil {
				t.Fatal(err)
			}
			b.log[object][number] = history
		}
	}
	return b
}

func (b *books) name(object string, number models.Value) string {
	n, _ := number.(uint64)
	if r := b.records[object][n]; r != nil {
		s, _ := r.Get("name").(string)
		return s
	}
	return ""
}

func TestTheTruthsAreFoundInTheBooks(t *testing.T) {
	t.Parallel()
	b := readBooks(t)
	t.Run("reps, stages, size and price", b.deals)
	t.Run("leads", b.leads)
	t.Run("churn", b.churn)
	t.Run("prices", b.prices)
	t.Run("season", b.season)
}

// move is a deal's leaving an open stage.
type move struct {
	deal     *models.Record
	from, to string
	at, in   time.Time
	owner    string
}

func (b *books) moves() []move {
	var all []move
	for number, history := range b.log["deal"] {
		deal := b.records["deal"][number]
		if b.name("pipeline", deal.Get("pipeline")) != "New business" {
			continue
		}
		var stage, owner string
		var since time.Time
		for _, c := range history {
			if c.Kind == models.Restated {
				continue
			}
			for _, f := range c.Fields {
				switch f.Field.Name {
				case "owner":
					owner = b.name("user", f.After)
				case "stage":
					if next := b.name("stage", f.After); stage == "" {
						stage, since = next, c.HappenedAt
					} else {
						all = append(all, move{deal, stage, next, c.HappenedAt, since, owner})
						stage, since = next, c.HappenedAt
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y move) int { return x.at.Compare(y.at) })
	return all
}

func (b *books) deals(t *testing.T) {
	truths := b.truths
	rank := map[string]int{}
	for i, s := range truths.Stages {
		rank[s.Name] = i
	}
	touched := map[uint64][]time.Time{}
	for _, a := range b.records["activity"] {
		if n, ok := a.Get("deal").(uint64); ok {
			touched[n] = append(touched[n], a.Get("done_at").(time.Time))
		}
	}
	change, _ := time.Parse(time.DateOnly, truths.PriceChange.On)
	// Columns: four stages, reps but the first, attention, age, small, large, price.
	reps := map[string]int{}
	for i, r := range truths.Reps {
		reps[r.Name] = i
	}
	const stages = 4
	columns := stages + len(reps) - 1 + 5
	var samples []sample
	back, decisions := map[string]float64{}, map[string]float64{}
	for _, m := range b.moves() {
		from, open := rank[m.from]
		if !open || m.deal.Get("source") != "outbound" { // their channel has no effect, so that nothing is left out
			continue
		}
		to, still := rank[m.to]
		decisions[m.from]++
		if still && to < from {
			back[m.from]++
			continue
		}
		if m.at.Sub(m.in) > 60*24*time.Hour { // silent deals stand long: what stays of them is noise
			continue
		}
		x := make([]float64, columns)
		x[from] = 1
		if i := reps[m.owner]; i > 0 {
			x[stages+i-1] = 1
		}
		n := 0
		for _, at := range touched[m.deal.Number] {
			if !at.After(m.at) && at.After(m.at.Add(-14*24*time.Hour)) {
				n++
			}
		}
		rest := x[stages+len(reps)-1:]
		rest[0] = math.Log(1+float64(n)) - math.Log(3)
		rest[1] = m.at.Sub(m.deal.Get("opened_at").(time.Time)).Hours() / 24 / 30
		account := b.records["account"][m.deal.Get("account").(uint64)]
		if employees, _ := account.Get("employee_count").(int64); employees < 50 {
			rest[2] = 1
		} else if employees >= 500 {
			rest[3] = 1
		}
		if !m.at.Before(change) && from >= 2 {
			rest[4] = 1
		}
		samples = append(samples, sample{x, m.to != "Lost"})
	}
	beta, errors := fit(t, samples)
	t.Logf("%d decisions", len(samples))
	// The first rep's skill is in the stages' constants.
	for i, s := range truths.Stages {
		near(t, s.Name+" forward", beta[i], errors[i], s.Forward+truths.Reps[0].Skill)
		if s.Back > 0 {
			p := back[s.Name] / decisions[s.Name]
			near(t, s.Name+" back", p, math.Sqrt(s.Back*(1-s.Back)/decisions[s.Name]), s.Back)
		}
	}
	for i, r := range truths.Reps[1:] {
		near(t, r.Name, beta[stages+i], errors[stages+i], r.Skill-truths.Reps[0].Skill)
	}
	rest, restErrors := beta[stages+len(reps)-1:], errors[stages+len(reps)-1:]
	for i, effect := range []struct {
		name  string
		truth float64
	}{{"attention", truths.Deals.Attention}, {"age", truths.Deals.Age}, {"small", truths.Deals.Size["small"]}, {"large", truths.Deals.Size["large"]}, {"price change", truths.PriceChange.Effect}} {
		near(t, effect.name, rest[i], restErrors[i], effect.truth)
	}
	if rest[0] < 2*restErrors[0] {
		t.Errorf("attention cannot be told from nothing: %.3f ± %.3f", rest[0], restErrors[0])
	}
	b.winRates(t)
	b.lengths(t)
}

// winRates of reps, by nothing but counting, stand in the order of their skills.
func (b *books) winRates(t *testing.T) {
	type rate struct{ skill, won, decided float64 }
	by := map[string]*rate{}
	for _, r := range b.truths.Reps {
		by[r.Name] = &rate{skill: r.Skill}
	}
	for _, d := range b.records["deal"] {
		r := by[b.name("user", d.Get("owner"))]
		if r == nil || d.Get("status") == "open" || b.name("pipeline", d.Get("pipeline")) != "New business" {
			continue
		}
		r.decided++
		if d.Get("status") == "won" {
			r.won++
		}
	}
	var x, y []float64
	for _, r := range by {
		x, y = append(x, r.skill), append(y, r.won/r.decided)
	}
	if c := correlation(x, y); c < 0.7 {
		t.Errorf("win rates and skills correlate by %.2f only", c)
	}
}

func correlation(x, y []float64) float64 {
	mean := func(v []float64) float64 {
		s := 0.0
		for _, e := range v {
			s += e
		}
		return s / float64(len(v))
	}
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

// lengths: the median stay of deals of middle-sized accounts, of those that entered long enough before the end.
func (b *books) lengths(t *testing.T) {
	stays := map[string][]float64{}
	for _, m := range b.moves() {
		account := b.records["account"][m.deal.Get("account").(uint64)]
		if n, _ := account.Get("employee_count").(int64); n >= 50 && n < 500 && m.in.Before(until.AddDate(0, 0, -120)) {
			stays[m.from] = append(stays[m.from], m.at.Sub(m.in).Hours()/24)
		}
	}
	for _, s := range b.truths.Stages {
		list := stays[s.Name]
		slices.Sort(list)
		median := list[len(list)/2]
		// Office hours and weekends move an end by up to three days, by one in the mean.
		if median < s.Days*0.9 || median > s.Days*1.12+1.5 {
			t.Errorf("%s takes %.1f days in the middle (%d stays), %.1f is true", s.Name, median, len(list), s.Days)
		}
	}
}

func (b *books) leads(t *testing.T) {
	truths := b.truths.Leads
	touches := map[uint64]float64{}
	channel := map[uint64]string{}
	last := map[uint64]time.Time{}
	for _, r := range b.records["touch"] {
		n := r.Get("lead").(uint64)
		touches[n]++
		if at := r.Get("at").(time.Time); !at.Before(last[n]) {
			last[n] = at
			channel[n], _ = r.Get("channel").(string)
		}
	}
	var names []string
	for name := range truths.Title {
		names = append(names, name)
	}
	slices.Sort(names)
	var samples []sample
	for number, l := range b.records["lead"] {
		status := l.Get("status")
		won := status == "qualified" || status == "converted"
		first, answered := l.Get("first_response_at").(time.Time)
		if !won && status != "rejected" || !answered {
			continue
		}
		x := make([]float64, 3+len(b.truths.Channels)-1+len(names)-1)
		x[0] = 1
		x[1] = math.Log2(max(first.Sub(b.createdAt(l)).Hours(), 1))
		x[2] = touches[number] - 1
		for i, c := range b.truths.Channels[1:] {
			if c.Channel == channel[number] {
				x[3+i] = 1
			}
		}
		for i, name := range names[1:] {
			if l.Get("job_title") == name {
				x[3+len(b.truths.Channels)-1+i] = 1
			}
		}
		samples = append(samples, sample{x, won})
	}
	beta, errors := fit(t, samples)
	t.Logf("%d leads", len(samples))
	near(t, "response time", beta[1], errors[1], truths.Response)
	near(t, "touches", beta[2], errors[2], truths.Touches)
	if beta[1] > -2*errors[1] {
		t.Errorf("the response time cannot be told from nothing: %.3f ± %.3f", beta[1], errors[1])
	}
	base := b.truths.Channels[0].Lead
	for i, c := range b.truths.Channels[1:] {
		near(t, c.Channel, beta[3+i], errors[3+i], c.Lead-base)
	}
	for i, name := range names[1:] {
		at := 3 + len(b.truths.Channels) - 1 + i
		near(t, name, beta[at], errors[at], truths.Title[name]-truths.Title[names[0]])
	}
}

// createdAt is when a lead came in: its last touch is at most an hour older.
func (b *books) createdAt(l *models.Record) time.Time { return l.Get("assigned_at").(time.Time) }

func (b *books) churn(t *testing.T) {
	truths := b.truths.Churn
	change, _ := time.Parse(time.DateOnly, b.truths.PriceChange.On)
	tickets, visits := map[uint64][]*models.Record{}, map[uint64][]time.Time{}
	for _, r := range b.records["ticket"] {
		n := r.Get("subscription").(uint64)
		tickets[n] = append(tickets[n], r)
	}
	for _, r := range b.records["appointment"] {
		if n, ok := r.Get("account").(uint64); ok && r.Get("deal") == nil && r.Get("status") == "held" {
			visits[n] = append(visits[n], r.Get("ends_at").(time.Time))
		}
	}
	var samples []sample
	for number, history := range b.log["subscription"] {
		s := b.records["subscription"][number]
		account := b.records["account"][s.Get("account").(uint64)]
		begun := history[0].HappenedAt
		var renews models.Date
		for _, c := range history {
			for _, f := range c.Fields {
				ended := f.Field.Name == "ended_on"
				if f.Field.Name != "renews_on" && !ended {
					continue
				}
				if renews != 0 {
					at := c.HappenedAt
					x := []float64{1, 0, 0, 0, 0, 0}
					replied := 0.0
					for _, ticket := range tickets[number] {
						opened := ticket.Get("opened_at").(time.Time)
						if opened.Before(begun) || !opened.Before(at) {
							continue
						}
						if first, ok := ticket.Get("first_reply_at").(time.Time); ok {
							x[1] += math.Log2(first.Sub(opened).Hours() / 4)
							replied++
						}
						if v := ticket.Get("severity"); v == "urgent" || v == "high" {
							x[2]++
						}
					}
					x[1] /= max(replied, 1)
					if !at.Before(change) {
						x[3] = 1
					}
					if n, _ := account.Get("employee_count").(int64); n < 50 {
						x[4] = 1
					}
					for _, v := range visits[account.Number] {
						if v.Before(at) && v.After(at.AddDate(0, 0, -120)) {
							x[5] = 1
						}
					}
					samples = append(samples, sample{x, ended})
					begun = at
				}
				renews, _ = f.After.(models.Date)
			}
		}
	}
	beta, errors := fit(t, samples)
	t.Logf("%d terms", len(samples))
	for i, effect := range []struct {
		name  string
		truth float64
	}{{"base", truths.Base}, {"late replies", truths.Reply}, {"urgent tickets", truths.Urgent}, {"price", truths.Price}, {"small", truths.Small}, {"visited", truths.Visited}} {
		near(t, effect.name, beta[i], errors[i], effect.truth)
	}
}

// prices: order lines of one product cost more by exactly the truths' factor.
func (b *books) prices(t *testing.T) {
	before, after := map[models.Value]bool{}, map[models.Value]bool{}
	change, _ := time.Parse(time.DateOnly, b.truths.PriceChange.On)
	for _, r := range b.records["order_line"] {
		if r.Get("name") != "Fern Plus" {
			continue
		}
		if r.HappenedAt.Before(change) {
			before[r.Get("list_price")] = true
		} else {
			after[r.Get("list_price")] = true
		}
	}
	if len(before) != 1 || len(after) != 1 {
		t.Fatalf("Fern Plus had the prices %v and then %v", before, after)
	}
	for x := range before {
		for y := range after {
			if got := float64(y.(models.Money).Minor) / float64(x.(models.Money).Minor); math.Abs(got-b.truths.PriceChange.Factor) > 0.005 {
				t.Errorf("the price rose by the factor %.4f, %.4f is true", got, b.truths.PriceChange.Factor)
			}
		}
	}
	reasons := func(from, to time.Time) (share, n float64) {
		for _, m := range b.moves() {
			if m.to == "Lost" && (m.from == "Proposal" || m.from == "Negotiation") && !m.at.Before(from) && m.at.Before(to) && m.deal.Get("lost_reason") != "no_decision" {
				n++
				if m.deal.Get("lost_reason") == "price" {
					share++
				}
			}
		}
		return share / n, n
	}
	early, n := reasons(time.Time{}, change)
	late, m := reasons(change, until)
	if late-early < math.Sqrt(early*(1-early)/n+late*(1-late)/m) {
		t.Errorf("the price is why %.2f of deals were lost before and %.2f after", early, late)
	}
}

// season: leads double over the two years.
func (b *books) season(t *testing.T) {
	months := map[string]float64{}
	for _, l := range b.records["lead"] {
		if at, ok := l.Get("assigned_at").(time.Time); ok {
			months[at.Format("2006-01")]++
		}
	}
	// The same month a year apart has the same factor; growth alone tells them apart.
	first, second := months["2024-10"]+months["2024-11"]+months["2025-01"], months["2025-10"]+months["2025-11"]+months["2026-01"]
	weeks := float64(b.truths.Company.Weeks)
	from, _ := time.Parse(time.DateOnly, b.truths.Company.FromOn)
	middle := time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC).Sub(from).Hours() / 24 / 7
	wanted := (1 + (b.truths.Season.Growth-1)*(middle+52)/weeks) / (1 + (b.truths.Season.Growth-1)*middle/weeks)
	if got := second / first; math.Abs(got-wanted) > 4*got*math.Sqrt(1/first+1/second) {
		t.Errorf("leads grew by %.2f in a year, %.2f is true", got, wanted)
	}
	quiet, busy := months["2025-08"]/31, months["2025-10"]/31
	if ratio, wanted := busy/quiet, b.truths.Season.Months[9]/b.truths.Season.Months[7]; math.Abs(ratio-wanted) > 4*ratio*math.Sqrt(1/months["2025-08"]+1/months["2025-10"])+0.1 {
		t.Errorf("October has %.2f times August's leads a day, %.2f is true", ratio, wanted)
	}
}
