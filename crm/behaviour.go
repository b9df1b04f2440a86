package crm

import (
	"time"

	"canopy/models"
)

// behaviour is what a noun does beyond its fields. Each noun has a file of its own and one line in behaviours; every part
// may be nil.
type behaviour struct {
	// complete fills values before a write. It may read other records and sees which fields the caller gave.
	complete func(b *batch, w *writing) error
	// derive computes fields that are functions of the record before and after and of the instant. Folding a history runs
	// it again for each step, so it may read nothing else but what never changes.
	derive func(b *batch, w *writing) error
	// derived names the fields that derive writes: they are no part of what somebody did.
	derived map[string]bool
	// check tells what is wrong with a record about to be written, beside what its fields' description says.
	check func(b *batch, w *writing) ([]models.Error, error)
	// after runs once a record is written, in the same transaction. Commands of its own go through b.follows.
	after func(b *batch, r *models.Record, changed []models.FieldChange) error
}

// behaviours are the nouns that do more than keep their fields.
var behaviours map[string]behaviour

// What a noun does after a write may write other nouns, so the list cannot be a value that refers to itself.
func init() {
	behaviours = map[string]behaviour{
		dealObject:         {complete: completeDeal, derive: deriveDeal, derived: dealDerived, check: checkDeal, after: afterDeal},
		"deal_line":        lineOf(dealObject),
		"deal_contact":     {derive: deriveDealContact, derived: map[string]bool{"key": true}},
		"stage":            {check: checkStage, after: forgetStages},
		"pipeline":         {check: checkPipeline, after: forgetStages},
		"quote_line":       lineOf("quote"),
		"order_line":       lineOf("order"),
		"refund":           {check: checkRefund, after: afterRefund},
		"price_book_entry": {complete: completePrice},
		leadObject:         {complete: completeLead, derive: deriveLead, derived: leadDerived, check: checkLead, after: afterLead},
		touchObject:        {complete: completeTouch, after: afterTouch},
		handoffObject:      {complete: completeHandoff, derive: deriveHandoff, derived: handoffDerived, check: checkHandoff, after: afterHandoff},
		"activity":         {after: afterActivity},
		"account":          {after: afterBuyer},
		"contact":          {complete: completeContact, after: afterBuyer},
		"subscription":     {after: afterSubscription},
		"calendar":         {check: checkCalendar},
		"territory":        {check: checkConditions},
		"assignment_rule":  {check: checkAssignmentRule},
		"lifecycle_rule":   {check: checkLifecycleRule},
		"attachment":       {complete: completeAttachment},
		requestObject:      {complete: completeRequest, check: checkRequest},
		"form":             {check: checkForm},
		"webhook_source":   {check: checkWebhookSource},
		"view":             {check: checkView},
		"view_choice":      {check: checkViewChoice},
	}
}

// writing is a record on its way into the store.
type writing struct {
	object   *models.Object
	number   uint64         // 0 for a new record
	previous []models.Value // nil for a new or revived record
	next     []models.Value // in the order of the object's fields, as long as they are
	given    map[int]bool   // indexes of fields that the caller set; nil when a history is folded
	at       time.Time      // when it happened
	unknown  bool           // the source knows no instant
	cause    string
	stood    []models.Value // the record's state before, also of a deleted one; nil for a new record
	override string         // reason for passing over what a stage asks for
	ungated  bool           // stages have been asked already
}

// before gives a field's value before the write; nil where there was none.
func (w *writing) before(name string) models.Value { return valueOf(w.object, w.previous, name) }

// after gives a field's value as it is about to be written.
func (w *writing) after(name string) models.Value { return valueOf(w.object, w.next, name) }

// set writes a value of the record on its way.
func (w *writing) set(name string, v models.Value) { w.next[w.object.Field(name).Index()] = v }

// changes tells whether the write changes a field.
func (w *writing) changes(name string) bool {
	return w.previous == nil || !models.ValuesEqual(w.before(name), w.after(name))
}

func valueOf(object *models.Object, values []models.Value, name string) models.Value {
	if f := object.Field(name); f != nil && f.Index() < len(values) {
		return values[f.Index()]
	}
	return nil
}

// listed gives a problem as check gives them; nil is none.
func listed(problem *models.Error) []models.Error {
	if problem == nil {
		return nil
	}
	return []models.Error{*problem}
}

// isDerived tells whether a field follows from the others: a formula, or one that the noun derives.
func isDerived(object *models.Object, f *models.Field) bool {
	return f.Kind == models.Formula || behaviours[object.Name].derived[f.Name]
}

// follows executes a command that follows from another one, as the system, in the same transaction. The cause names the rule.
func (b *batch) follows(c models.Command) (models.Outcome, error) {
	system := *b
	system.reader = models.System()
	return system.execute(&c)
}
