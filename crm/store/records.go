package store

import (
	"context"
	"fmt"
	"strings"

	"canopy/models"
)

// Load reads records by number, deleted ones too. Missing numbers are missing in the map. lock takes row locks on
// PostgreSQL until the transaction ends, so that changes of one record are appended in the order of its versions.
func (db *DB) Load(ctx context.Context, object string, numbers []uint64, lock bool) (map[uint64]*models.Record, error) {
	found := make(map[uint64]*models.Record, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	t := db.table(object)
	condition, arg := `"number" = ?`, any(int64(numbers[0])) //nolint:gosec // numbers are under 2^63 (models.ParseID)
	if len(numbers) > 1 {
		condition, arg = db.d.numbers(`"number"`, numbers)
	}
	query := fmt.Sprintf("select %s from %s where %s", t.selects, quote(object), condition)
	tx := inTransaction(ctx)
	if lock && tx != nil {
		query += ` order by "number"` + db.d.forUpdate()
	}
	rows, err := db.query(ctx, query, arg)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", object, err)
	}
	if lock && tx != nil && db.IsPostgres() {
		tx.pending.locked()
	}
	defer rows.Close()
	for rows.Next() {
		r, err := db.scanRecord(t, rows)
		if err != nil {
			return nil, err
		}
		found[r.Number] = r
	}
	return found, rows.Err()
}

// FindByText finds live records by a text-like field: value → numbers, at most two a value (enough to see ambiguity).
func (db *DB) FindByText(ctx context.Context, object string, field *models.Field, values []string) (map[string][]uint64, error) {
	found := make(map[string][]uint64, len(values))
	if len(values) == 0 {
		return found, nil
	}
	condition, arg := quote(field.Name)+" = ?", any(values[0])
	if len(values) > 1 {
		condition, arg = db.d.texts(quote(field.Name), values)
	}
	query := fmt.Sprintf(`select %s, "number" from %s where %s and deleted_at is null order by "number"`, quote(field.Name), quote(object), condition)
	rows, err := db.query(ctx, query, arg)
	if err != nil {
		return nil, fmt.Errorf("find %s by %s: %w", object, field.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		var number uint64
		if err := rows.Scan(&value, &number); err != nil {
			return nil, err
		}
		if len(found[value]) < 2 {
			found[value] = append(found[value], number)
		}
	}
	return found, rows.Err()
}

// FindTaken tells which of one unique field's values live records hold: the key is the value's JSON form.
func (db *DB) FindTaken(ctx context.Context, object string, field *models.Field, values []models.Value) (map[string]uint64, error) {
	taken := make(map[string]uint64, len(values))
	t := db.table(object)
	for start := 0; start < len(values); start += 500 {
		part := values[start:min(start+500, len(values))]
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(part)), ", ")
		args := make([]any, 0, len(part))
		for _, v := range part {
			args = append(args, db.bind(nil, field, v)[0])
		}
		query := fmt.Sprintf(`select %s from %s where %s in (%s) and deleted_at is null`, t.selects, quote(object), quote(field.Name), marks)
		err := db.each(ctx, t, query, args, func(r *models.Record) {
			taken[string(field.AppendJSON(nil, r.Values[field.Index()]))] = r.Number
		})
		if err != nil {
			return nil, fmt.Errorf("look up %s.%s: %w", object, field.Name, err)
		}
	}
	return taken, nil
}

func (db *DB) each(ctx context.Context, t *table, query string, args []any, fn func(*models.Record)) error {
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := db.scanRecord(t, rows)
		if err != nil {
			return err
		}
		fn(r)
	}
	return rows.Err()
}

// Insert writes a new record and sets its Number. A value that another live record holds in a unique field is a conflict.
func (db *DB) Insert(ctx context.Context, r *models.Record) error {
	t := db.table(r.Object.Name)
	key, later, err := db.nextKey(ctx, r.Object.Name, "number")
	if err != nil {
		return err
	}
	args := make([]any, 0, 6+len(t.columns))
	if later {
		args = append(args, key)
	}
	args = append(args, r.Version, db.d.instant(r.CreatedAt), db.d.instant(r.UpdatedAt), db.d.instant(r.HappenedAt), db.deletedAt(r))
	for i, f := range t.object.Fields {
		args = db.bind(args, f, valueAt(r.Values, i))
	}
	if later {
		inTransaction(ctx).pending.hold(r.Object.Name, t.names, args)
	} else if key, err = db.insert(ctx, t.insert, "number", args...); err != nil {
		return db.refused(t.object, "insert", err)
	}
	r.Number = uint64(key) //nolint:gosec // counted from 1
	return db.searchInserted(ctx, t, r)
}

// Update writes a record's fixed columns and the given fields.
func (db *DB) Update(ctx context.Context, before, r *models.Record, fields []*models.Field) error {
	args := make([]any, 0, 6+len(fields))
	args = append(args, r.Version, db.d.instant(r.UpdatedAt), db.d.instant(r.HappenedAt), db.deletedAt(r))
	var b strings.Builder
	b.WriteString("update " + quote(r.Object.Name) + ` set "version" = ?, "updated_at" = ?, "happened_at" = ?, "deleted_at" = ?`)
	for _, f := range fields {
		b.WriteString(", " + quote(f.Name) + " = ?")
		if f.Kind == models.MoneyKind {
			b.WriteString(", " + quote(f.Name+"_currency") + " = ?")
		}
		args = db.bind(args, f, valueAt(r.Values, f.Index()))
	}
	b.WriteString(` where "number" = ?`)
	args = append(args, int64(r.Number)) //nolint:gosec // numbers are under 2^63 (models.ParseID)
	if _, err := db.exec(ctx, b.String(), args...); err != nil {
		return db.refused(r.Object, "update", err)
	}
	return db.searchUpdated(ctx, db.table(r.Object.Name), before, r)
}

func (db *DB) deletedAt(r *models.Record) any {
	if r.Deleted {
		return db.d.instant(r.UpdatedAt)
	}
	return nil
}

func valueAt(values []models.Value, i int) models.Value {
	if i < len(values) {
		return values[i]
	}
	return nil
}

// refused turns a unique violation into a conflict that names its field; anything else is wrapped.
func (db *DB) refused(o *models.Object, doing string, err error) error {
	index, ok := isUniqueViolation(err)
	if !ok || db.IsPostgres() {
		// PostgreSQL has given up the transaction: Run tries it again, and then the other writer's record is seen beforehand.
		return fmt.Errorf("%s %s: %w", doing, o.Name, err)
	}
	for _, f := range o.Fields {
		if f.Unique && (strings.Contains(index, uniqueIndex(o, f)) || strings.Contains(index, o.Name+"."+f.Name)) {
			return &models.Error{Code: models.Conflict, Field: f.Name, Message: "another " + strings.ToLower(o.Label) + " has this value already", Remedy: "Use another value, or change the record that has it."}
		}
	}
	return &models.Error{Code: models.Conflict, Message: "another record has this value already"}
}
