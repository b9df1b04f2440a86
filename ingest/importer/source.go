package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// row is one row of a file.
type row struct {
	number  int64    // as a spreadsheet counts: the header is row 1
	cells   []string // as many as the header has, unless problem is set
	bytes   int64    // of the file, read so far
	problem *models.Error
}

// source gives the rows of one file in order.
type source interface {
	header() []string
	// total is the number of rows, where the file says it; -1 where not.
	total() int64
	// typed tells whether a column's cells are already in Canopy's own notation (Parquet dates and numbers).
	typed(column int) bool
	// next reads a row; io.EOF after the last one. A row that cannot be read carries its problem, and the next one follows.
	next() (row, error)
	close() error
}

// form is how a file is written, as detected and as the mapping says.
type form struct {
	Format    string   `json:"format"` // csv, parquet, arrow or xlsx
	Sheet     string   `json:"sheet,omitempty"`
	Encoding  encoding `json:"encoding,omitempty"`
	Delimiter string   `json:"delimiter,omitempty"`
	Return    bool     `json:"return,omitempty"`  // lines end with a lone carriage return
	Columns   []string `json:"columns,omitempty"` // names, for a file without a header
	Header    []string `json:"header,omitempty"`  // names of the columns, for the list of refused rows
}

var formats = []string{"csv", "parquet", "arrow", "xlsx"}

var delimiters = map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", ",": ",", ";": ";", "\t": "\t", "|": "|", "\\t": "\t"}

// with gives the form with what a mapping says about the file in place of what was detected.
func (f form) with(said FileForm) (form, error) {
	if said.Format != "" {
		if !slices.Contains(formats, said.Format) {
			return f, models.FieldError("file.format", "%q is none of %s", said.Format, strings.Join(formats, ", "))
		}
		f.Format = said.Format
	}
	if said.Encoding != "" {
		e, ok := encodingNames[strings.ToLower(said.Encoding)]
		if !ok {
			return f, models.FieldError("file.encoding", "unknown encoding %q", said.Encoding).
				WithRemedy("There are utf-8, utf-16le, utf-16be, windows-1252 and latin-1.")
		}
		f.Encoding = e
	}
	if said.Delimiter != "" {
		d, ok := delimiters[said.Delimiter]
		if !ok {
			return f, models.FieldError("file.delimiter", "unknown delimiter %q", said.Delimiter).
				WithRemedy("There are comma, semicolon, tab and pipe.")
		}
		f.Delimiter = d
	}
	f.Columns, f.Sheet = said.Columns, said.Sheet
	return f, nil
}

// openSource opens a stored file in a known form. An empty file, and one without a header, is invalid.
func openSource(path string, f form) (source, error) {
	var s source
	var err error
	switch f.Format {
	case "parquet":
		s, err = openParquet(path, memory.DefaultAllocator)
	case "arrow":
		s, err = openArrow(path, memory.DefaultAllocator)
	case "xlsx":
		s, err = openXLSX(path, f)
	default:
		s, err = openCSV(path, f)
	}
	if err != nil {
		return nil, err
	}
	if err := checkHeader(s.header()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

const maxColumns = 2000

func checkHeader(header []string) error {
	named := false
	for _, name := range header {
		named = named || name != ""
	}
	if !named {
		return models.FieldError("file", "the file has no header").
			WithRemedy("Its first row names the columns; for a file without one, list them in the mapping (file: {columns: [...]}).")
	}
	if len(header) > maxColumns {
		return models.FieldError("file", "the file has %d columns; at most %d can be read", len(header), maxColumns)
	}
	return nil
}

// counted counts the bytes that are read through it.
type counted struct {
	io.ReadCloser
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open imported file: %w", err)
	}
	return f, nil
}
