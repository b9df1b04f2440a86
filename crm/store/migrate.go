package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"canopy/models"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations
var migrations embed.FS

// migrate applies the embedded migrations in order; a database from a newer Canopy is refused.
func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/"+db.d.name())
	if err != nil {
		return err
	}
	if db.writer != nil {
		return applyMigrations(ctx, database.DialectSQLite3, db.writer.db, files)
	}
	return applyMigrations(ctx, database.DialectPostgres, db.pool, files)
}

func applyMigrations(ctx context.Context, kind database.Dialect, handle *sql.DB, files fs.FS) error {
	provider, err := goose.NewProvider(kind, handle, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	sources := provider.ListSources()
	if newest := sources[len(sources)-1].Version; current > newest {
		return models.Errorf(models.Precondition, "the database has schema %d, this Canopy knows up to %d", current, newest).
			WithRemedy("Start the newer Canopy that wrote it.")
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	return nil
}
