package crm

import (
	"context"
	"math/big"
	"slices"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// StageWords are one stage as people read it, and the questions by which its deals are counted.
type StageWords struct {
	Number       uint64
	Name, Status string
	Entry, Exit  []string // what must be true, in words
	EntryHelp    string
	ExitHelp     string
	Required     []string // labels of the fields required from this stage on
	AgeLimitDays int64    // 0: none
	Probability  *int64   // ten-thousandths; nil where none is declared
	Broken       string   // why what it asks for cannot be asked

	InIt    *predicate.Node // deals in the stage
	BreakIt *predicate.Node // deals in the stage that do not meet what coming in asks for, or lack a field that it or an earlier stage requires; nil: it asks for nothing
	Stale   *predicate.Node // deals that have been in the stage for longer than its age limit; nil: it has none
}

// SayStages gives a pipeline's stages in order, in words.
func (e *Engine) SayStages(ctx context.Context, pipeline uint64) ([]StageWords, error) {
	b := e.newBatch(ctx, models.System())
	all, err := b.stageList()
	if err != nil {
		return nil, err
	}
	deal := b.registry.Object(dealObject)
	list := make([]StageWords, 0, len(all.of[pipeline]))
	var required []*predicate.Node // of all stages so far
	for _, s := range all.of[pipeline] {
		r, err := b.record("stage", s.number)
		if err != nil {
			return nil, err
		}
		w := StageWords{Number: s.number, Name: s.name, Status: s.status, Entry: textsOf(s.entry), Exit: textsOf(s.exit), Required: []string{}, AgeLimitDays: int64(s.ageLimit)}
		w.EntryHelp, _ = r.Get("entry_help").(string)
		w.ExitHelp, _ = r.Get("exit_help").(string)
		if p, ok := r.Get("probability").(int64); ok {
			w.Probability = &p
		}
		w.InIt = predicate.Compare(deal.Field("stage"), predicate.Eq, s.number)
		own := make([]*predicate.Node, 0, len(s.required))
		for _, f := range s.required {
			w.Required = append(w.Required, f.Label)
			own = append(own, predicate.Compare(f, predicate.NotEmpty))
		}
		asked := own
		if s.status != "lost" {
			required = append(required, own...)
			asked = slices.Clone(required)
		}
		if s.broken != nil {
			w.Broken = s.broken.Error()
			list = append(list, w)
			continue
		}
		if text, _ := r.Get("entry_criteria").(string); strings.TrimSpace(text) != "" {
			node, err := predicate.Parse([]byte(text))
			if err != nil {
				return nil, err
			}
			asked = append(asked, node)
		}
		if len(asked) > 0 {
			w.BreakIt = predicate.And(w.InIt, predicate.Negate(predicate.And(asked...)))
		}
		if s.ageLimit > 0 {
			before := models.DateOf(b.now, e.options.Calendar.Zone).AddDays(-s.ageLimit).Time(e.options.Calendar.Zone).UTC()
			w.Stale = predicate.And(w.InIt, predicate.Compare(deal.Field("stage_entered_at"), predicate.Lt, before))
		}
		list = append(list, w)
	}
	return list, nil
}

func textsOf(list []criterion) []string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].text
	}
	return texts
}

// StaleIn asks for the open deals that have been in one of the stages for longer than its limit; nil where no stage has one.
func StaleIn(stages []StageWords) *predicate.Node {
	var any []*predicate.Node
	for i := range stages {
		if stages[i].Status == "open" && stages[i].Stale != nil {
			any = append(any, stages[i].Stale)
		}
	}
	if len(any) == 0 {
		return nil
	}
	return predicate.Or(any...)
}

// Sums adds up amounts by currency, exactly.
type Sums map[string]*big.Rat //nolint:recvcheck // adding may make the map, reading does not

// SumOf is one currency's sum in major units, rounded half away from zero to the currency's smallest unit.
type SumOf struct{ Amount, Currency string }

// Whole is the weight of an amount that counts in full, in ten-thousandths.
const Whole = int64(10_000)

// Add adds an amount in major units times a weight in ten-thousandths.
func (s *Sums) Add(amount, currency string, weight int64) {
	x, ok := new(big.Rat).SetString(amount)
	if !ok {
		return // sums of the warehouse are decimals
	}
	x.Mul(x, big.NewRat(weight, Whole))
	if *s == nil {
		*s = Sums{}
	}
	if (*s)[currency] == nil {
		(*s)[currency] = new(big.Rat)
	}
	(*s)[currency].Add((*s)[currency], x)
}

// Sorted gives the sums in order of currency.
func (s Sums) Sorted() []SumOf {
	list := make([]SumOf, 0, len(s))
	for currency, sum := range s {
		list = append(list, SumOf{sum.FloatString(models.MinorDigits(currency)), currency})
	}
	slices.SortFunc(list, func(x, y SumOf) int { return strings.Compare(x.Currency, y.Currency) })
	return list
}
