package crm

import (
	"context"
	"fmt"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// early are the stages before somebody buys, in order. Nobody falls back among them: a lost deal does not make a stranger.
var early = map[models.Value]int{"subscriber": 1, "lead": 2, "mql": 3, "sal": 4, "sql": 5}

// lasting are the stages that time alone can change.
var lasting = []models.Value{"customer", "repeat", "advocate", "reactivated", "lapsing"}

// facts reads what is true of an account or contact, each fact at its first need.
type facts struct {
	b      *batch
	of     *models.Record
	at     time.Time
	known  map[string]int64
	absent map[string]bool
}

// get gives a fact; ok is false where it is not defined (no days since a sale that never was).
func (f *facts) get(name string) (value int64, ok bool, err error) {
	if v, known := f.known[name]; known {
		return v, true, nil
	}
	if f.absent[name] {
		return 0, false, nil
	}
	v, ok, err := f.read(name)
	if err != nil {
		return 0, false, err
	}
	if !ok {
		f.absent[name] = true
		return 0, false, nil
	}
	f.known[name] = v
	return v, true, nil
}

// maxFact is where counting a fact stops.
const maxFact = 1000

func (f *facts) read(name string) (int64, bool, error) {
	object, n := f.of.Object.Name, f.of.Number
	truth := func(is bool) (int64, bool, error) {
		if is {
			return 1, true, nil
		}
		return 0, true, nil
	}
	count := func(of, link string, also ...*predicate.Node) (int64, bool, error) {
		c, err := f.b.count(of, predicate.And(append(also, predicate.Compare(f.b.field(of, link), predicate.Eq, n))...), maxFact)
		return int64(c), true, err
	}
	status := func(of string, values ...models.Value) *predicate.Node {
		return predicate.Compare(f.b.field(of, "status"), predicate.In, values...)
	}
	became := "converted_" + object
	switch name {
	case "reachable":
		return truth(f.of.Get("email") != nil || f.of.Get("phone") != nil)
	case "advocate":
		return truth(f.of.Get("advocate") == true)
	case "was_churned":
		stage := f.of.Get("lifecycle")
		return truth(stage == "churned" || stage == "reactivated")
	case "open_deals":
		return count(dealObject, object, status(dealObject, "open"))
	case "won_deals":
		return count(dealObject, object, status(dealObject, "won"))
	case "active_subscriptions":
		return count("subscription", object, status("subscription", "trial", "active", "paused"))
	case "leads":
		return f.leads(became)
	case "mql_leads":
		return f.leads(became, "mql", "working", "qualified", "converted")
	case "accepted_leads":
		return f.leads(became, "working", "qualified", "converted")
	case "days_since_won":
		where := predicate.And(predicate.Compare(f.b.field(dealObject, object), predicate.Eq, n), status(dealObject, "won"), predicate.Compare(f.b.field(dealObject, "closed_at"), predicate.NotEmpty))
		latest, err := f.b.query(dealObject, where, "-closed_at", 1)
		if err != nil || len(latest) == 0 {
			return 0, false, err
		}
		won, _ := latest[0].Get("closed_at").(time.Time)
		zone := f.b.options.Calendar.Zone
		return int64(models.DateOf(f.at, zone) - models.DateOf(won, zone)), true, nil
	}
	return 0, false, nil
}

// leads counts the leads that became the record, and of a contact also those with its address; of any status where none is named.
func (f *facts) leads(became string, statuses ...models.Value) (int64, bool, error) {
	whose := []*predicate.Node{predicate.Compare(f.b.field(leadObject, became), predicate.Eq, f.of.Number)}
	if email, ok := f.of.Get("email").(string); ok && f.of.Object.Name == "contact" {
		whose = append(whose, predicate.Compare(f.b.field(leadObject, "email"), predicate.Eq, email))
	}
	where := predicate.Or(whose...)
	if len(statuses) > 0 {
		where = predicate.And(where, predicate.Compare(f.b.field(leadObject, "status"), predicate.In, statuses...))
	}
	c, err := f.b.count(leadObject, where, maxFact)
	return int64(c), true, err
}

func (c Condition) holds(f *facts) (bool, error) {
	v, ok, err := f.get(c.Fact)
	if err != nil || !ok {
		return false, err
	}
	switch c.Op {
	case "gte":
		return v >= c.Value, nil
	case "lte":
		return v <= c.Value, nil
	}
	return v == c.Value, nil
}

// enterStage brings a record's lifecycle to the first stage whose entry rule holds at an instant, and says why.
func (b *batch) enterStage(object string, n uint64, at time.Time) error {
	if n == 0 {
		return nil
	}
	r, err := b.record(object, n)
	if err != nil || r == nil || r.Deleted {
		return err
	}
	stages, err := b.lifecycleStages()
	if err != nil {
		return err
	}
	f := &facts{b: b, of: r, at: at, known: map[string]int64{}, absent: map[string]bool{}}
	now := r.Get("lifecycle")
	for _, s := range stages[object] {
		fits := true
		for _, c := range s.Conditions {
			if fits, err = c.holds(f); err != nil {
				return err
			}
			if !fits {
				break
			}
		}
		if !fits {
			continue
		}
		if now == s.Stage || (early[now] > 0 && early[s.Stage] > 0 && early[s.Stage] < early[now]) {
			return nil
		}
		return b.amendBy("lifecycle", r, at, map[string]models.Value{"lifecycle": s.Stage, "lifecycle_reason": cut(s.Definition + " (" + s.InWords + ")")})
	}
	return nil
}

// dealStages moves the buyer of a deal through the lifecycle when the deal is opened, won, or no longer won.
func (b *batch) dealStages(r *models.Record, changed []models.FieldChange) error {
	if byImport(b.cause) || isUndo(b.cause) || !moved(changed, "status") && !moved(changed, "account") && !moved(changed, "contact") {
		return nil
	}
	for _, object := range []string{"account", "contact"} {
		n := number(r, object)
		if n == 0 {
			continue
		}
		buyer, err := b.record(object, n)
		if err != nil {
			return err
		}
		if buyer == nil || buyer.Deleted {
			continue
		}
		stage := buyer.Get("lifecycle")
		wasWon := false
		for _, c := range changed {
			wasWon = wasWon || c.Field.Name == "status" && c.Before == "won"
		}
		if r.Get("status") == "won" || wasWon || r.Get("status") == "open" && (stage == nil || early[stage] > 0 && early[stage] < early["sql"]) {
			if err := b.enterStage(object, n, r.HappenedAt); err != nil {
				return err
			}
		}
	}
	return nil
}

// afterDeal follows a deal's way: the buyer's lifecycle, and the handoff to success.
func afterDeal(b *batch, r *models.Record, changed []models.FieldChange) error {
	if r.Deleted {
		return nil
	}
	if err := b.dealStages(r, changed); err != nil {
		return err
	}
	return b.handoverDeal(r, changed)
}

// completeContact starts the lifecycle of a contact whom we can reach.
func completeContact(_ *batch, w *writing) error {
	if w.previous == nil && w.after("lifecycle") == nil && (w.after("email") != nil || w.after("phone") != nil) {
		w.set("lifecycle", "subscriber")
	}
	return nil
}

// afterBuyer follows what is said of an account or contact itself.
func afterBuyer(b *batch, r *models.Record, changed []models.FieldChange) error {
	if r.Deleted || isUndo(b.cause) || r.Version == 1 || !moved(changed, "advocate") {
		return nil
	}
	return b.enterStage(r.Object.Name, r.Number, r.HappenedAt)
}

// afterSubscription follows a subscription that starts or ends.
func afterSubscription(b *batch, r *models.Record, changed []models.FieldChange) error {
	if r.Deleted || isUndo(b.cause) || byImport(b.cause) || !moved(changed, "status") {
		return nil
	}
	return b.enterStage("account", number(r, "account"), r.HappenedAt)
}

// Lifecycle gives the stages in use, from the highest rank down.
func (e *Engine) Lifecycle(ctx context.Context) ([]LifecycleStage, error) {
	b := e.newBatch(ctx, models.System())
	stages, err := b.lifecycleStages()
	if err != nil {
		return nil, err
	}
	return append(append([]LifecycleStage{}, stages["account"]...), stages["contact"]...), nil
}

// sweepChunk is how many records one transaction of the daily sweep looks at.
const sweepChunk = 100

// SweepLifecycle moves accounts and contacts whose stage time alone has changed (lapsing, churned), and those that came by import
// with deals. It works in short bulk transactions and gives the number of records that it looked at.
func (e *Engine) SweepLifecycle(ctx context.Context) (int, error) {
	seen := 0
	for _, object := range []string{"account", "contact"} {
		o := e.Registry().Object(object)
		where := predicate.Or(predicate.Compare(o.Field("lifecycle"), predicate.In, lasting...), predicate.Compare(o.Field("lifecycle"), predicate.IsEmpty))
		cursor := ""
		for {
			page, err := e.List(ctx, models.System(), Query{Object: object, Where: where, Limit: sweepChunk, Cursor: cursor})
			if err != nil {
				return seen, fmt.Errorf("look for %s whose stage may have changed: %w", o.Plural, err)
			}
			err = e.Bulk(ctx, func(ctx context.Context) error {
				b := e.newBatch(ctx, models.System())
				for _, r := range page.Records {
					if err := b.enterStage(object, r.Number, b.now); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return seen, fmt.Errorf("bring the lifecycle of %s up to date: %w", o.Plural, err)
			}
			if seen += len(page.Records); page.NextCursor == "" {
				break
			}
			cursor = page.NextCursor
		}
	}
	return seen, nil
}
