// Package storetest runs one test on both transactional databases.
package storetest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/postgrestest"
	"canopy/models"
)

// Clock is a clock that tests move by hand. It is not safe for concurrent use while it is moved.
type Clock struct{ At time.Time }

// Now is the clock's instant.
func (c *Clock) Now() time.Time { return c.At }

// Each runs fn as a parallel subtest on a fresh SQLite file and on a fresh PostgreSQL database.
func Each(t *testing.T, fn func(t *testing.T, c store.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, store.Config{Path: filepath.Join(t.TempDir(), "canopy.db"), CountPatience: time.Minute})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, store.Config{DSN: postgrestest.Database(t), CountPatience: time.Minute})
	})
}

// Open opens a store with the standard objects and closes it with the test.
func Open(t *testing.T, c store.Config) *store.DB {
	t.Helper()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), c, registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Engine gives a record engine over db, in UTC weeks from Monday, in US dollars. A nil clock is the real one.
func Engine(t *testing.T, db *store.DB, clock *Clock) *crm.Engine {
	t.Helper()
	o := crm.Options{Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday, FiscalMonth: time.January}, Currency: "USD"}
	if clock != nil {
		o.Now = clock.Now
	}
	engine, err := crm.New(db, o)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}
