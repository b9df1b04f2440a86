package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"canopy/models"
)

// table is how one object is kept: its columns in order and the statements made from them once.
type table struct {
	object  *models.Object
	columns []column // one or two a field, in field order
	selects string   // "number", version, …, every field column
	insert  string
	names   []string    // every column, number first; unquoted
	filled  atomic.Bool // it is known to have records
}

type column struct {
	field    *models.Field
	name     string // column name, unquoted
	currency bool   // the second column of money
}

// fixed are the columns that each object's table begins with.
var fixed = []string{"number", "version", "created_at", "updated_at", "happened_at", "deleted_at"}

func newTable(d dialect, o *models.Object) *table {
	t := &table{object: o}
	selects := make([]string, 0, len(fixed)+len(o.Fields)+4)
	for _, name := range fixed {
		selects = append(selects, quote(name))
	}
	t.names = slices.Clone(fixed)
	for _, f := range o.Fields {
		t.columns = append(t.columns, column{field: f, name: f.Name})
		if f.Kind == models.MoneyKind {
			t.columns = append(t.columns, column{field: f, name: f.Name + "_currency", currency: true})
		}
	}
	for _, c := range t.columns {
		t.names = append(t.names, c.name)
		if c.field.Kind == models.MultiPick {
			selects = append(selects, d.listColumn(quote(c.name)))
			continue
		}
		selects = append(selects, quote(c.name))
	}
	t.selects = strings.Join(selects, ", ")
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.names)-1), ", ")
	t.insert = "insert into " + quote(o.Name) + ` ("` + strings.Join(t.names[1:], `", "`) + `") values (` + marks + ")"
	return t
}

// ensureTable makes an object's table, columns and indexes as far as they are not there. A new table is made whole: a statement a column
// would have the database read its whole schema again each time.
func (db *DB) ensureTable(ctx context.Context, t *table) error {
	present, err := db.presentColumns(ctx, t.object.Name)
	if err != nil {
		return err
	}
	added := map[string]bool{}
	var columns []string
	for _, c := range t.columns {
		if present[c.name] {
			continue
		}
		added[c.name] = true
		of := c.field.Kind
		if c.currency {
			of = models.Text
		}
		columns = append(columns, quote(c.name)+" "+db.d.columnType(of))
	}
	if len(present) == 0 {
		if err := db.createTable(ctx, t.object.Name, columns); err != nil {
			return err
		}
	} else {
		for _, column := range columns {
			if _, err := db.exec(ctx, "alter table "+quote(t.object.Name)+" add column "+column); err != nil {
				return err
			}
		}
	}
	if err := db.ensureIndexes(ctx, t); err != nil {
		return err
	}
	return db.ensureSearch(ctx, t, added)
}

func (db *DB) createTable(ctx context.Context, name string, columns []string) error {
	kind := db.d.columnType
	create := fmt.Sprintf(`create table if not exists %s (
    "number" %s,
    "version" %s not null,
    "created_at" %s not null,
    "updated_at" %s not null,
    "happened_at" %s not null,
    "deleted_at" %s`, quote(name), db.d.identity(), kind(models.Number), kind(models.Instant), kind(models.Instant), kind(models.Instant), kind(models.Instant))
	for _, column := range columns {
		create += ",\n    " + column
	}
	_, err := db.exec(ctx, create+"\n)")
	return err
}

func (db *DB) presentColumns(ctx context.Context, name string) (map[string]bool, error) {
	query := "select name from pragma_table_info(?)"
	if db.IsPostgres() {
		query = "select column_name from information_schema.columns where table_schema = current_schema() and table_name = ?"
	}
	rows, err := db.query(ctx, query, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	present := map[string]bool{}
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			return nil, err
		}
		present[column] = true
	}
	return present, rows.Err()
}

// ensureIndexes makes unique keys (among live records) and indexes. An index ends in number, so that a page sorted by
// the field is read from it in total order.
func (db *DB) ensureIndexes(ctx context.Context, t *table) error {
	latest := fmt.Sprintf("create index if not exists %s on %s (updated_at, number)", quote(t.object.Name+"__updated_at"), quote(t.object.Name))
	if _, err := db.exec(ctx, latest); err != nil {
		return err
	}
	for _, f := range t.object.Fields {
		switch {
		case f.Unique:
			index := fmt.Sprintf("create unique index if not exists %s on %s (%s) where deleted_at is null",
				quote(uniqueIndex(t.object, f)), quote(t.object.Name), quote(f.Name))
			if _, err := db.exec(ctx, index); err != nil {
				return err
			}
		case f.Indexed:
			columns := quote(f.Name)
			if f.Kind == models.MoneyKind { // compared and sorted within its currency
				columns = quote(f.Name+"_currency") + ", " + columns
			}
			index := fmt.Sprintf("create index if not exists %s on %s (%s, number)",
				quote(indexName(t.object.Name+"__"+f.Name)), quote(t.object.Name), columns)
			if f.Kind == models.Reference { // looked up by equality and hardly ever sorted by: empty ones need no entry
				index += " where " + quote(f.Name) + " is not null"
			}
			if _, err := db.exec(ctx, index); err != nil {
				return err
			}
		}
	}
	return nil
}

