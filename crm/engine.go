package crm

import (
	"context"
	"errors"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// Options are the engine's surroundings.
type Options struct {
	Now      func() time.Time // nil: time.Now
	Calendar models.Calendar
	Currency string // reporting currency, ISO 4217
	// CheckRegistry, if given, may refuse what an approval would make of the registry: the warehouse minds names, too.
	CheckRegistry func(*models.Registry) error
	// Contents keeps the bytes of files; nil: none are taken.
	Contents Contents
}

// Engine is the record engine. It is safe for concurrent use.
type Engine struct {
	store    Store
	options  Options
	compiled compilations
	formulas chan struct{} // has room for one: something may be to compute
}

// New compiles the expressions of the store's registry and gives an engine over it.
func New(store Store, o Options) (*Engine, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Calendar.Zone == nil {
		o.Calendar.Zone = time.UTC
	}
	e := &Engine{store: store, options: o, formulas: make(chan struct{}, 1)}
	if _, err := e.compiled.of(store.Registry()); err != nil {
		return nil, err
	}
	return e, nil
}

// Registry is the description of all objects as it is now. It grows while Canopy runs: ask anew for each piece of work, and keep
// neither it nor its objects and fields for longer.
func (e *Engine) Registry() *models.Registry { return e.store.Registry() }

// Calendar is the workspace's clock.
func (e *Engine) Calendar() models.Calendar { return e.options.Calendar }

// Currency is the workspace's reporting currency.
func (e *Engine) Currency() string { return e.options.Currency }

// Run runs fn in one transaction; calls of the engine with the inner context join it.
func (e *Engine) Run(ctx context.Context, p Priority, fn func(ctx context.Context) error) error {
	return e.store.Run(ctx, p, fn)
}

// Bulk is Run at bulk priority: one chunk, under 50 ms, of a large job.
func (e *Engine) Bulk(ctx context.Context, fn func(ctx context.Context) error) error {
	return e.store.Run(ctx, Bulk, fn)
}

// Do executes one command in a transaction of its own (or in that of ctx).
func (e *Engine) Do(ctx context.Context, reader models.Reader, command models.Command) (models.Outcome, error) {
	results, err := e.Batch(ctx, reader, []models.Command{command})
	if err != nil {
		return models.Outcome{}, err
	}
	if results[0].Err != nil {
		return models.Outcome{}, results[0].Err
	}
	return results[0].Outcome, nil
}

// Batch executes commands in order in one transaction. A refused command has its Err and writes nothing; the others go
// on. A returned error means that the whole transaction failed and nothing was written. Records of the results stand as
// the whole batch left them.
func (e *Engine) Batch(ctx context.Context, reader models.Reader, commands []models.Command) ([]models.Result, error) {
	var results []models.Result
	err := e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		b := e.newBatch(ctx, reader)
		results = make([]models.Result, len(commands))
		if err := b.prefetch(commands); err != nil {
			return err
		}
		if err := b.reserve(commands); err != nil {
			return err
		}
		for i := range commands {
			outcome, err := b.execute(&commands[i])
			if err == nil {
				results[i].Outcome = outcome
				continue
			}
			var said *models.Error
			if !errors.As(err, &said) || said.Code == models.Internal {
				return err
			}
			if commands[i].Row > 0 && said.Row == 0 {
				said = said.WithRow(commands[i].Row)
			}
			results[i].Err = said
		}
		return b.rollUpAll()
	})
	return results, err
}

// batch is the work of one call of Batch: what it has read stays read for its commands.
type batch struct {
	*Engine
	ctx        context.Context  //nolint:containedctx // a batch lives within one call and its transaction
	registry   *models.Registry // in force when the batch began; the batch uses no other
	rules      map[string]*rules
	broken     error // why the registry's rules cannot be used
	reader     models.Reader
	now        time.Time
	locked     map[RecordKey]*models.Record // records that commands of this batch write, as they stand
	seen       map[RecordKey]*models.Record // records that are only referred to; nil for a missing one
	taken      map[string]map[string]uint64 // "object.field" → value's JSON → holder, for values looked up so far
	scopes     map[string]*predicate.Bound
	parents    map[RecordKey]time.Time // records whose lines changed, and when the latest of them did
	stages     *stageList
	passed     []models.Error       // what the command at work was let past
	currencies map[RecordKey]string // of the lines that this batch gave to a record
	memo       map[string]any       // what nouns keep for the length of a batch, by their own names
	cause      string               // of the command at work
}

func (e *Engine) newBatch(ctx context.Context, reader models.Reader) *batch {
	compiled, err := e.compiled.of(e.store.Registry())
	return &batch{
		Engine: e, ctx: ctx, registry: compiled.registry, rules: compiled.rules, broken: err, reader: reader, now: e.options.Now().UTC().Truncate(time.Millisecond),
		locked: map[RecordKey]*models.Record{}, seen: map[RecordKey]*models.Record{},
		taken: map[string]map[string]uint64{}, memo: map[string]any{}, scopes: map[string]*predicate.Bound{}, parents: map[RecordKey]time.Time{}, currencies: map[RecordKey]string{},
	}
}

