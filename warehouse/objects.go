package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"canopy/models"
	canopysql "canopy/sql"
)

// standing is what the database holds of one table or view.
type standing struct {
	engine  string
	comment string
	columns map[string]string // name → type
}

// EnsureObjects makes the warehouse fit the registry: for every object its log, its present state with the view that feeds it,
// and the staging views staging_<object>_now and staging_<object>_as_of; for every field added since, its columns. It only adds,
// may run at any time and as often as one likes, and costs two questions when nothing is missing. It must return before the
// first row with a new field is sent; the feed is altered in place, so that no insert can fall between an old and a new one.
// A column that stands with another type is a precondition error. A field that was dropped keeps its column.
func (w *Warehouse) EnsureObjects(ctx context.Context, r *models.Registry) error {
	if err := CheckNames(r); err != nil {
		return err
	}
	stands, err := w.standing(ctx)
	if err != nil {
		return err
	}
	for _, o := range r.Objects() {
		if err := w.ensureObject(ctx, o, stands); err != nil {
			return fmt.Errorf("make the tables of %s: %w", o.Name, err)
		}
	}
	return nil
}

// CheckNames refuses objects whose tables, and fields whose columns, would be one another's.
func CheckNames(r *models.Registry) error {
	owner := map[string]string{"schema_step": "Canopy"}
	for _, o := range r.Objects() {
		for _, table := range []string{o.Name, LogTable(o.Name), o.Name + "_mv", NowView(o.Name), AsOfView(o.Name)} {
			if other := owner[table]; other != "" {
				return models.FieldError(o.Name, "its table %s is that of %s", table, other)
			}
			owner[table] = o.Name
		}
		seen := map[string]bool{}
		for _, c := range LogColumns(o) {
			if seen[c.Name] {
				return models.FieldError(o.Name+"."+c.Name, "this name is kept for Canopy's own columns")
			}
			seen[c.Name] = true
		}
	}
	return nil
}

// NowView is the view of an object's records as they stand: staging_deal_now.
func NowView(object string) string { return "staging_" + object + "_now" }

// AsOfView is the view of an object's records as they stood, with the parameters happened_before (an instant, exclusive) and
// position (inclusive; AllPositions for no cut): staging_deal_as_of.
func AsOfView(object string) string { return "staging_" + object + "_as_of" }

// AllPositions is the parameter position of an as-of view that does not cut.
const AllPositions = ^uint64(0)

func (w *Warehouse) standing(ctx context.Context) (map[string]*standing, error) {
	tables, err := Rows[struct {
		Name    string `ch:"name"`
		Engine  string `ch:"engine"`
		Comment string `ch:"comment"`
	}](ctx, w, Query{Name: "list the warehouse's tables", Params: map[string]any{"database": w.config.Database},
		SQL: "select name, engine, comment from system.tables where database = {database:String}"})
	if err != nil {
		return nil, err
	}
	columns, err := Rows[struct {
		Table string `ch:"table"`
		Name  string `ch:"name"`
		Type  string `ch:"type"`
	}](ctx, w, Query{Name: "list the warehouse's columns", Params: map[string]any{"database": w.config.Database},
		SQL: "select table, name, type from system.columns where database = {database:String}"})
	if err != nil {
		return nil, err
	}
	stands := make(map[string]*standing, len(tables))
	for _, t := range tables {
		stands[t.Name] = &standing{engine: t.Engine, comment: t.Comment, columns: map[string]string{}}
	}
	for _, c := range columns {
		if t := stands[c.Table]; t != nil {
			t.columns[c.Name] = c.Type
		}
	}
	return stands, nil
}

// ensureObject adds what one object lacks: tables before the feed that joins them, both before the views that read them.
func (w *Warehouse) ensureObject(ctx context.Context, o *models.Object, stands map[string]*standing) error {
	columns := LogColumns(o)
	for _, t := range []struct{ table, file string }{{LogTable(o.Name), "1_log.sql"}, {o.Name, "2_cache.sql"}} {
		if err := w.ensureTable(ctx, o, t.table, t.file, columns, stands[t.table]); err != nil {
			return err
		}
	}
	if err := w.ensureFeed(ctx, o, columns, stands[o.Name+"_mv"]); err != nil {
		return err
	}
	for _, v := range []struct{ view, file string }{{NowView(o.Name), "4_now.sql"}, {AsOfView(o.Name), "5_as_of.sql"}} {
		text, err := stagingText(v.file, o.Name, names(columns, ",\n    "))
		if err != nil {
			return err
		}
		// The comment carries a fingerprint of the text, so that an unchanged view is left alone.
		mark := fingerprint(text)
		if s := stands[v.view]; s != nil && strings.HasSuffix(s.comment, mark) {
			continue
		}
		text = strings.TrimSuffix(strings.TrimRight(text, "\n"), "'") + " " + mark + "'"
		if err := w.statement(ctx, "make "+v.view, text); err != nil {
			return err
		}
	}
	return nil
}

func (w *Warehouse) ensureTable(ctx context.Context, o *models.Object, table, file string, columns []Column, s *standing) error {
	if s == nil {
		definitions := make([]string, len(columns))
		for i, c := range columns {
			definitions[i] = c.definition()
		}
		text, err := stagingText(file, o.Name, strings.Join(definitions, ",\n    "))
		if err != nil {
			return err
		}
		return w.statement(ctx, "make "+table, text)
	}
	if !strings.HasSuffix(s.engine, "MergeTree") {
		return models.Errorf(models.Precondition, "%s stands in the warehouse as a %s", table, s.engine)
	}
	for _, c := range columns {
		kind, stands := s.columns[c.Name]
		switch {
		case !stands:
			text := "alter table `" + table + "` add column if not exists " + c.definition()
			if err := w.statement(ctx, "add "+table+"."+c.Name, text); err != nil {
				return err
			}
		case kind != c.Type:
			return models.Errorf(models.Precondition, "the column %s.%s stands as %s, the registry says %s", table, c.Name, kind, c.Type).
				WithRemedy("Give the changed field another name, or rebuild the warehouse.")
		}
	}
	return nil
}

func (w *Warehouse) ensureFeed(ctx context.Context, o *models.Object, columns []Column, s *standing) error {
	if s == nil {
		text, err := stagingText("3_feed.sql", o.Name, names(columns, ",\n    "))
		if err != nil {
			return err
		}
		return w.statement(ctx, "make "+o.Name+"_mv", text)
	}
	for _, c := range columns {
		if _, stands := s.columns[c.Name]; !stands {
			text := "alter table `" + o.Name + "_mv` modify query select " + names(columns, ", ") + " from `" + LogTable(o.Name) + "`"
			return w.statement(ctx, "alter "+o.Name+"_mv", text)
		}
	}
	return nil
}

// stagingText fills the marked places of a file of sql/staging.
func stagingText(file, object, columns string) (string, error) {
	text, err := fs.ReadFile(canopysql.Staging(), file)
	if err != nil {
		return "", err
	}
	return strings.NewReplacer("{object}", object, "{columns}", columns).Replace(string(text)), nil
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "[" + hex.EncodeToString(sum[:4]) + "]"
}