func uniqueIndex(o *models.Object, f *models.Field) string {
	return indexName(o.Name + "__" + f.Name + "__unique")
}

// indexName keeps a name within what PostgreSQL tells apart: it would cut a longer one, and take two for the same.
func indexName(name string) string {
	if len(name) <= 63 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:46] + "_" + hex.EncodeToString(sum[:8])
}

// bind gives a value's arguments for its one or two columns.
func (db *DB) bind(args []any, f *models.Field, v models.Value) []any {
	switch x := v.(type) {
	case nil:
		args = append(args, nil)
		if f.Kind == models.MoneyKind {
			args = append(args, nil)
		}
		return args
	case models.Money:
		return append(args, x.Minor, x.Currency)
	case models.Date:
		return append(args, db.d.date(x))
	case time.Time:
		return append(args, db.d.instant(x))
	case uint64:
		return append(args, int64(x)) //nolint:gosec // numbers are under 2^63 (models.ParseID)
	case []string:
		return append(args, db.d.list(x))
	case models.Address, models.File:
		text, _ := json.Marshal(x) //nolint:errchkjson // plain structs of text and numbers
		return append(args, string(text))
	}
	return append(args, v)
}

// scanRecord reads one row of t.selects.
func (db *DB) scanRecord(t *table, rows *sql.Rows) (*models.Record, error) {
	raw := make([]any, len(t.columns))
	r := &models.Record{Object: t.object, Values: make([]models.Value, len(t.object.Fields))}
	var created, updated, happened, deleted instant
	targets := make([]any, 0, len(fixed)+len(raw))
	targets = append(targets, &r.Number, &r.Version, &created, &updated, &happened, &deleted)
	for i := range raw {
		targets = append(targets, &raw[i])
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, fmt.Errorf("read %s: %w", t.object.Name, err)
	}
	r.CreatedAt, r.UpdatedAt, r.HappenedAt, r.Deleted = created.Time, updated.Time, happened.Time, deleted.Valid
	for i := 0; i < len(t.columns); i++ {
		c := t.columns[i]
		if raw[i] == nil {
			continue
		}
		if c.field.Kind == models.MoneyKind {
			if !c.currency {
				minor, _ := raw[i].(int64)
				currency, _ := raw[i+1].(string)
				r.Values[c.field.Index()] = models.Money{Minor: minor, Currency: currency}
			}
			continue
		}
		v, err := fromColumn(c.field, raw[i])
		if err != nil {
			return nil, fmt.Errorf("read %s %d, %s: %w", t.object.Name, r.Number, c.name, err)
		}
		r.Values[c.field.Index()] = v
	}
	return r, nil
}

// fromColumn turns what a driver gave into the field's Go form.
func fromColumn(f *models.Field, raw any) (models.Value, error) {
	if b, ok := raw.([]byte); ok {
		raw = string(b)
	}
	switch f.Kind {
	case models.Reference:
		if n, ok := raw.(int64); ok && n > 0 {
			return uint64(n), nil
		}
	case models.Number, models.Formula:
		if n, ok := raw.(int64); ok {
			return n, nil
		}
	case models.Boolean:
		switch x := raw.(type) {
		case bool:
			return x, nil
		case int64:
			return x != 0, nil
		}
	case models.Score:
		if x, ok := raw.(float64); ok {
			return x, nil
		}
	case models.Instant:
		var i instant
		err := i.Scan(raw)
		return i.Time, err
	case models.DateKind:
		switch x := raw.(type) {
		case time.Time:
			return models.DateOf(x, time.UTC), nil
		case string:
			return models.ParseDate(x)
		}
	case models.MultiPick, models.AddressOf, models.FileOf:
		if s, ok := raw.(string); ok {
			return f.ParseStored([]byte(s))
		}
	default:
		if s, ok := raw.(string); ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("column holds %T", raw)
}
