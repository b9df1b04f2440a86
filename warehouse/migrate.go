package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"canopy/models"
	canopysql "canopy/sql"
)

// step is one numbered file of sql/migrations: one statement, idempotent.
type step struct {
	version  uint32
	name     string
	text     string
	checksum string
}

// applied is one row of schema_step.
type applied struct {
	Version  uint32 `ch:"version"`
	Name     string `ch:"name"`
	Checksum string `ch:"checksum"`
}

// Migrate brings the fixed tables up to this binary: every file of sql/migrations that is not yet recorded runs, in order, and is
// recorded. ClickHouse has no transactional DDL, so each file is one idempotent statement and a step that was cut short runs
// again. A schema that knows more steps than this binary, or another text of one, is a precondition error and nothing is changed.
func (w *Warehouse) Migrate(ctx context.Context) error {
	return w.migrate(ctx, canopysql.Migrations())
}

func (w *Warehouse) migrate(ctx context.Context, folder fs.FS) error {
	steps, err := readSteps(folder)
	if err != nil {
		return err
	}
	// The first step makes the table of applied steps; it has to stand before that can be read.
	if err := w.statement(ctx, steps[0].name, steps[0].text); err != nil {
		return err
	}
	done, err := Rows[applied](ctx, w, Query{Name: "read the steps of the schema",
		SQL: "select version, name, checksum from schema_step final order by version"})
	if err != nil {
		return err
	}
	if err := compare(steps, done); err != nil {
		return err
	}
	for _, s := range steps[len(done):] {
		if err := w.statement(ctx, s.name, s.text); err != nil {
			return err
		}
		err := w.Exec(ctx, Query{Name: "record the step " + s.name, Repeatable: true,
			SQL:    "insert into schema_step (version, name, checksum, applied_at) select {version:UInt32}, {name:String}, {checksum:String}, {applied_at:DateTime64(3, 'UTC')}",
			Params: map[string]any{"version": s.version, "name": s.name, "checksum": s.checksum, "applied_at": time.Now()}})
		if err != nil {
			return err
		}
		w.config.Logger.Info("warehouse schema step applied", "step", s.name)
	}
	return nil
}

// compare checks that the applied steps are the first of ours, with the same text.
func compare(steps []step, done []applied) error {
	for i, d := range done {
		if i >= len(steps) {
			return models.Errorf(models.Precondition, "the warehouse has the schema step %s, which this program does not know: it was made by a newer one", d.Name).
				WithRemedy("Start the newer program; a schema never goes back.")
		}
		if s := steps[i]; s.version != d.Version || s.checksum != d.Checksum {
			return models.Errorf(models.Precondition, "the schema step %s stands in the warehouse with another text than this program's %s", d.Name, s.name).
				WithRemedy("A step is never changed once it ran: add a new one, and start the program that applied it.")
		}
	}
	return nil
}

// statement runs DDL and waits until it holds everywhere.
func (w *Warehouse) statement(ctx context.Context, name, text string) error {
	return w.Exec(ctx, Query{Name: name, SQL: text, Repeatable: true, keepsParameters: true,
		Settings: map[string]any{"mutations_sync": 2, "alter_sync": 2}})
}

// readSteps reads NNNNN_name.sql in order. The numbers count from 1 without gaps.
func readSteps(folder fs.FS) ([]step, error) {
	paths, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	steps := make([]step, len(paths))
	for i, path := range paths {
		text, err := fs.ReadFile(folder, path)
		if err != nil {
			return nil, err
		}
		digits, _, _ := strings.Cut(path, "_")
		version, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || version != uint64(i+1) || len(digits) != 5 {
			return nil, fmt.Errorf("schema step %s: the %s file is called %05d_….sql", path, ordinal(i+1), i+1)
		}
		sum := sha256.Sum256(text)
		steps[i] = step{version: uint32(version), name: path, text: string(text), checksum: hex.EncodeToString(sum[:])}
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("there are no schema steps")
	}
	return steps, nil
}

func ordinal(n int) string { return strconv.Itoa(n) + "." }
