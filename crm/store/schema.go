package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"canopy/crm"
	"canopy/models"
)

// schema is a registry with the tables made from it. It is immutable.
type schema struct {
	registry *models.Registry
	tables   map[string]*table
}

// schemas holds the schema in force. It only moves forward.
type schemas struct {
	mu      sync.Mutex // held while one is put in
	current atomic.Pointer[schema]
}

func (s *schemas) now() *schema { return s.current.Load() }

// version is that of the registry in force; 0 while the store is being opened.
func (s *schemas) version() int64 {
	if now := s.now(); now != nil {
		return now.registry.Version()
	}
	return 0
}

// put makes a schema the one in force, unless a newer one is.
func (s *schemas) put(next *schema) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.current.Load(); old == nil || next.registry.Version() > old.registry.Version() {
		s.current.Store(next)
	}
}

// errOutdated ends a transaction that another process's change of the registry has overtaken.
var errOutdated = errors.New("the registry has grown since the transaction began")

// table gives the table of an object that the registry has.
func (db *DB) table(object string) *table { return db.schema.now().tables[object] }

// grown gives the schema of a registry that grew from this one: unchanged objects keep their tables.
func (s *schema) grown(d dialect, registry *models.Registry) *schema {
	next := &schema{registry: registry, tables: make(map[string]*table, len(registry.Objects()))}
	if s != nil {
		maps.Copy(next.tables, s.tables)
	}
	for _, o := range registry.Objects() {
		if t := next.tables[o.Name]; t == nil || t.object != o {
			next.tables[o.Name] = newTable(d, o)
		}
	}
	return next
}

// openSchema loads the registry and makes the tables, columns and indexes that it asks for and that are not there yet: what a crash
// left undone is made up for here.
func (db *DB) openSchema(ctx context.Context, standard *models.Registry) error {
	err := db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		registry, err := db.approved(ctx, standard)
		if err != nil {
			return err
		}
		next := (*schema)(nil).grown(db.d, registry)
		for _, o := range registry.Objects() {
			if err := db.ensureTable(ctx, next.tables[o.Name]); err != nil {
				return fmt.Errorf("make the table of %s: %w", o.Name, err)
			}
		}
		db.AfterCommit(ctx, func() { db.schema.put(next) })
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range db.Registry().Objects() {
		if err := db.fillSearch(ctx, db.table(o.Name)); err != nil {
			return err
		}
	}
	return nil
}

// approved grows a registry by the approved changes after its version.
func (db *DB) approved(ctx context.Context, registry *models.Registry) (*models.Registry, error) {
	rows, err := db.query(ctx, "select version, definition from registry_changes where version > ? order by version", registry.Version())
	if err != nil {
		return nil, fmt.Errorf("read the approved changes of the registry: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		var text string
		if err := rows.Scan(&version, &text); err != nil {
			return nil, fmt.Errorf("read the approved changes of the registry: %w", err)
		}
		d, err := models.ParseDefinition(text)
		if err != nil {
			return nil, fmt.Errorf("read change %d of the registry: %w", version, err)
		}
		if registry, err = registry.Grow(d); err != nil {
			return nil, overtaken(err)
		}
		if registry.Version() != version {
			return nil, fmt.Errorf("read the approved changes of the registry: change %d is missing", registry.Version())
		}
	}
	return registry, rows.Err()
}

// overtaken says what to do where an approved change no longer fits, which is so when a later Canopy has taken its name.
func overtaken(err error) error {
	var said *models.Error
	if !errors.As(err, &said) {
		return err
	}
	return models.Errorf(models.Precondition, "a custom object or field does not fit this version of Canopy: %s: %s", said.Field, said.Message).
		WithRemedy("Run `canopy adopt " + said.Field + "` to let Canopy's own take over its values, which needs the same kind of field; or start the version before, and move the values to a field of another name.")
}

// Refresh takes over what other processes have approved; the next registry is in force when it returns.
func (db *DB) Refresh(ctx context.Context) error {
	now := db.schema.now()
	registry, err := db.approved(ctx, now.registry)
	if err != nil {
		return err
	}
	if registry != now.registry {
		db.schema.put(now.grown(db.d, registry))
	}
	return nil
}

// watchPause is how long a process may not know of what another one has approved. Writing finds out at once (appendPostgres).
const watchPause = time.Second

// Watch keeps the registry up with other processes until ctx ends. On SQLite there are none.
func (db *DB) Watch(ctx context.Context) error {
	if !db.IsPostgres() {
		return nil
	}
	ticker := time.NewTicker(watchPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			_ = db.Refresh(ctx) // a database that is away is told of by those who need it
		}
	}
}

