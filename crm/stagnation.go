package crm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// StaleDeal is one deal with the step that its pipeline's policy would take.
type StaleDeal struct {
	Deal      *models.Record
	Step      string // nudge, reengage, lost, nurture, freshen
	Why       string
	TouchedAt time.Time // last sign of life
	IdleDays  int
	LimitDays int
}

// Stagnation says what the policies would do with the deals that the reader sees, at most limit of them by number from after on (0: from the
// first). next is where to go on, 0 at the end. It writes nothing.
func (e *Engine) Stagnation(ctx context.Context, reader models.Reader, after uint64, limit int) (list []StaleDeal, next uint64, err error) {
	object := e.Registry().Object(dealObject)
	scope, err := e.Bind(reader, object, nil)
	if err != nil {
		return nil, 0, err
	}
	watch, err := e.watched(ctx)
	if err != nil || len(watch.policies) == 0 {
		return nil, 0, err
	}
	full := errors.New("full")
	err = e.walk(ctx, dealObject, predicate.All(scope, watch.where), after, stagnationPage, func(page []*models.Record) error {
		stale, err := e.judge(ctx, watch, page)
		if err != nil {
			return err
		}
		for _, s := range stale {
			if len(list) == limit {
				next = list[limit-1].Deal.Number
				return full
			}
			list = append(list, s)
		}
		return nil
	})
	if errors.Is(err, full) {
		err = nil
	}
	return list, next, err
}

// stagnationPage is how many deals are looked at, and written, in one transaction.
const stagnationPage = 50

// watch is what the policies look at: the pipelines that have one, and the open deals in them that have not just moved.
type watch struct {
	policies map[uint64]*Policy       // by pipeline
	limits   map[uint64]int           // by stage, in days
	stages   map[uint64][]*stageRules // by pipeline
	where    *predicate.Bound
	now      time.Time
}

// watched reads the policies of active pipelines.
func (e *Engine) watched(ctx context.Context) (*watch, error) {
	b := e.newBatch(ctx, models.System())
	stages, err := b.stageList()
	if err != nil {
		return nil, err
	}
	deal := b.registry.Object(dealObject)
	w := &watch{policies: map[uint64]*Policy{}, limits: map[uint64]int{}, stages: stages.of, now: b.now}
	var pipelines []models.Value
	err = e.walk(ctx, "pipeline", nil, 0, maxStages, func(page []*models.Record) error {
		for _, r := range page {
			text, _ := r.Get("stagnation_policy").(string)
			policy, err := ParsePolicy(deal, text)
			if err != nil {
				return fmt.Errorf("policy of %s: %w", r.ID(), err)
			}
			if policy != nil && r.Get("active") == true {
				w.policies[r.Number] = policy
				pipelines = append(pipelines, r.Number)
			}
		}
		return nil
	})
	if err != nil || len(pipelines) == 0 {
		return w, err
	}
	shortest := w.setLimits()
	// A deal that came into its stage within the shortest limit has no step due, unless the policy has acted on it already.
	recent := models.DateOf(b.now, e.options.Calendar.Zone).AddDays(1 - shortest).Time(e.options.Calendar.Zone).UTC()
	entered, state := deal.Field("stage_entered_at"), deal.Field("stagnation")
	node := predicate.And(
		predicate.Compare(deal.Field("status"), predicate.Eq, "open"), predicate.Compare(deal.Field("pipeline"), predicate.In, pipelines...),
		predicate.Or(predicate.Compare(entered, predicate.Lt, recent), predicate.Compare(entered, predicate.IsEmpty), predicate.Compare(state, predicate.In, "nudged", "reengage", "closed")),
	)
	w.where, err = node.Bind(b.registry, deal, e.options.Calendar)
	return w, err
}

// setLimits gives each open stage of a watched pipeline its limit, and the shortest of them.
func (w *watch) setLimits() int {
	shortest := 0
	for pipeline, policy := range w.policies {
		for _, s := range w.stages[pipeline] {
			limit := s.ageLimit
			if limit == 0 {
				limit = policy.NudgeAfterDays
			}
			w.limits[s.number] = limit
			if s.status == "open" && (shortest == 0 || limit < shortest) {
				shortest = limit
			}
		}
	}
	return max(shortest, 1)
}

// judge gives the deals of a page for which a step is due.
func (e *Engine) judge(ctx context.Context, w *watch, page []*models.Record) ([]StaleDeal, error) {
	vitals, err := e.vitals(ctx, page, w.now)
	if err != nil {
		return nil, err
	}
	var stale []StaleDeal
	for _, deal := range page {
		policy, limit := w.policies[numberOf(deal.Get("pipeline"))], w.limits[numberOf(deal.Get("stage"))]
		if policy == nil || limit == 0 {
			continue
		}
		v := vitals[deal.Number]
		if step, why := policy.decide(limit, v); step != "" {
			stale = append(stale, StaleDeal{Deal: deal, Step: step, Why: why, TouchedAt: v.touched, IdleDays: v.idle(), LimitDays: limit})
		}
	}
	return stale, nil
}

