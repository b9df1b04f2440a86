package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// Search terms stand beside each object's table, written in the transaction of the record:
//
//	SQLite      a full-text table without contents, row = record. Its segments are written in batches, so that the terms of many new
//	            records cost no page each.
//	PostgreSQL  one row (term, number) a term, clustered in its primary key: a range of terms is a range of the key.
//
// Both hold models.Object.SearchTerms and answer models.Match alike; neither folds, splits or ranks.

func searchTable(object string) string { return object + "__search" }

func (t *table) isSearched() bool { return len(t.object.SearchFields()) > 0 }

// searchInserted keeps a new record's terms.
func (db *DB) searchInserted(ctx context.Context, t *table, r *models.Record) error {
	if !t.isSearched() || r.Deleted {
		return nil
	}
	terms := t.object.SearchTerms(r.Values)
	tx := inTransaction(ctx)
	switch {
	case len(terms) == 0:
		return nil
	case tx == nil || tx.pending == nil:
		return db.putTerms(ctx, t.object, r.Number, nil, terms)
	case db.IsPostgres():
		for _, term := range terms {
			tx.pending.hold(searchTable(t.object.Name), []string{"term", "number"}, []any{term, int64(r.Number)}) //nolint:gosec // under 2^63
		}
	default:
		tx.pending.hold(searchTable(t.object.Name), []string{"rowid", "terms"}, []any{int64(r.Number), strings.Join(terms, " ")}) //nolint:gosec // under 2^63
	}
	return nil
}

// searchUpdated brings the terms from one state of a record to the next.
func (db *DB) searchUpdated(ctx context.Context, t *table, before, after *models.Record) error {
	if !t.isSearched() || before.Deleted && after.Deleted {
		return nil
	}
	same := before.Deleted == after.Deleted
	for _, f := range t.object.SearchFields() {
		same = same && valueAt(before.Values, f.Index()) == valueAt(after.Values, f.Index())
	}
	if same {
		return nil
	}
	var was, is []string
	if !before.Deleted {
		was = t.object.SearchTerms(before.Values)
	}
	if !after.Deleted {
		is = t.object.SearchTerms(after.Values)
	}
	if slices.Equal(was, is) {
		return nil
	}
	return db.putTerms(ctx, t.object, after.Number, was, is)
}

// putTerms replaces a record's terms; both lists are sorted.
func (db *DB) putTerms(ctx context.Context, o *models.Object, number uint64, was, is []string) error {
	var err error
	name, n := quote(searchTable(o.Name)), int64(number) //nolint:gosec // numbers are under 2^63 (models.ParseID)
	switch {
	case db.IsPostgres():
		if gone := without(was, is); len(gone) > 0 {
			_, err = db.exec(ctx, "delete from "+name+" where number = ? and term = any(?)", n, gone)
		}
		if come := without(is, was); err == nil && len(come) > 0 {
			_, err = db.exec(ctx, "insert into "+name+" (term, number) select unnest(?::text[]), ? on conflict do nothing", come, n)
		}
	case len(is) == 0 && len(was) == 0:
	case len(is) == 0:
		_, err = db.exec(ctx, "delete from "+name+" where rowid = ?", n)
	case len(was) == 0:
		_, err = db.exec(ctx, "insert into "+name+" (rowid, terms) values (?, ?)", n, strings.Join(is, " "))
	default:
		_, err = db.exec(ctx, "insert or replace into "+name+" (rowid, terms) values (?, ?)", n, strings.Join(is, " "))
	}
	if err != nil {
		return fmt.Errorf("keep search terms of %s %d: %w", o.Name, number, err)
	}
	return nil
}

// without gives what of x is not in y; both are sorted.
func without(x, y []string) []string {
	var rest []string
	for _, s := range x {
		if _, ok := slices.BinarySearch(y, s); !ok {
			rest = append(rest, s)
		}
	}
	return rest
}

// maxCandidates is how many hits are looked at for a reader who may see only some of them.
const maxCandidates = 20_000

