package crm

import (
	"context"

	"canopy/models"
	"canopy/models/predicate"
)

// Transactions run work atomically; the transaction travels in the context.
type Transactions interface {
	Run(ctx context.Context, p Priority, fn func(ctx context.Context) error) error
}

// Priority orders transactions where one writer serves all: people never wait behind more than one chunk of a large job.
type Priority int

// The priorities. A bulk transaction must stay under 50 ms.
const (
	Interactive Priority = iota
	Bulk
)

// Records keeps records as they stand now.
type Records interface {
	// Load reads records by number, deleted ones too; lock holds them against other writers until the transaction ends.
	Load(ctx context.Context, object string, numbers []uint64, lock bool) (map[uint64]*models.Record, error)
	Insert(ctx context.Context, r *models.Record) error
	// Reserve announces how many records of each object the transaction of ctx is about to insert, and changes to append, at least: the store
	// may then write them together.
	Reserve(ctx context.Context, objects map[string]int, changes int) error
	// Update writes the fields in which a record's state after differs from the one before.
	Update(ctx context.Context, before, after *models.Record, fields []*models.Field) error
}

// Keys finds live records by value.
type Keys interface {
	FindByText(ctx context.Context, object string, field *models.Field, values []string) (map[string][]uint64, error)
	// FindTaken tells who holds values of a unique field; the key is a value's JSON form.
	FindTaken(ctx context.Context, object string, field *models.Field, values []models.Value) (map[string]uint64, error)
}

// Log keeps the changes.
type Log interface {
	Append(ctx context.Context, c *models.Change) (int64, error)
	History(ctx context.Context, object string, number uint64) ([]models.Change, error)
	Changes(ctx context.Context, after uint64, limit int) ([]models.Change, error)
	Timeline(ctx context.Context, of []RecordKey, before uint64, limit int) ([]models.Change, error)
}

// RecordKey names one record.
type RecordKey struct {
	Object string
	Number uint64
}

// Lister pages through records.
type Lister interface {
	List(ctx context.Context, q Listing) ([]*models.Record, error)
	// Count counts at most limit+1 records.
	Count(ctx context.Context, object string, where *predicate.Bound, withDeleted bool, limit int) (int, error)
	// CountSoon does so unless it takes long; then known is false.
	CountSoon(ctx context.Context, object string, where *predicate.Bound, withDeleted bool, limit int) (n int, known bool, err error)
}

// Listing is a checked query: what a Lister needs and no more.
type Listing struct {
	Object      string
	Where       *predicate.Bound // nil: all
	Sort        predicate.Sort
	Cursor      string
	Limit       int
	WithDeleted bool
}

// Searcher finds records by their search terms (models.Object.SearchTerms), which the store keeps with every write.
type Searcher interface {
	// Search gives at most limit live records whose terms hold m, in order of number. Under a predicate that lets few rows through it may
	// give up after many hits: complete tells whether there are no more than it gives.
	Search(ctx context.Context, object string, m models.Match, where *predicate.Bound, limit int) (records []*models.Record, complete bool, err error)
}

// Idempotency remembers the first outcome of a command that carried a key.
type Idempotency interface {
	Remembered(ctx context.Context, actor uint64, key string) (*Remembered, error)
	Remember(ctx context.Context, actor uint64, key string, r Remembered) error
}

// Remembered is the first outcome under an idempotency key.
type Remembered struct {
	Object      string
	Number      uint64
	Change      int64
	Fingerprint string // of the command, so that a key re-used for something else is refused
}

// Store is what the engine stands on; crm/store fulfils it for SQLite and PostgreSQL.
type Store interface {
	Registrar
	Uploads
	Transactions
	Records
	Keys
	Log
	Lister
	Searcher
	Idempotency
	Scanner
}
