package predicate_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"canopy/crm/store/postgrestest"
	"canopy/models"
	"canopy/models/predicate"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
	"pgregory.net/rapid"
)

// transactional is a SQLite or PostgreSQL database with the world's records, in the column types that models.Kind lists, but for PostgreSQL's collation.
type transactional struct {
	dialect predicate.Dialect
	db      *sql.DB
	live    int // things that are not deleted
}

func openSQLite(t testing.TB, w *world) *transactional {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/world.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	return fill(t, w, &transactional{predicate.SQLite, db, len(w.matches(nil))})
}

func openPostgres(t testing.TB, w *world) *transactional {
	t.Helper()
	db, err := sql.Open("pgx", postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	return fill(t, w, &transactional{predicate.Postgres, db, len(w.matches(nil))})
}

func fill(t testing.TB, w *world, s *transactional) *transactional {
	t.Helper()
	t.Cleanup(func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range w.registry.Objects() {
		if _, err := tx.Exec(s.create(o)); err != nil {
			t.Fatalf("%s: %v", s.create(o), err)
		}
	}
	for _, r := range slices.Concat(w.things, w.holders) {
		text, args := s.insert(r)
		if _, err := tx.Exec(text, args...); err != nil {
			t.Fatalf("%s %v: %v", text, args, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *transactional) create(o *models.Object) string {
	columns := []string{`"number" bigint primary key`, `"version" bigint not null`}
	for _, name := range []string{"created_at", "updated_at", "happened_at"} {
		columns = append(columns, name+" "+s.kind(models.Instant)+" not null")
	}
	columns = append(columns, "deleted_at "+s.kind(models.Instant))
	for _, f := range o.Fields {
		columns = append(columns, fmt.Sprintf("%q %s", f.Name, s.kind(f.Kind)))
		if f.Kind == models.MoneyKind {
			columns = append(columns, fmt.Sprintf("%q %s", f.Name+"_currency", s.kind(models.Text)))
		}
	}
	return fmt.Sprintf("create table %q (%s)", o.Name, strings.Join(columns, ", "))
}

func (s *transactional) kind(k models.Kind) string {
	types := map[models.Kind][2]string{
		models.MultiPick: {"text", "text[]"}, models.Number: {"integer", "bigint"}, models.Formula: {"integer", "bigint"},
		models.MoneyKind: {"integer", "bigint"}, models.DateKind: {"text", "date"}, models.Instant: {"integer", "timestamptz"},
		models.Boolean: {"integer", "boolean"}, models.Reference: {"integer", "bigint"}, models.AddressOf: {"text", "jsonb"},
		models.FileOf: {"text", "jsonb"}, models.Score: {"real", "double precision"},
	}
	both, ok := types[k]
	if !ok {
		both = [2]string{"text", "text"} // of the database's linguistic collation on purpose: the compiler must not lean on the column's
	}
	return both[s.dialect]
}

func (s *transactional) insert(r *models.Record) (string, []any) {
	deleted := any(nil)
	if r.Deleted {
		deleted = s.arg(r.UpdatedAt)
	}
	args := []any{int64(r.Number), r.Version, s.arg(r.CreatedAt), s.arg(r.UpdatedAt), s.arg(r.HappenedAt), deleted}
	for i, f := range r.Object.Fields {
		args = append(args, s.arg(r.Values[i]))
		if f.Kind == models.MoneyKind {
			m, ok := r.Values[i].(models.Money)
			args = append(args, sql.NullString{String: m.Currency, Valid: ok})
		}
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(args)), ",")
	return s.rebind(fmt.Sprintf("insert into %q values (%s)", r.Object.Name, marks)), args
}

// arg is a value as the store writes it.
func (s *transactional) arg(v models.Value) any {
	switch x := v.(type) {
	case uint64:
		return int64(x)
	case models.Money:
		return x.Minor
	case models.Date:
		return x.String()
	case time.Time:
		if s.dialect == predicate.SQLite {
			return x.UnixMilli()
		}
	case bool:
		if s.dialect == predicate.SQLite {
			return map[bool]int64{false: 0, true: 1}[x]
		}
	case []string:
		if s.dialect == predicate.SQLite {
			return marshal(x)
		}
	case models.Address, models.File:
		return marshal(x)
	}
	return v
}

func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// rebind numbers the placeholders for PostgreSQL.
func (s *transactional) rebind(text string) string {
	if s.dialect == predicate.SQLite {
		return text
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			fmt.Fprintf(&b, "$%d", i)
		}
		b.WriteString(part)
	}
	return b.String()
}

// numbers runs a query over things and gives the numbers that it finds, in the query's order.
func (s *transactional) numbers(t interface{ Fatalf(string, ...any) }, tail string, args ...any) []uint64 {
	text := s.rebind(`select "thing"."number" from "thing" where "thing"."deleted_at" is null and ` + tail)
	rows, err := s.db.Query(text, args...)
	if err != nil {
		t.Fatalf("%s %v: %v", text, args, err)
	}
	defer rows.Close()
	found := []uint64{}
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		found = append(found, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s %v: %v", text, args, err)
	}
	return found
}

func (s *transactional) matches(t interface{ Fatalf(string, ...any) }, b *predicate.Bound) []uint64 {
	compiled, err := b.Compile(s.dialect, predicate.Options{})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	found := s.numbers(t, compiled.Text+` order by "number"`, compiled.Args...)
	// A condition is never null: those for which it is not true are those for which its negation is.
	others := s.numbers(t, "not ("+compiled.Text+")", compiled.Args...)
	if len(found)+len(others) != s.live {
		t.Fatalf("%s is null for some of %d rows: %d are true, %d not", compiled.Text, s.live, len(found), len(others))
	}
	return found
}

func TestSQLiteChoosesTheSameRowsAsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	checkAgreement(t, w, 5, openSQLite(t, w).matches)
}

func TestPostgresChoosesTheSameRowsAsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	checkAgreement(t, w, 5, openPostgres(t, w).matches)
}

// checkAgreement draws questions, several at a time where a query is quicker than drawing, and compares what is chosen.
func checkAgreement(t *testing.T, w *world, questions int, matches func(t interface{ Fatalf(string, ...any) }, b *predicate.Bound) []uint64) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		for range questions {
			q := w.questions().Draw(t, "question")
			b := w.bind(t, q)
			if wanted, found := w.matches(b), matches(t, b); !slices.Equal(wanted, found) {
				t.Fatalf("%s\nGo chooses %v\nthe database %v", q.text, wanted, found)
			}
		}
	})
}
