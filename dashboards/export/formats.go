package export

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// batchRows is how many records are read at once; groupRows how many rows of a column-wise file belong together. Both bound memory.
const (
	batchRows = 1000
	groupRows = 16_000
)

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	Parquet Format = "parquet"
	Arrow   Format = "arrow"
)

// MediaType is what a browser is told.
func (f Format) MediaType() string {
	switch f {
	case Parquet:
		return "application/vnd.apache.parquet"
	case Arrow:
		return "application/vnd.apache.arrow.file"
	default:
		return "text/csv; charset=utf-8"
	}
}

// writer takes rows in order. close completes the file, and not the file below it.
type writer interface {
	write(rows []row) error
	close() error
}

// meta is what a column-wise file says about itself, key and value in turn.
type meta []string

func newWriter(f Format, columns []column, m meta, w io.Writer, allocator memory.Allocator) (writer, error) {
	switch f {
	case CSV:
		return newCSV(columns, w)
	case Parquet, Arrow:
		return newColumnar(f, columns, m, w, allocator)
	}
	return nil, models.FieldError("format", "%q is none of csv, parquet, arrow", f)
}

// csvWriter writes RFC 4180: UTF-8, a header, lines that end with CRLF; what is inside a cell stays as it is. Text that a spreadsheet would
// run is disarmed; numbers never are text.
type csvWriter struct {
	columns []column
	text    []bool // the column can hold text
	out     io.Writer
	buffer  []byte
}

func newCSV(columns []column, w io.Writer) (*csvWriter, error) {
	c := &csvWriter{columns: columns, out: w, text: make([]bool, len(columns))}
	for i := range columns {
		id := columns[i].kind.ID()
		c.text[i] = id == arrow.STRING || id == arrow.LIST
		c.cell(i, columns[i].name)
	}
	err := c.flush()
	return c, err
}

// cell appends a cell, in quotes where RFC 4180 wants them.
func (c *csvWriter) cell(i int, text string) {
	if i > 0 {
		c.buffer = append(c.buffer, ',')
	}
	if text == "" && len(c.columns) > 1 || text != "" && !strings.ContainsAny(text, "\",\r\n") && text[0] != ' ' && text[len(text)-1] != ' ' {
		c.buffer = append(c.buffer, text...)
	} else {
		c.buffer = append(c.buffer, '"')
		c.buffer = append(c.buffer, strings.ReplaceAll(text, `"`, `""`)...)
		c.buffer = append(c.buffer, '"')
	}
	if i == len(c.columns)-1 {
		c.buffer = append(c.buffer, "\r\n"...)
	}
}

func (c *csvWriter) flush() error {
	_, err := c.out.Write(c.buffer)
	c.buffer = c.buffer[:0]
	return err
}

func (c *csvWriter) write(rows []row) error {
	for _, r := range rows {
		for i := range c.columns {
			text := c.columns[i].text(r)
			if c.text[i] {
				text = models.DisarmCell(text)
			}
			c.cell(i, text)
		}
	}
	return c.flush()
}

func (c *csvWriter) close() error { return nil }

// columnar writes Parquet or an Arrow file.
type columnar struct {
	columns []column
	builder *array.RecordBuilder
	rows    int
	put     func(arrow.Record) error
	end     func() error
}

func newColumnar(f Format, columns []column, m meta, w io.Writer, allocator memory.Allocator) (*columnar, error) {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.kind, Nullable: true}
	}
	var keys, values []string
	for i := 0; i+1 < len(m); i += 2 {
		keys, values = append(keys, m[i]), append(values, m[i+1])
	}
	about := arrow.NewMetadata(keys, values)
	schema := arrow.NewSchema(fields, &about)
	c := &columnar{columns: columns, builder: array.NewRecordBuilder(allocator, schema)}
	if f == Arrow {
		file, err := ipc.NewFileWriter(&positioned{w: w}, ipc.WithSchema(schema), ipc.WithAllocator(allocator), ipc.WithZstd())
		if err != nil {
			return nil, fmt.Errorf("begin an Arrow file: %w", err)
		}
		c.put, c.end = file.Write, file.Close
		return c, nil
	}
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithAllocator(allocator), parquet.WithCreatedBy("Canopy"))
	file, err := pqarrow.NewFileWriter(schema, onlyWriter{w}, properties, pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(allocator), pqarrow.WithStoreSchema()))
	if err != nil {
		return nil, fmt.Errorf("begin a Parquet file: %w", err)
	}
	for i := range keys {
		if err := file.AppendKeyValueMetadata(keys[i], values[i]); err != nil {
			return nil, fmt.Errorf("begin a Parquet file: %w", err)
		}
	}
	c.put, c.end = file.Write, file.Close
	return c, nil
}

// onlyWriter keeps the Parquet library from closing the file, which is still to be made durable.
type onlyWriter struct{ io.Writer }

// positioned tells where a stream stands, which is all that the Arrow library seeks for.
type positioned struct {
	w  io.Writer
	at int64
}

func (p *positioned) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return n, err
}

// Seek tells the position; it goes nowhere else.
func (p *positioned) Seek(offset int64, whence int) (int64, error) {
	if offset == 0 && whence == io.SeekCurrent || offset == p.at && whence == io.SeekStart {
		return p.at, nil
	}
	return 0, errors.New("export: a stream does not seek")
}

func (c *columnar) write(rows []row) error {
	for _, r := range rows {
		for i := range c.columns {
			if b := c.builder.Field(i); !c.columns[i].append(b, r) {
				b.AppendNull()
			}
		}
		if c.rows++; c.rows == groupRows {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *columnar) flush() error {
	record := c.builder.NewRecord()
	defer record.Release()
	c.rows = 0
	return c.put(record)
}

func (c *columnar) close() error {
	defer c.builder.Release()
	if c.rows > 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	return c.end()
}
