package asof

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
	"canopy/warehouse"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
)

// ListQuery asks for a page of an object's records.
type ListQuery struct {
	Object *models.Object
	Where  *predicate.Node // nil: all
	Sort   string          // "-amount,name"; blank: by number
	Limit  int             // 1…MaxPage; 0: 50
	Cursor string          // NextCursor of the page before
	Cutoff models.Cutoff
}

// MaxPage is the most records of one page; CountCap is where counting stops.
const (
	MaxPage  = 200
	CountCap = 10_000
)

// Page is one page of records. Count counts all records of the query, at most CountCap; Capped says that there are more.
type Page struct {
	Records    []*models.Record
	NextCursor string // blank on the last page
	Count      int
	Capped     bool
	Position   uint64 // as of which it is told, the same for all pages
}

// List gives a page of records as they stood at the cut-off; one without a position is told as of what stands in the warehouse when its first
// page is asked for, so that pages neither repeat nor miss a record.
// Errors: invalid for filter, sort, limit and cursor; exhausted and unavailable from the warehouse.
func (h *History) List(ctx context.Context, reader models.Reader, q ListQuery) (Page, error) {
	sort, err := predicate.ParseSort(q.Object, q.Sort)
	if err != nil {
		return Page{}, err
	}
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return Page{}, models.FieldError("limit", "a page has 1 to %d records, not %d", MaxPage, q.Limit)
	}
	at, err := parseCursor(q.Cursor)
	if err != nil {
		return Page{}, err
	}
	if at.position == 0 {
		at.position = h.position(ctx, q.Cutoff)
	}
	q.Cutoff.Position = at.position
	if at.position == 0 { // nothing stands in the warehouse yet
		return Page{}, nil
	}
	page := Page{Position: at.position}
	if page.Records, err = h.page(ctx, reader, &q, sort.OrderBy(predicate.ClickHouse), at.offset); err != nil {
		return Page{}, err
	}
	if len(page.Records) > q.Limit {
		page.Records = page.Records[:q.Limit]
		page.NextCursor = cursor{at.offset + uint64(q.Limit), at.position}.String()
	}
	asked, err := h.ask("count", reader, q.Object, q.Where, q.Cutoff, nil)
	if err != nil {
		return Page{}, err
	}
	asked.params["row_limit"] = CountCap + 1
	count, err := warehouse.Value[uint64](ctx, h.Warehouse, asked.query())
	if err != nil {
		return Page{}, fmt.Errorf("count %s: %w", q.Object.Name, err)
	}
	page.Capped = count > CountCap
	page.Count = int(min(count, CountCap))
	return page, h.fillCreated(ctx, q.Object, page.Records)
}

