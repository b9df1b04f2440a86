package importer

import (
	"canopy/models"

	"go.yaml.in/yaml/v3"
)

// Mapping says what the rows of one file mean. It is written in YAML; docs in the examples folder of the repository.
type Mapping struct {
	File     FileForm          `yaml:"file"`     // how the file is written; detected where left out
	Zone     string            `yaml:"zone"`     // IANA zone of dates and local times; the workspace's where empty
	Dates    string            `yaml:"dates"`    // how dates are written: YYYY-MM-DD where empty
	Decimal  string            `yaml:"decimal"`  // decimal mark: "." (default) or ","
	Currency string            `yaml:"currency"` // of amounts without one; the workspace's where empty
	Country  string            `yaml:"country"`  // of national phone numbers
	Blank    []string          `yaml:"blank"`    // cells that mean nothing: "Select", "N/A"
	Columns  map[string]Column `yaml:"columns"`  // cleaning of columns, before anything else
	Ensure   []Ensure          `yaml:"ensure"`   // records that must be there first
	Records  []RecordSpec      `yaml:"records"`  // what each row makes, in order
	Notes    []Note            `yaml:"notes"`    // what is worth counting
	Once     []Once            `yaml:"once"`     // what may stand in the file once
	Checks   []Check           `yaml:"checks"`   // where rows contradict themselves or records
	// Historical says that the file tells a past that Canopy's stages did not see: deals pass over what stages ask for, and each time is kept as
	// a stage override. Administrators only.
	Historical bool `yaml:"historical"`
}

// FileForm says how the file is written.
type FileForm struct {
	Format    string   `yaml:"format"`    // csv, parquet, arrow or xlsx
	Sheet     string   `yaml:"sheet"`     // of an XLSX file; the first where empty
	Encoding  string   `yaml:"encoding"`  // utf-8, utf-16le, utf-16be, windows-1252, latin-1
	Delimiter string   `yaml:"delimiter"` // comma, semicolon, tab, pipe, or the character itself
	Columns   []string `yaml:"columns"`   // names, for a file without a header
}

// Column cleans one column.
type Column struct {
	Values map[string]string `yaml:"values"` // as it stands in the file → as it is meant
	Accept []string          `yaml:"accept"` // what may stand there, after Values; anything else refuses the row
}

// Ensure lists records of one object that are made where no live record has their key.
// References among their values name the referred record by its unique text field.
type Ensure struct {
	Object  string              `yaml:"object"`
	Key     string              `yaml:"key"`
	Records []map[string]string `yaml:"records"`
}

// RecordSpec is one record that a row makes or changes.
type RecordSpec struct {
	Object  string                `yaml:"object"`
	Key     string                `yaml:"key"`     // unique text field by which live records are matched; without one each row makes a record
	Repeats string                `yaml:"repeats"` // the same key in a later row: refuse (default) or allow
	Missing string                `yaml:"missing"` // no live record has the key: create (default) or refuse
	When    Conditions            `yaml:"when"`    // rows that it is made for; all where empty
	Fields  map[string]Expression `yaml:"fields"`
	History []Step                `yaml:"history"` // its changes in time, oldest first
}

// Step is one change of a record at a historical instant.
type Step struct {
	At      string                `yaml:"at"`     // column with the instant; a date is its first moment
	Format  string                `yaml:"format"` // how that column writes it
	When    Conditions            `yaml:"when"`
	Missing string                `yaml:"missing"` // an empty instant: unknown (default; happened when imported, and says so) or refuse
	Fields  map[string]Expression `yaml:"fields"`
}

// Expression gives one field's value. Exactly one of From, Value, Template, Over says where it comes from.
type Expression struct {
	From     string            `yaml:"from"`     // a column
	Value    *string           `yaml:"value"`    // a constant
	Template string            `yaml:"template"` // text with {columns}; a part in [brackets] is left out where one of its columns is empty
	Over     string            `yaml:"over"`     // reference.field: read from the record that another field of this record refers to
	Values   map[string]string `yaml:"values"`   // as it stands → as it is meant
	Default  string            `yaml:"default"`  // where it would be empty
	Format   string            `yaml:"format"`   // how a date is written
	Times    string            `yaml:"times"`    // a number in another unit: 1000000 where the file counts in millions
	Currency string            `yaml:"currency"` // of an amount
	Lookup   *Lookup           `yaml:"lookup"`   // a reference: the record whose field By holds the value
}

// Lookup finds the record that a reference means.
type Lookup struct {
	By      string            `yaml:"by"`      // field of the referred object
	Missing string            `yaml:"missing"` // no such record: refuse (default), empty, create, or later (it comes further down in the file)
	With    map[string]string `yaml:"with"`    // further fields of a record that is created
}

// Note counts rows that meet its conditions.
type Note struct {
	Text string     `yaml:"text"`
	When Conditions `yaml:"when"`
}

// Condition asks one thing of a column.
type Condition struct {
	Column string   `yaml:"column"`
	Is     *string  `yaml:"is"`
	Not    *string  `yaml:"not"`
	In     []string `yaml:"in"`
	Empty  *bool    `yaml:"empty"`
}

// Conditions must all hold; in YAML one condition needs no list.
type Conditions []Condition

// UnmarshalYAML reads one condition or a list of them.
func (c *Conditions) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.MappingNode {
		var one Condition
		if err := node.Decode(&one); err != nil {
			return err
		}
		*c = Conditions{one}
		return nil
	}
	var list []Condition
	if err := node.Decode(&list); err != nil {
		return err
	}
	*c = list
	return nil
}

// ParseMapping reads a mapping strictly: a key that it does not know is invalid, named with its line and the nearest known key.
// Whether it fits a file and the registry is asked later, by the Service.
func ParseMapping(text string) (*Mapping, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return nil, models.FieldError("mapping", "not YAML: %v", err).WithRemedy("Look at the named line; indentation and colons matter.")
	}
	if len(root.Content) == 0 {
		return nil, models.FieldError("mapping", "the mapping is empty").WithRemedy("Ask for a proposed one and edit it.")
	}
	var wrong []models.Error
	checkKeys(root.Content[0], mappingShape, "", &wrong)
	if err := models.Gather(wrong); err != nil {
		return nil, err
	}
	m := &Mapping{}
	if err := root.Decode(m); err != nil {
		return nil, models.FieldError("mapping", "%v", err).WithRemedy("Look at the named line.")
	}
	return m, nil
}
