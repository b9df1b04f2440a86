package importer

import (
	"context"

	"canopy/models"
)

// Commands is the record engine, as importing needs it.
type Commands interface {
	// RunBulk runs fn in one transaction of low priority; calls with the inner context join it. An error of fn writes nothing.
	// fn may be run again after a serialization failure, so it keeps no state from a failed try.
	RunBulk(ctx context.Context, fn func(ctx context.Context) error) error
	// Batch executes commands in order; a refused one has its Err, and the others go on.
	Batch(ctx context.Context, reader models.Reader, commands []models.Command) ([]models.Result, error)
	// FindByText finds live records by a text field: value → numbers, two where there are more than one.
	FindByText(ctx context.Context, reader models.Reader, object, field string, values []string) (map[string][]uint64, error)
	Records(ctx context.Context, reader models.Reader, object string, numbers []uint64) (map[uint64]*models.Record, error)
}

// Shelf keeps imports.
type Shelf interface {
	Add(ctx context.Context, i *models.Import) error // sets the ID
	Get(ctx context.Context, id int64) (*models.Import, error)
	List(ctx context.Context, user uint64, limit int) ([]*models.Import, error) // user 0: everybody's
	Active(ctx context.Context) ([]*models.Import, error)                       // waiting, running and undoing, oldest first
}

// Progress keeps how far an import has come; inside RunBulk it joins the transaction of the rows that it counts.
type Progress interface {
	// Change lets fn change an import under a new generation, so that whoever worked on it stops; nil where there is none.
	Change(ctx context.Context, id int64, fn func(*models.Import) error) (*models.Import, error)
	// Save writes progress; mine is false, and nothing is written, where somebody has taken the import over.
	Save(ctx context.Context, i *models.Import) (mine bool, err error)
	InUse(ctx context.Context, sha256 string) (bool, error) // an import may yet read the stored file
}

// Refusals keeps the rows that were not written, and the records that an undo kept.
type Refusals interface {
	Refuse(ctx context.Context, id int64, refusals []models.ImportRefusal) error
	Refusals(ctx context.Context, id int64, fn func(models.ImportRefusal) error) error // in file order
}

// Past reads what has become of records.
type Past interface {
	// Histories gives the whole histories of records; a record without changes is missing.
	Histories(ctx context.Context, object string, numbers []uint64) ([]models.TouchedRecord, error)
}

// Undo takes back what an import wrote.
type Undo interface {
	// Count gives how many records a task is about.
	Count(ctx context.Context, t models.UndoTask) (int64, error)
	// Step takes back some records, newest change first, in the transaction of ctx, looking at no more than limit changes.
	Step(ctx context.Context, t models.UndoTask, limit int) (models.UndoStep, error)
}

// Jobs is the importer's side of the store.
type Jobs interface {
	Shelf
	Progress
	Refusals
	Past
}