// page loads one record more than the page has.
func (h *History) page(ctx context.Context, reader models.Reader, q *ListQuery, sorting string, offset uint64) ([]*models.Record, error) {
	columns := warehouse.LogColumns(q.Object)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = `"` + c.Name + `"`
	}
	asked, err := h.ask("list", reader, q.Object, q.Where, q.Cutoff, map[string]string{"columns": strings.Join(names, ", "), "sorting": sorting})
	if err != nil {
		return nil, err
	}
	asked.params["row_limit"], asked.params["row_offset"] = q.Limit+1, offset
	var records []*models.Record
	err = h.Warehouse.Select(ctx, asked.query(), func(rows driver.Rows) error {
		types := rows.ColumnTypes()
		for rows.Next() {
			targets := make([]any, len(types))
			for i, t := range types {
				targets[i] = reflect.New(t.ScanType()).Interface()
			}
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			r, err := recordOf(q.Object, columns, targets)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", q.Object.Name, err)
	}
	return records, nil
}

// recordOf reads one row; targets point to the values of columns.
func recordOf(o *models.Object, columns []warehouse.Column, targets []any) (*models.Record, error) {
	r := &models.Record{Object: o, Values: make([]models.Value, len(o.Fields))}
	amounts := map[*models.Field]decimal.Decimal{}
	for i, c := range columns {
		v := valueAt(targets[i])
		if v == nil {
			continue
		}
		if c.Field == nil {
			own(r, c.Name, v)
			continue
		}
		if c.Part == warehouse.Amount {
			amount, ok := v.(decimal.Decimal)
			if !ok {
				return nil, fmt.Errorf("read %s.%s: %T is no amount", o.Name, c.Name, v)
			}
			amounts[c.Field] = amount
			continue
		}
		value, err := fieldValue(c, v, amounts)
		if err != nil {
			return nil, fmt.Errorf("read %s.%s: %w", o.Name, c.Name, err)
		}
		r.Values[c.Field.Index()] = value
	}
	return r, nil
}

// valueAt follows pointers to the value; nil for null.
func valueAt(target any) any {
	v := reflect.ValueOf(target)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	return v.Interface()
}

// own sets what a record has beside its fields.
func own(r *models.Record, name string, v any) {
	switch x := v.(type) {
	case uint64:
		switch name {
		case "number":
			r.Number = x
		case "version":
			r.Version = int64(x) //nolint:gosec // counts writes
		}
	case time.Time:
		switch name {
		case "happened_at":
			r.HappenedAt = x.UTC()
		case "recorded_at":
			r.UpdatedAt = x.UTC()
		}
	}
}

// fieldValue brings a ClickHouse value to the Go form of the field's kind. Of money the amount was met before its currency.
func fieldValue(c warehouse.Column, v any, amounts map[*models.Field]decimal.Decimal) (models.Value, error) {
	switch x := v.(type) {
	case string:
		switch {
		case c.Part == warehouse.Currency:
			amount, ok := amounts[c.Field]
			if !ok {
				return nil, nil
			}
			minor := amount.Shift(int32(models.MinorDigits(x))) //nolint:gosec // at most 4
			return models.Money{Minor: minor.IntPart(), Currency: x}, nil
		case c.Field.Kind == models.AddressOf || c.Field.Kind == models.FileOf:
			return c.Field.ParseStored([]byte(x))
		}
		return x, nil
	case decimal.Decimal:
		return x.Shift(int32(c.Field.Scale)).IntPart(), nil //nolint:gosec // at most 9
	case time.Time:
		if c.Field.Kind == models.DateKind {
			return models.DateOf(x, time.UTC), nil
		}
		return x.UTC(), nil
	case []string:
		if len(x) == 0 {
			return nil, nil
		}
		return x, nil
	case uint64, bool, float64:
		return x, nil
	}
	return nil, fmt.Errorf("%T is unknown", v)
}

// fillCreated asks when the records of a page were created.
func (h *History) fillCreated(ctx context.Context, o *models.Object, records []*models.Record) error {
	if len(records) == 0 {
		return nil
	}
	numbers := make([]uint64, len(records))
	byNumber := make(map[uint64]*models.Record, len(records))
	for i, r := range records {
		numbers[i], byNumber[r.Number] = r.Number, r
	}
	text, err := fill("created", map[string]string{"log": warehouse.LogTable(o.Name)})
	if err != nil {
		return err
	}
	type created struct {
		Number    uint64    `ch:"number"`
		CreatedAt time.Time `ch:"created_at"`
	}
	found, err := warehouse.Rows[created](ctx, h.Warehouse, warehouse.Query{Name: "as of: created " + o.Name, SQL: text, Params: map[string]any{"numbers": numbers}})
	if err != nil {
		return fmt.Errorf("find when %s were created: %w", o.Name, err)
	}
	for _, f := range found {
		byNumber[f.Number].CreatedAt = f.CreatedAt.UTC()
	}
	return nil
}

// cursor is where the next page starts, and as of which position all pages are told.
type cursor struct{ offset, position uint64 }

func (c cursor) String() string {
	return "o" + strconv.FormatUint(c.offset, 10) + "p" + strconv.FormatUint(c.position, 10)
}

func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	offset, position, ok := strings.Cut(strings.TrimPrefix(text, "o"), "p")
	c := cursor{}
	var err error
	if c.offset, err = strconv.ParseUint(offset, 10, 40); err == nil && ok && text[0] == 'o' {
		if c.position, err = strconv.ParseUint(position, 10, 63); err == nil && c.position > 0 {
			return c, nil
		}
	}
	return cursor{}, models.FieldError("cursor", "%q is no cursor of this list", text).WithRemedy("Send next_cursor of the page before, or leave it out.")
}