// Search gives live records whose terms hold m and that where lets through, in order of number.
func (db *DB) Search(ctx context.Context, object string, m models.Match, where *predicate.Bound, limit int) ([]*models.Record, bool, error) {
	t := db.table(object)
	if there, err := db.hasRecords(ctx, t); err != nil || !there {
		return nil, true, err
	}
	var candidates string
	var args []any
	n := limit
	if where != nil {
		n = maxCandidates
	}
	if db.IsPostgres() {
		candidates, args = postgresTerms(searchTable(object), m, nil)
		candidates = "select number as hit from (" + candidates + ") as found order by number limit ?"
	} else {
		candidates = fmt.Sprintf("select rowid as hit from %s where %[1]s match ? order by rowid limit ?", quote(searchTable(object)))
		args = []any{fullText(m)}
	}
	args = append(args, n)
	clause, more, err := db.conditionWith(where, false, predicate.Options{RowByRow: true})
	if err != nil {
		return nil, false, err
	}
	// A join by hand: hits first, each looked up by its number, until there are enough.
	join := "cross join %s on number = hit"
	if db.IsPostgres() {
		join = "join %s on number = hit"
	}
	query := fmt.Sprintf("select %s from (%s) as hits "+join+"%s order by hit limit ?", t.selects, candidates, quote(object), clause)
	var records []*models.Record
	err = db.each(ctx, t, query, append(append(slices.Clone(args), more...), limit), func(r *models.Record) { records = append(records, r) })
	if err != nil {
		return nil, false, fmt.Errorf("search %s: %w", object, err)
	}
	if where == nil || len(records) == limit {
		return records, len(records) < limit, nil
	}
	// Were all hits looked at?
	var last int64
	if err := db.queryRow(ctx, "select coalesce(max(number), 0) from "+quote(object)).Scan(&last); err != nil || last < maxCandidates {
		return records, true, err
	}
	var looked int
	if err := db.queryRow(ctx, "select count(*) from ("+candidates+") as hits", args...).Scan(&looked); err != nil {
		return nil, false, fmt.Errorf("search %s: %w", object, err)
	}
	return records, looked < maxCandidates, nil
}

// hasRecords tells whether an object has had a record yet: most of a workplace's objects have none.
func (db *DB) hasRecords(ctx context.Context, t *table) (bool, error) {
	if t.filled.Load() {
		return true, nil
	}
	var n int
	err := db.queryRow(ctx, "select count(*) from (select 1 from "+quote(t.object.Name)+" limit 1) as first").Scan(&n)
	if n > 0 && inTransaction(ctx) == nil { // in a transaction it may yet be taken back
		t.filled.Store(true)
	}
	return n > 0, err
}

// fullText writes a match in SQLite's full-text language. Terms hold no quotes.
func fullText(m models.Match) string {
	switch {
	case m.Term != "" && m.Prefix:
		return `"` + m.Term + `" *`
	case m.Term != "":
		return `"` + m.Term + `"`
	}
	parts, word := m.All, " AND "
	if len(m.Any) > 0 {
		parts, word = m.Any, " OR "
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = fullText(p)
	}
	return "(" + strings.Join(texts, word) + ")"
}

// postgresTerms writes a match as a query for numbers, each once.
func postgresTerms(name string, m models.Match, args []any) (string, []any) {
	switch {
	case m.Term != "" && m.Prefix: // no term has the last of all characters
		return "select distinct number from " + quote(name) + " where term >= ? and term < ?", append(args, m.Term, m.Term+"\U0010FFFF")
	case m.Term != "":
		return "select number from " + quote(name) + " where term = ?", append(args, m.Term)
	}
	parts, word := m.All, " intersect "
	if len(m.Any) > 0 {
		parts, word = m.Any, " union "
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i], args = postgresTerms(name, p, args)
		texts[i] = "(" + texts[i] + ")"
	}
	return strings.Join(texts, word), args
}