// reserve announces many creations to the store.
func (b *batch) reserve(commands []models.Command) error {
	const many = 8
	if len(commands) < many {
		return nil
	}
	objects := map[string]int{}
	for i := range commands {
		if c := &commands[i]; c.Op == models.Create && b.registry.Object(c.Object) != nil {
			objects[c.Object]++
		}
	}
	return b.store.Reserve(b.ctx, objects, len(commands))
}

// prefetch reads in a few queries what the commands will look at one by one.
func (b *batch) prefetch(commands []models.Command) error {
	if b.broken != nil {
		return b.broken
	}
	write := map[string][]uint64{}
	refer := map[string][]uint64{}
	values := map[*models.Field][]models.Value{}
	owners := map[*models.Field]string{}
	for i := range commands {
		c := &commands[i]
		object := b.registry.Object(c.Object)
		if object == nil {
			continue // execute says so
		}
		if c.Number != 0 {
			write[c.Object] = append(write[c.Object], c.Number)
		}
		for _, set := range c.Sets {
			if number, ok := set.Value.(uint64); ok && set.Field.Kind == models.Reference {
				refer[set.Field.To] = append(refer[set.Field.To], number)
			}
			if set.Field.Unique && set.Value != nil {
				values[set.Field] = append(values[set.Field], set.Value)
				owners[set.Field] = c.Object
			}
		}
	}
	for object, numbers := range write {
		if err := b.lock(object, numbers); err != nil {
			return err
		}
	}
	for object, numbers := range refer {
		if err := b.see(object, numbers); err != nil {
			return err
		}
	}
	for field, list := range values {
		if err := b.lookUpTaken(owners[field], field, list); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) lock(object string, numbers []uint64) error {
	records, err := b.store.Load(b.ctx, object, unique(numbers), true)
	if err != nil {
		return err
	}
	for number, r := range records {
		b.locked[RecordKey{object, number}] = r
	}
	return nil
}

func (b *batch) see(object string, numbers []uint64) error {
	missing := numbers[:0:0]
	for _, n := range unique(numbers) {
		key := RecordKey{object, n}
		if _, ok := b.seen[key]; !ok && b.locked[key] == nil {
			missing = append(missing, n)
		}
	}
	records, err := b.store.Load(b.ctx, object, missing, false)
	if err != nil {
		return err
	}
	for _, n := range missing {
		b.seen[RecordKey{object, n}] = records[n]
	}
	return nil
}

// record gives a referred record as it stands in this batch; nil where there is none.
func (b *batch) record(object string, number uint64) (*models.Record, error) {
	key := RecordKey{object, number}
	if r := b.locked[key]; r != nil {
		return r, nil
	}
	if r, ok := b.seen[key]; ok {
		return r, nil
	}
	if err := b.see(object, []uint64{number}); err != nil {
		return nil, err
	}
	return b.seen[key], nil
}

func (b *batch) lookUpTaken(object string, field *models.Field, list []models.Value) error {
	key := object + "." + field.Name
	known := b.taken[key]
	if known == nil {
		known = map[string]uint64{}
		b.taken[key] = known
	}
	var missing []models.Value
	for _, v := range list {
		text := string(field.AppendJSON(nil, v))
		if _, ok := known[text]; !ok {
			known[text] = 0
			missing = append(missing, v)
		}
	}
	holders, err := b.store.FindTaken(b.ctx, object, field, missing)
	if err != nil {
		return err
	}
	for text, number := range holders {
		known[text] = number
	}
	return nil
}

func unique(numbers []uint64) []uint64 {
	seen := make(map[uint64]bool, len(numbers))
	list := numbers[:0:0]
	for _, n := range numbers {
		if !seen[n] {
			seen[n] = true
			list = append(list, n)
		}
	}
	return list
}

// visible tells whether the batch's reader may see a record.
func (b *batch) visible(r *models.Record) (bool, error) {
	if b.reader.SeesAllOf(r.Object) {
		return true, nil
	}
	scope, ok := b.scopes[r.Object.Name]
	if !ok {
		scope = predicate.Scope(b.registry, r.Object, b.reader)
		b.scopes[r.Object.Name] = scope
	}
	if scope == nil {
		return true, nil
	}
	var failed error
	seen := scope.Match(r.Values, predicate.MetaOf(r), func(object string, number uint64) ([]models.Value, bool) {
		related, err := b.record(object, number)
		if err != nil {
			failed = err
		}
		if related == nil || related.Deleted {
			return nil, false
		}
		return related.Values, true
	})
	return seen, failed
}

// notFound is what readers are told of a record that is not there or not theirs to see: the same.
func notFound(o *models.Object, number uint64) error {
	return models.Errorf(models.NotFound, "there is no %s %q", o.Name, o.ID(number))
}
