package models

import (
	"mime"
	"strings"
)

// Kind is a field's kind: what its values are, in Go, in JSON and in each of the three databases.
//
//	kind                                   Go value     JSON                                SQLite / PostgreSQL / ClickHouse
//	text long_text email phone url country string       "…"                                 text / text collate "C" / String
//	picklist                               string       "won"                               text / text collate "C" / LowCardinality(String)
//	multi_pick                             []string     ["a","b"] sorted, distinct          json text / text[] / Array(LowCardinality(String))
//	number, formula                        int64        12.50 (value × 10^scale)            integer / bigint / Decimal(18,scale)
//	money                                  Money        {"amount":"12.50","currency":"USD"} integer minor + text / bigint + text / Decimal(18,4) + String
//	date                                   Date         "2017-06-30"                        text / date / Date32
//	instant                                time.Time    "2017-06-30T00:00:00.000Z"          integer ms / timestamptz / DateTime64(3,'UTC')
//	boolean                                bool         true                                integer / boolean / Bool
//	reference                              uint64       "account_12" (number of the record) integer / bigint / UInt64
//	address                                Address      {"line1":…}                         json text / jsonb / String
//	file                                   File         {"name":…}                          json text / jsonb / String
//	score                                  float64      0.73 in [0,1]                       real / double precision / Float64
//
// An empty value is nil in Go, null in JSON and SQL.
type Kind string

// The field kinds (feature A2).
const (
	Text      Kind = "text"
	LongText  Kind = "long_text"
	Number    Kind = "number"
	MoneyKind Kind = "money"
	DateKind  Kind = "date"
	Instant   Kind = "instant"
	Picklist  Kind = "picklist"
	MultiPick Kind = "multi_pick"
	Boolean   Kind = "boolean"
	Email     Kind = "email"
	Phone     Kind = "phone"
	URL       Kind = "url"
	Country   Kind = "country"
	AddressOf Kind = "address"
	Reference Kind = "reference"
	FileOf    Kind = "file"
	Formula   Kind = "formula"
	Score     Kind = "score"
)

// Value is one field's value in the Go form of its Kind; nil is empty.
type Value = any

// Address is a postal address; Country is ISO 3166-1 alpha-2.
type Address struct {
	Line1      string `json:"line1,omitempty"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"`
}

// File names stored content by its hash; Size is in bytes, SHA256 in lower-case hex.
type File struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
}

// Option is one accepted value of a picklist. A retired option stays readable and is refused on new writes.
// Aliases are spellings of sources that mean it ("Retail & Wholesale", "retail trade"); case and spaces do not matter in them.
type Option struct {
	Value   string   `yaml:"value" json:"value"`
	Label   string   `yaml:"label" json:"label"`
	Retired bool     `yaml:"retired" json:"retired,omitempty"`
	Aliases []string `yaml:"aliases" json:"aliases,omitempty"`
}

// Field describes one field of an object; every reader of the registry takes its behaviour from here.
type Field struct {
	Name     string   `yaml:"name" json:"name"` // snake_case, never changes
	Kind     Kind     `yaml:"kind" json:"kind"`
	Label    string   `yaml:"label" json:"label"`
	Help     string   `yaml:"help" json:"help,omitempty"`   // meaning, one sentence
	Owner    string   `yaml:"owner" json:"owner,omitempty"` // who answers for the field
	Required bool     `yaml:"required" json:"required,omitempty"`
	Default  string   `yaml:"default" json:"default,omitempty"` // text form, parsed by ParseText at creation
	Unique   bool     `yaml:"unique" json:"unique,omitempty"`   // among records that are not deleted
	Indexed  bool     `yaml:"indexed" json:"indexed,omitempty"`
	Personal bool     `yaml:"personal" json:"personal,omitempty"`   // personal data
	Searched bool     `yaml:"searched" json:"searched,omitempty"`   // found by global search; titles, e-mail, telephone and unique text are anyway
	ReadOnly bool     `yaml:"read_only" json:"read_only,omitempty"` // written by rules only, never by a caller
	Options  []Option `yaml:"options" json:"options,omitempty"`
	To       string   `yaml:"to" json:"to,omitempty"`       // the object a reference points to
	Scale    int      `yaml:"scale" json:"scale,omitempty"` // decimals of a number or formula, 0…9
	// RequiredFrom names the stage status (open, won, lost) from which on the field must be filled.
	RequiredFrom string `yaml:"required_from" json:"required_from,omitempty"`
	// Follows copies a value over a reference where the caller gives none: "owner.team" follows the owner.
	Follows string `yaml:"follows" json:"follows,omitempty"`
	// Check is a CEL expression over the record's fields that must be true; CheckHelp is said when it is not.
	Check     string `yaml:"check" json:"check,omitempty"`
	CheckHelp string `yaml:"check_help" json:"check_help,omitempty"`
	Formula   string `yaml:"formula" json:"formula,omitempty"` // CEL, for the formula kind: gives a number
	// MaxBytes bounds a file; 0 is DefaultMaxBytes. Accept lists media types ("application/pdf", "image/*"); empty takes any.
	MaxBytes int64    `yaml:"max_bytes" json:"max_bytes,omitempty"`
	Accept   []string `yaml:"accept" json:"accept,omitempty"`
	Custom   bool     `yaml:"-" json:"custom,omitempty"`

	index     int
	options   map[string]bool
	spellings map[string]string // folded spelling → option value, for options that are not retired
}

// Index is the field's place in its object's Fields and in a record's Values.
func (f *Field) Index() int { return f.index }

// DefaultMaxBytes bounds files of fields that say nothing else.
const DefaultMaxBytes = 25 << 20

// FileLimit is how many bytes a file of the field may have.
func (f *Field) FileLimit() int64 {
	if f.MaxBytes > 0 {
		return f.MaxBytes
	}
	return DefaultMaxBytes
}

// isMediaType tells whether a text names a media type, or a group of them as image/* does.
func isMediaType(text string) bool {
	named, _, err := mime.ParseMediaType(strings.Replace(text, "/*", "/x", 1))
	return err == nil && strings.Contains(named, "/")
}

// HasOption tells whether value is an accepted, not retired option.
func (f *Field) HasOption(value string) bool { return f.options[value] }
