package predicate

import (
	"fmt"
	"strconv"
	"time"

	"canopy/models"
)

// value binds one value of the field and gives the text that stands for it.
func (w *writer) value(f *models.Field, v models.Value) (string, error) {
	if w.dialect == ClickHouse {
		return w.clickHouseValue(f, v)
	}
	place := "?"
	switch x := v.(type) {
	case string:
		w.args = append(w.args, x)
	case int64:
		w.args = append(w.args, x)
	case uint64:
		w.args = append(w.args, int64(x)) //nolint:gosec // numbers of records have 63 bits
	case float64:
		w.args = append(w.args, x)
	case models.Money:
		w.args = append(w.args, x.Minor)
	case models.Date:
		w.args = append(w.args, x.String())
		if w.dialect == Postgres {
			place = "?::date"
		}
	case time.Time:
		if w.dialect == Postgres {
			w.args, place = append(w.args, x.UTC()), "?::timestamptz"
		} else {
			w.args = append(w.args, x.UnixMilli())
		}
	case bool:
		switch {
		case w.dialect == Postgres:
			w.args = append(w.args, x)
		case x:
			w.args = append(w.args, int64(1))
		default:
			w.args = append(w.args, int64(0))
		}
	default:
		return "", fmt.Errorf("predicate: %s cannot be compared with %T", f.Name, v)
	}
	return place, nil
}

func (w *writer) clickHouseValue(f *models.Field, v models.Value) (string, error) {
	switch x := v.(type) {
	case string:
		return w.name("String", x), nil
	case int64:
		return w.name("Decimal(18,"+strconv.Itoa(f.Scale)+")", models.FormatScaled(x, f.Scale)), nil
	case uint64:
		return w.name("UInt64", x), nil
	case float64:
		return w.name("Float64", x), nil
	case models.Money:
		scaled, ok := x.Decimal4()
		if !ok {
			return "", models.FieldError(f.Name, "%s is out of range", x)
		}
		return w.name("Decimal(18,4)", models.FormatScaled(scaled, 4)), nil
	case models.Date:
		return w.name("Date32", x), nil
	case time.Time:
		return w.name("DateTime64(3,'UTC')", within(x).UTC()), nil
	case bool:
		return w.name("Bool", x), nil
	}
	return "", fmt.Errorf("predicate: %s cannot be compared with %T", f.Name, v)
}

// The instants that ClickHouse's DateTime64(3) holds. Records' instants lie well inside, so a day's bound outside says the same at the edge.
var firstInstant, lastInstant = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2299, 12, 31, 23, 59, 59, 999e6, time.UTC)

func within(t time.Time) time.Time {
	switch {
	case t.Before(firstInstant):
		return firstInstant
	case t.After(lastInstant):
		return lastInstant
	}
	return t
}