// StagnationTally counts what one run did.
type StagnationTally struct {
	LookedAt, Nudged, Reengaged, Lost, Nurtured, Freshened, Refused int
	Notes                                                           []string // what was refused and why, at most maxNotes
}

const maxNotes = 100

func (t *StagnationTally) add(o *StagnationTally) {
	t.LookedAt, t.Nudged, t.Reengaged, t.Lost = t.LookedAt+o.LookedAt, t.Nudged+o.Nudged, t.Reengaged+o.Reengaged, t.Lost+o.Lost
	t.Nurtured, t.Freshened, t.Refused = t.Nurtured+o.Nurtured, t.Freshened+o.Freshened, t.Refused+o.Refused
	t.Notes = append(t.Notes, o.Notes...)
	t.Notes = t.Notes[:min(len(t.Notes), maxNotes)]
}

func (t *StagnationTally) acted() bool {
	return t.Nudged+t.Reengaged+t.Lost+t.Nurtured+t.Freshened+t.Refused > 0
}

// RunStagnation takes the steps that are due today, as the system, and keeps what it did as the day's stagnation_run. It is safe to run again, also after
// it was cut off: a step that was taken is not due any more.
func (e *Engine) RunStagnation(ctx context.Context) (StagnationTally, error) {
	var whole StagnationTally
	w, err := e.watched(ctx)
	if err != nil {
		return whole, fmt.Errorf("read the stagnation policies: %w", err)
	}
	if len(w.policies) > 0 {
		object := e.Registry().Object(dealObject)
		for after, more := uint64(0), true; more; {
			var done StagnationTally
			err := e.Bulk(ctx, func(ctx context.Context) (err error) {
				done, after, more, err = e.stagnationChunk(ctx, w, object, after)
				return err
			})
			if err != nil {
				return whole, fmt.Errorf("take the steps of the stagnation policies: %w", err)
			}
			whole.add(&done)
		}
	}
	err = e.keepRun(ctx, w.now, &whole)
	return whole, err
}

// stagnationChunk looks at one page of deals after a number and takes the steps that are due.
func (e *Engine) stagnationChunk(ctx context.Context, w *watch, object *models.Object, after uint64) (t StagnationTally, last uint64, more bool, err error) {
	order, err := predicate.ParseSort(object, "")
	if err != nil {
		return t, after, false, err
	}
	page, err := e.store.List(ctx, Listing{Object: dealObject, Where: w.where, Sort: order, Cursor: cursorAfter(order, object, after), Limit: stagnationPage})
	if err != nil || len(page) == 0 {
		return t, after, false, err
	}
	t.LookedAt = len(page)
	stale, err := e.judge(ctx, w, page)
	if err != nil {
		return t, after, false, err
	}
	for i := range stale {
		if err := e.takeStep(ctx, w, &stale[i], &t); err != nil {
			return t, after, false, err
		}
	}
	return t, page[len(page)-1].Number, len(page) == stagnationPage, nil
}

// takeStep writes one step: the deal's state, and the task that goes with it. What the deal's stage refuses is noted, and nothing is written.
func (e *Engine) takeStep(ctx context.Context, w *watch, s *StaleDeal, t *StagnationTally) error {
	object := s.Deal.Object
	set := func(name string, v models.Value) models.Set { return models.Set{Field: object.Field(name), Value: v} }
	policy := w.policies[numberOf(s.Deal.Get("pipeline"))]
	state := map[string]string{StepNudge: "nudged", StepReengage: "reengage", StepLost: "closed", StepNurture: "closed", StepFreshen: "fresh"}[s.Step]
	sets := []models.Set{set("stagnation", state), set("stagnation_at", w.now)}
	if s.Step == StepLost || s.Step == StepNurture {
		lost := uint64(0)
		for _, stage := range w.stages[numberOf(s.Deal.Get("pipeline"))] {
			if stage.status == "lost" && lost == 0 {
				lost = stage.number
			}
		}
		if lost == 0 {
			t.refuse(s.Deal, "its pipeline has no lost stage")
			return nil
		}
		sets = append(sets, set("stage", lost), set("lost_reason", policy.Reason))
	}
	_, err := e.Do(ctx, models.System(), models.Command{Op: models.Update, Object: dealObject, Number: s.Deal.Number, Version: s.Deal.Version, Sets: sets, Cause: "rule:" + stagnationRule})
	if said := (*models.Error)(nil); errors.As(err, &said) && said.Code != models.Internal {
		t.refuse(s.Deal, said.Error())
		return nil
	}
	if err != nil {
		return err
	}
	name, _ := s.Deal.Get("name").(string)
	today := models.DateOf(w.now, e.options.Calendar.Zone)
	switch s.Step {
	case StepNudge:
		t.Nudged++
		return e.ruleTask(ctx, s, shortened(fmt.Sprintf("Plan a next step: %s", name)), today)
	case StepReengage:
		t.Reengaged++
	case StepLost:
		t.Lost++
	case StepNurture:
		t.Nurtured++
		return e.ruleTask(ctx, s, shortened(fmt.Sprintf("Take up again: %s", name)), today.AddDays(policy.NurtureDays))
	case StepFreshen:
		t.Freshened++
	}
	return nil
}