// Adopt grows the registry in the transaction of ctx: it writes the definition down and makes its table, columns and indexes. All
// of it is in force once the transaction is committed, and nothing if it is not. check is asked before; it may refuse. Adopting waits
// for other approvals, and for those who are writing to the object.
func (db *DB) Adopt(ctx context.Context, d models.Definition, request uint64, check func(*models.Registry) error) (*models.Registry, error) {
	t := inTransaction(ctx)
	if t == nil {
		return nil, errors.New("store: a write outside Run")
	}
	if db.IsPostgres() {
		if _, err := db.exec(ctx, "set local lock_timeout = '10s'"); err != nil {
			return nil, err
		}
		if _, err := db.exec(ctx, "lock table registry_changes in exclusive mode"); err != nil {
			return nil, fmt.Errorf("wait for other changes of the registry: %w", err)
		}
	}
	now := db.schema.now()
	base, err := db.approved(ctx, now.registry)
	if err != nil {
		return nil, err
	}
	registry, err := base.Grow(d)
	if err != nil {
		return nil, err
	}
	if err := check(registry); err != nil {
		return nil, err
	}
	next := now.grown(db.d, registry)
	if err := db.makeRoom(ctx, d, next.tables[d.Object]); err != nil {
		return nil, err
	}
	_, err = db.exec(ctx, "insert into registry_changes (version, definition, request, recorded_at) values (?, ?, ?, ?)",
		registry.Version(), d.Text(), int64(request), db.d.instant(db.now())) //nolint:gosec // under 2^63
	if err != nil {
		return nil, fmt.Errorf("keep the change of the registry: %w", err)
	}
	t.knows = registry.Version()
	db.AfterCommit(ctx, func() { db.schema.put(next) })
	return registry, nil
}

// makeRoom makes what a definition needs in the database. A new object never takes a table of Canopy's own.
func (db *DB) makeRoom(ctx context.Context, d models.Definition, t *table) error {
	if d.New != nil {
		present, err := db.presentColumns(ctx, d.Object)
		if err != nil {
			return err
		}
		if len(present) > 0 {
			return models.FieldError(d.Object, "this name is kept for Canopy's own tables").WithRemedy("Choose another name.")
		}
	}
	if err := db.ensureTable(ctx, t); err != nil {
		if isLockTimeout(err) {
			return models.Errorf(models.Unavailable, "somebody has been writing to %s for ten seconds", d.Object).WithRemedy("Approve it again in a moment.")
		}
		return fmt.Errorf("make room for %s: %w", d.Object, err)
	}
	return nil
}

// Yield lets the standard objects of this Canopy take over a custom field or object that has the name of one of theirs; the values stay
// where they are. The store must not be open elsewhere. not_found where no approved change holds it.
func Yield(ctx context.Context, c Config, standard *models.Registry, place string) (err error) {
	db := &DB{now: time.Now}
	if err := db.connect(ctx, c); err != nil {
		return fmt.Errorf("open transactional store: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.migrate(ctx); err != nil {
		return err
	}
	return db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		definitions, err := db.definitions(ctx)
		if err != nil {
			return err
		}
		for version, d := range definitions {
			yielded, held, err := d.Yield(standard, place)
			if err != nil {
				return err
			}
			if !held {
				continue
			}
			_, err = db.exec(ctx, "update registry_changes set definition = ? where version = ?", yielded.Text(), version+1)
			return err
		}
		return models.Errorf(models.NotFound, "no approved change holds %q beside one of Canopy's own", place).
			WithRemedy("Name it as the refused start does, as in account.budget.")
	})
}

// definitions reads all approved changes in order; the first has version 1.
func (db *DB) definitions(ctx context.Context) ([]models.Definition, error) {
	rows, err := db.query(ctx, "select definition from registry_changes order by version")
	if err != nil {
		return nil, fmt.Errorf("read the approved changes of the registry: %w", err)
	}
	defer rows.Close()
	var definitions []models.Definition
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read the approved changes of the registry: %w", err)
		}
		d, err := models.ParseDefinition(text)
		if err != nil {
			return nil, err
		}
		definitions = append(definitions, d)
	}
	return definitions, rows.Err()
}
