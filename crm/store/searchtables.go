package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"canopy/crm"
	"canopy/models"
)

// searchForm tells how an object's terms are made: "1 name name:text email:email", the version, the title and the fields in name order.
func searchForm(o *models.Object, except map[string]bool) string {
	var fields []string
	for _, f := range o.SearchFields() {
		if !except[f.Name] {
			fields = append(fields, f.Name+":"+string(f.Kind))
		}
	}
	slices.Sort(fields)
	return strings.Join(append([]string{strconv.Itoa(models.SearchVersion), o.Title}, fields...), " ")
}

// ensureSearch makes an object's table of terms where it is not there or its terms are made in another way. Records that are there already
// get theirs in fillSearch. Columns that were added just now are empty and change no terms.
func (db *DB) ensureSearch(ctx context.Context, t *table, added map[string]bool) error {
	if !t.isSearched() {
		return nil
	}
	o := t.object
	var known string
	err := db.queryRow(ctx, "select form from search_tables where object = ?", o.Name).Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	form := searchForm(o, nil)
	switch known {
	case form:
		return nil
	case searchForm(o, added):
		_, err := db.exec(ctx, "update search_tables set form = ? where object = ?", form, o.Name)
		return err
	}
	name := quote(searchTable(o.Name))
	create := "create virtual table " + name + ` using fts5(terms, content = '', contentless_delete = 1, detail = 'none', tokenize = "ascii tokenchars '^=@._-+'")`
	if db.IsPostgres() {
		create = "create table " + name + ` (term text collate "C" not null, number bigint not null, primary key (term, number))`
	}
	for _, statement := range []string{"drop table if exists " + name, create} {
		if _, err := db.exec(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := db.exec(ctx, "delete from search_tables where object = ?", o.Name); err != nil {
		return err
	}
	var records int
	if err := db.queryRow(ctx, "select count(*) from (select 1 from "+quote(o.Name)+" limit 1) as first").Scan(&records); err != nil {
		return err
	}
	_, err = db.exec(ctx, "insert into search_tables (object, form, filled_through, is_filled) values (?, ?, 0, ?)", o.Name, form, records == 0)
	return err
}

// searchFill is how many records get their terms in one transaction.
const searchFill = 2000

// fillSearch gives terms to the records that were there before their table of terms; after a crash it goes on where it was.
func (db *DB) fillSearch(ctx context.Context, t *table) error {
	if !t.isSearched() {
		return nil
	}
	var through int64
	var filled bool
	err := db.queryRow(ctx, "select filled_through, is_filled from search_tables where object = ?", t.object.Name).Scan(&through, &filled)
	if err != nil {
		return err
	}
	var last int64
	if !filled {
		if err := db.queryRow(ctx, "select coalesce(max(number), 0) from "+quote(t.object.Name)).Scan(&last); err != nil {
			return err
		}
	}
	for !filled {
		err := db.Run(ctx, crm.Bulk, func(ctx context.Context) error {
			n, err := db.fillSome(ctx, t, &through)
			if err != nil {
				return err
			}
			filled = n < searchFill
			_, err = db.exec(ctx, "update search_tables set filled_through = ?, is_filled = ? where object = ?", through, filled, t.object.Name)
			return err
		})
		if err != nil {
			return fmt.Errorf("make search terms of %s: %w", t.object.Name, err)
		}
		if last > 50_000 {
			db.log.Info("making search terms", "object", t.object.Name, "through", through, "of", last)
		}
	}
	return nil
}

// fillSome gives terms to the next records after through and moves it.
func (db *DB) fillSome(ctx context.Context, t *table, through *int64) (int, error) {
	query := fmt.Sprintf("select %s from %s where number > ? order by number limit ?", t.selects, quote(t.object.Name)) + db.d.forUpdate()
	var records []*models.Record
	if err := db.each(ctx, t, query, []any{*through, searchFill}, func(r *models.Record) { records = append(records, r) }); err != nil {
		return 0, err
	}
	for _, r := range records {
		*through = int64(r.Number) //nolint:gosec // under 2^63
		if r.Deleted {
			continue
		}
		terms := t.object.SearchTerms(r.Values)
		if !db.IsPostgres() { // a write since may have put them there; PostgreSQL passes over those
			if err := db.putTerms(ctx, t.object, r.Number, terms, nil); err != nil {
				return 0, err
			}
		}
		if err := db.putTerms(ctx, t.object, r.Number, nil, terms); err != nil {
			return 0, err
		}
	}
	return len(records), nil
}