// shortened keeps a subject within what a line of a list shows.
func shortened(subject string) string {
	if runes := []rune(subject); len(runes) > 200 {
		return string(runes[:199]) + "…"
	}
	return subject
}

func (t *StagnationTally) refuse(deal *models.Record, why string) {
	t.Refused++
	if len(t.Notes) < maxNotes {
		t.Notes = append(t.Notes, deal.ID()+": "+why)
	}
}

// ruleTask gives the deal's owner something to do.
func (e *Engine) ruleTask(ctx context.Context, s *StaleDeal, subject string, due models.Date) error {
	object := e.Registry().Object("task")
	values := map[string]models.Value{
		"subject": subject, "due_on": due, "notes": strings.ToUpper(s.Why[:1]) + s.Why[1:] + ".", "made_by_rule": stagnationRule,
		"deal": s.Deal.Number, "account": s.Deal.Get("account"), "contact": s.Deal.Get("contact"), "owner": s.Deal.Get("owner"), "team": s.Deal.Get("team"),
	}
	var sets []models.Set
	for _, f := range object.Fields {
		if v := values[f.Name]; v != nil {
			sets = append(sets, models.Set{Field: f, Value: v})
		}
	}
	_, err := e.Do(ctx, models.System(), models.Command{Op: models.Create, Object: object.Name, Sets: sets, Cause: "rule:" + stagnationRule})
	if err != nil {
		return fmt.Errorf("make the task of %s: %w", s.Deal.ID(), err)
	}
	return nil
}

// keepRun keeps a day's work: one record a day, to which a later run of the same day adds what it did.
func (e *Engine) keepRun(ctx context.Context, now time.Time, t *StagnationTally) error {
	object := e.Registry().Object("stagnation_run")
	day := models.DateOf(now, e.options.Calendar.Zone).String()
	return e.Run(ctx, Interactive, func(ctx context.Context) error {
		known, err := e.FindByText(ctx, models.System(), object.Name, "day", []string{day})
		if err != nil {
			return err
		}
		command := models.Command{Op: models.Create, Object: object.Name, Cause: "rule:" + stagnationRule}
		var earlier *models.Record
		if numbers := known[day]; len(numbers) > 0 {
			if !t.acted() {
				return nil
			}
			if earlier, err = e.Get(ctx, models.System(), object.Name, numbers[0], models.Cutoff{}); err != nil {
				return err
			}
			command.Op, command.Number = models.Update, numbers[0]
		}
		add := func(name string, n int) {
			if earlier != nil && name != "looked_at" {
				before, _ := earlier.Get(name).(int64)
				n += int(before)
			}
			command.Sets = append(command.Sets, models.Set{Field: object.Field(name), Value: int64(n)})
		}
		command.Sets = append(command.Sets, models.Set{Field: object.Field("day"), Value: day}, models.Set{Field: object.Field("started_at"), Value: now})
		add("looked_at", t.LookedAt)
		add("nudged", t.Nudged)
		add("reengaged", t.Reengaged)
		add("lost", t.Lost)
		add("nurtured", t.Nurtured)
		add("freshened", t.Freshened)
		add("refused", t.Refused)
		if len(t.Notes) > 0 {
			command.Sets = append(command.Sets, models.Set{Field: object.Field("notes"), Value: strings.Join(t.Notes, "\n")})
		}
		_, err = e.Do(ctx, models.System(), command)
		return err
	})
}

// StagnationDue tells whether the policies' work of today is still to be done although its hour has passed: they have run before, and not today.
// A workspace in which they never ran waits for the next hour.
func (e *Engine) StagnationDue(ctx context.Context) (bool, error) {
	now := e.options.Now()
	page, err := e.List(ctx, models.System(), Query{Object: "stagnation_run", Sort: "-started_at", Limit: 1})
	if err != nil || len(page.Records) == 0 {
		return false, err
	}
	return page.Records[0].Get("day") != models.DateOf(now, e.options.Calendar.Zone).String(), nil
}
