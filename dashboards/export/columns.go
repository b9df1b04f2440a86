package export

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
)

// row is one record on its way out.
type row struct {
	*models.Record
	titles map[string]string // of the records it refers to, by public id
}

// column is one column of a file.
type column struct {
	name   string
	kind   arrow.DataType
	text   func(r row) string                // as CSV says it; empty for a missing value
	append func(b array.Builder, r row) bool // false for a missing value
}

var (
	instantType = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	moneyType   = &arrow.Decimal128Type{Precision: 18, Scale: 4}
)

// systemColumns are those that every record has.
var systemColumns = []string{"id", "version", "created_at", "updated_at", "happened_at", "deleted"}

// columnsOf gives the columns of the named fields, in their order: money is an amount and a currency, a reference an id and a title.
// No names are all fields between the id and the instants. Unknown names are gathered.
func columnsOf(object *models.Object, names []string, withDeleted bool) ([]column, error) {
	if len(names) == 0 {
		names = append(names, "id")
		for _, f := range object.Fields {
			names = append(names, f.Name)
		}
		if names = append(names, "created_at", "updated_at"); withDeleted {
			names = append(names, "deleted")
		}
	}
	var columns []column
	var wrong []models.Error
	said := map[string]bool{}
	for _, name := range names {
		f := object.Field(name)
		made := systemColumn(name)
		switch {
		case said[name]:
			wrong = append(wrong, *models.FieldError("columns", "%q is named twice", name))
		case f != nil:
			columns = append(columns, fieldColumns(object, f)...)
		case made != nil:
			columns = append(columns, *made)
		default:
			wrong = append(wrong, *models.FieldError("columns", "%s has no field %q", object.Name, name).
				WithRemedy("GET /api/v1/objects lists the fields; beside them there are " + strings.Join(systemColumns, ", ") + "."))
		}
		said[name] = true
	}
	return columns, models.Gather(wrong)
}

func systemColumn(name string) *column {
	at := func(of func(r row) time.Time) *column {
		return &column{name: name, kind: instantType, text: func(r row) string { return of(r).UTC().Format(models.InstantLayout) }, append: func(b array.Builder, r row) bool {
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(of(r).UnixMilli()))
			return true
		}}
	}
	switch name {
	case "id":
		return textColumn(name, func(r row) string { return r.ID() })
	case "version":
		return &column{name: name, kind: arrow.PrimitiveTypes.Int64, text: func(r row) string { return strconv.FormatInt(r.Version, 10) }, append: func(b array.Builder, r row) bool {
			b.(*array.Int64Builder).Append(r.Version)
			return true
		}}
	case "created_at":
		return at(func(r row) time.Time { return r.CreatedAt })
	case "updated_at":
		return at(func(r row) time.Time { return r.UpdatedAt })
	case "happened_at":
		return at(func(r row) time.Time { return r.HappenedAt })
	case "deleted":
		return &column{name: name, kind: arrow.FixedWidthTypes.Boolean, text: func(r row) string { return strconv.FormatBool(r.Deleted) }, append: func(b array.Builder, r row) bool {
			b.(*array.BooleanBuilder).Append(r.Deleted)
			return true
		}}
	}
	return nil
}

// textColumn is a column of text; empty text is a missing value.
func textColumn(name string, get func(r row) string) *column {
	return &column{name: name, kind: arrow.BinaryTypes.String, text: get, append: func(b array.Builder, r row) bool {
		text := get(r)
		if text == "" {
			return false
		}
		b.(*array.StringBuilder).Append(text)
		return true
	}}
}

