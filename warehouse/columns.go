package warehouse

import (
	"strconv"
	"strings"

	"canopy/models"
)

// Part says which part of a field's value a column holds.
type Part uint8

// The parts.
const (
	Whole    Part = iota
	Amount        // of money, in ten-thousandths of the major unit
	Currency      // of money
)

// Column is one column of an object's log and of its present state.
type Column struct {
	Name    string
	Type    string // as system.columns writes it
	Codec   string // without the word; the server's default where empty
	Comment string
	Field   *models.Field // nil for the columns of the log itself
	Part    Part
}

// The log's own columns, before those of the fields.
var ownColumns = []Column{
	{Name: "number", Type: "UInt64", Codec: "T64, LZ4", Comment: "number of the record, dense per object"},
	{Name: "happened_at", Type: "DateTime64(3, 'UTC')", Codec: "T64, LZ4", Comment: "instant as of which the image holds"},
	{Name: "position", Type: "UInt64", Codec: "T64, LZ4", Comment: "place in the change log, over all objects, without gaps"},
	{Name: "recorded_at", Type: "DateTime64(3, 'UTC')", Codec: "T64, LZ4", Comment: "instant at which Canopy came to know it"},
	{Name: "version", Type: "UInt64", Codec: "T64, LZ4", Comment: "counts the writes of the record"},
	{Name: "kind", Type: "LowCardinality(String)", Comment: "created, updated, deleted, restored or restated"},
	{Name: "happened_unknown", Type: "Bool", Comment: "the source knew no instant: happened_at is that of recording"},
	{Name: "actor_kind", Type: "LowCardinality(String)", Comment: "user or system"},
	{Name: "actor_user", Type: "UInt64", Codec: "T64, LZ4", Comment: "number of the user record; 0 for Canopy itself"},
	{Name: "cause", Type: "LowCardinality(String)", Comment: "what led to it: api, screen, import:7, rule:stage"},
	{Name: "is_deleted", Type: "UInt8", Comment: "1 where the record is deleted as of happened_at"},
}

// LogColumns gives the columns of an object's log, which are those of its present state too: Canopy's own first, then one per
// field in the registry's order, money as amount and currency. An empty value is null; of a list it is [].
// A custom field comes after those before it; no column ever changes its name or type.
func LogColumns(o *models.Object) []Column {
	columns := make([]Column, len(ownColumns), len(ownColumns)+len(o.Fields)+4)
	copy(columns, ownColumns)
	for _, f := range o.Fields {
		c := Column{Name: f.Name, Type: fieldType(f), Comment: comment(f), Field: f}
		switch f.Kind {
		case models.MoneyKind:
			c.Part = Amount
			columns = append(columns, c, Column{Name: f.Name + "_currency", Type: "LowCardinality(Nullable(String))",
				Comment: "currency of " + f.Name + ", ISO 4217", Field: f, Part: Currency})
			continue
		case models.LongText, models.AddressOf, models.FileOf, models.URL:
			c.Codec = "ZSTD(1)"
		case models.Instant:
			c.Codec = "T64, LZ4"
		}
		columns = append(columns, c)
	}
	return columns
}

func fieldType(f *models.Field) string {
	switch f.Kind {
	case models.Picklist:
		return "LowCardinality(Nullable(String))"
	case models.MultiPick:
		return "Array(LowCardinality(String))"
	case models.Number, models.Formula:
		return "Nullable(Decimal(18, " + strconv.Itoa(f.Scale) + "))"
	case models.MoneyKind:
		return "Nullable(Decimal(18, 4))"
	case models.DateKind:
		return "Nullable(Date32)"
	case models.Instant:
		return "Nullable(DateTime64(3, 'UTC'))"
	case models.Boolean:
		return "Nullable(Bool)"
	case models.Reference:
		return "Nullable(UInt64)"
	case models.Score:
		return "Nullable(Float64)"
	case models.Text, models.LongText, models.Email, models.Phone, models.URL, models.Country, models.AddressOf, models.FileOf:
		return "Nullable(String)"
	}
	panic("warehouse: no column type for the kind " + string(f.Kind)) // NewRegistry refuses unknown kinds
}

func comment(f *models.Field) string {
	text := f.Label
	if f.Help != "" {
		text += ": " + f.Help
	}
	switch f.Kind {
	case models.Reference:
		text += " (number of the " + f.To + ")"
	case models.MoneyKind:
		text += " (major units)"
	case models.AddressOf, models.FileOf:
		text += " (JSON)"
	}
	return text
}

// definition is the column as CREATE TABLE and ADD COLUMN take it.
func (c Column) definition() string {
	text := "`" + c.Name + "` " + c.Type
	if c.Comment != "" {
		text += " comment " + quoted(c.Comment)
	}
	if c.Codec != "" {
		text += " codec(" + c.Codec + ")"
	}
	return text
}

// names lists the columns for a SELECT or INSERT, in back-quotes: a field may be called "on" or "from".
func names(columns []Column, separator string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = "`" + c.Name + "`"
	}
	return strings.Join(list, separator)
}

// LogTable is the name of an object's log.
func LogTable(object string) string { return object + "_log" }