func fieldColumns(object *models.Object, f *models.Field) []column {
	value := func(r row) models.Value {
		if f.Index() < len(r.Values) {
			return r.Values[f.Index()]
		}
		return nil
	}
	switch f.Kind {
	case models.MoneyKind:
		return []column{amountColumn(f, value), *textColumn(besides(object, f, "currency"), func(r row) string {
			m, _ := value(r).(models.Money)
			return m.Currency
		})}
	case models.Reference:
		id := func(r row) string {
			if n, ok := value(r).(uint64); ok {
				return f.To + "_" + strconv.FormatUint(n, 10)
			}
			return ""
		}
		return []column{*textColumn(f.Name, id), *textColumn(besides(object, f, "title"), func(r row) string { return r.titles[id(r)] })}
	case models.Number, models.Formula:
		return []column{numberColumn(f, value)}
	case models.DateKind, models.Instant, models.Boolean, models.Score, models.MultiPick:
		return []column{typedColumn(f, value)}
	case models.AddressOf, models.FileOf:
		return []column{*textColumn(f.Name, func(r row) string {
			v := value(r)
			if v == nil {
				return ""
			}
			text, _ := json.Marshal(v) // addresses and files always marshal
			return string(text)
		})}
	}
	return []column{*textColumn(f.Name, func(r row) string {
		text, _ := value(r).(string)
		return text
	})}
}

// besides names a second column of a field, so that no field has the name.
func besides(object *models.Object, f *models.Field, what string) string {
	name := f.Name + "_" + what
	for object.Field(name) != nil {
		name += "_"
	}
	return name
}

func amountColumn(f *models.Field, value func(r row) models.Value) column {
	return column{
		name: f.Name, kind: moneyType,
		text: func(r row) string {
			m, ok := value(r).(models.Money)
			if !ok {
				return ""
			}
			return string(models.AppendScaled(nil, m.Minor, models.MinorDigits(m.Currency)))
		},
		append: func(b array.Builder, r row) bool {
			m, ok := value(r).(models.Money)
			if !ok {
				return false
			}
			scaled, ok := m.Decimal4()
			if ok {
				b.(*array.Decimal128Builder).Append(decimal128.FromI64(scaled))
			}
			return ok
		},
	}
}

func numberColumn(f *models.Field, value func(r row) models.Value) column {
	return column{
		name: f.Name, kind: &arrow.Decimal128Type{Precision: 18, Scale: int32(f.Scale)}, //nolint:gosec // 0 to 9
		text: func(r row) string {
			if n, ok := value(r).(int64); ok {
				return string(models.AppendScaled(nil, n, f.Scale))
			}
			return ""
		},
		append: func(b array.Builder, r row) bool {
			n, ok := value(r).(int64)
			if ok {
				b.(*array.Decimal128Builder).Append(decimal128.FromI64(n))
			}
			return ok
		},
	}
}

// typedColumn is a column of a kind that is written the same in all formats but for its type.
func typedColumn(f *models.Field, value func(r row) models.Value) column {
	c := column{name: f.Name}
	c.text = func(r row) string {
		switch v := value(r).(type) {
		case models.Date:
			return v.String()
		case time.Time:
			return v.UTC().Format(models.InstantLayout)
		case bool:
			return strconv.FormatBool(v)
		case float64:
			return strconv.FormatFloat(v, 'g', -1, 64)
		case []string:
			return strings.Join(v, "|")
		}
		return ""
	}
	c.append = func(b array.Builder, r row) bool {
		switch v := value(r).(type) {
		case models.Date:
			b.(*array.Date32Builder).Append(arrow.Date32FromTime(v.Time(time.UTC)))
		case time.Time:
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(v.UnixMilli()))
		case bool:
			b.(*array.BooleanBuilder).Append(v)
		case float64:
			b.(*array.Float64Builder).Append(v)
		case []string:
			list := b.(*array.ListBuilder)
			list.Append(true)
			for _, s := range v {
				list.ValueBuilder().(*array.StringBuilder).Append(s)
			}
		default:
			return false
		}
		return true
	}
	switch f.Kind {
	case models.DateKind:
		c.kind = arrow.FixedWidthTypes.Date32
	case models.Instant:
		c.kind = instantType
	case models.Boolean:
		c.kind = arrow.FixedWidthTypes.Boolean
	case models.Score:
		c.kind = arrow.PrimitiveTypes.Float64
	default:
		c.kind = arrow.ListOf(arrow.BinaryTypes.String)
	}
	return c
}
