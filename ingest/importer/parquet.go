package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// parquetBatch is how many rows are decoded at once.
const parquetBatch = 1024

// parquetFile reads a Parquet file batch by batch. Cells become text in Canopy's own notation, so that one mapping serves both formats.
type parquetFile struct {
	file    *file.Reader
	records pqarrow.RecordReader
	names   []string
	native  []bool // dates, instants, numbers: no notation of the mapping applies
	batch   arrow.Record
	place   int // in batch
	count   int64
	size    int64
}

func openParquet(path string, allocator memory.Allocator) (s source, err error) {
	damaged := func(err error) error {
		return models.FieldError("file", "the Parquet file cannot be read: %v", err).WithRemedy("Write the file again, or export it as CSV.")
	}
	defer func() { // the library panics on some damaged files
		if p := recover(); p != nil {
			s, err = nil, damaged(fmt.Errorf("%v", p))
		}
	}()
	handle, err := openFile(path)
	if err != nil {
		return nil, err
	}
	info, err := handle.Stat()
	if err != nil {
		return nil, errors.Join(err, handle.Close())
	}
	reader, err := file.NewParquetReader(handle, file.WithReadProps(parquet.NewReaderProperties(allocator)))
	if err != nil {
		return nil, errors.Join(damaged(err), handle.Close())
	}
	p := &parquetFile{file: reader, size: info.Size()}
	arrows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: parquetBatch}, allocator)
	if err == nil {
		p.records, err = arrows.GetRecordReader(context.Background(), nil, nil)
	}
	if err != nil {
		return nil, errors.Join(damaged(err), reader.Close())
	}
	for _, field := range p.records.Schema().Fields() {
		p.names = append(p.names, strings.TrimSpace(field.Name))
		p.native = append(p.native, isNative(field.Type))
	}
	return p, nil
}

func (p *parquetFile) header() []string      { return p.names }
func (p *parquetFile) total() int64          { return p.file.NumRows() }
func (p *parquetFile) typed(column int) bool { return p.native[column] }

func (p *parquetFile) close() error {
	p.records.Release()
	return p.file.Close()
}

func (p *parquetFile) next() (r row, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			err = models.FieldError("file", "the Parquet file is damaged after row %d: %v", p.count, failed).WithRemedy("Write the file again, or export it as CSV.")
		}
	}()
	for p.batch == nil || p.place >= int(p.batch.NumRows()) {
		if !p.records.Next() {
			if err := p.records.Err(); err != nil && !errors.Is(err, io.EOF) {
				return row{}, models.FieldError("file", "the Parquet file is damaged after row %d: %v", p.count, err).WithRemedy("Write the file again, or export it as CSV.")
			}
			return row{}, io.EOF
		}
		p.batch, p.place = p.records.Record(), 0
	}
	p.count++
	r = row{number: p.count + 1, cells: make([]string, len(p.names)), bytes: p.size}
	if total := p.file.NumRows(); total > 0 {
		r.bytes = int64(float64(p.size) * float64(p.count) / float64(total))
	}
	r.fill(p.batch, p.place, p.names)
	p.place++
	return r, nil
}

// fill takes the cells of one row of a batch.
func (r *row) fill(batch arrow.Record, place int, names []string) {
	for i := range names {
		r.take(i, names[i], cellText(batch.Column(i), place))
	}
}

// take puts a cell into its place, or refuses the row where no field could hold it.
func (r *row) take(i int, name, cell string) {
	switch {
	case len(cell) > maxCell:
		r.problem = models.FieldError(name, "the cell is too large: it holds at most %d KiB", maxCell>>10).WithRow(r.number)
		cell = excerpt([]byte(cell))
	case strings.IndexByte(cell, 0) >= 0:
		r.problem = models.FieldError(name, "the cell contains a NUL character").WithRow(r.number)
	}
	r.cells[i] = strings.TrimSpace(cell)
}

// isNative tells whether a column's values need no notation of the mapping.
func isNative(kind arrow.DataType) bool {
	switch kind.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.DICTIONARY:
		return false
	}
	return true
}

// cellText gives one value in Canopy's notation; a null is empty.
func cellText(column arrow.Array, i int) string {
	if column.IsNull(i) {
		return ""
	}
	switch c := column.(type) {
	case *array.Date32:
		return c.Value(i).ToTime().UTC().Format(models.DateLayout)
	case *array.Date64:
		return c.Value(i).ToTime().UTC().Format(models.DateLayout)
	case *array.Timestamp:
		unit := c.DataType().(*arrow.TimestampType)
		at := c.Value(i).ToTime(unit.Unit).UTC()
		if unit.TimeZone == "" { // a local time: read in the mapping's zone
			return at.Format("2006-01-02 15:04:05")
		}
		return at.Format(time.RFC3339Nano)
	case *array.Decimal128:
		return c.Value(i).ToString(c.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Decimal256:
		return c.Value(i).ToString(c.DataType().(*arrow.Decimal256Type).Scale)
	case *array.Float64:
		return plainFloat(c.Value(i), 64)
	case *array.Float32:
		return plainFloat(float64(c.Value(i)), 32)
	case *array.Binary:
		return string(c.Value(i))
	case *array.Dictionary:
		return cellText(c.Dictionary(), c.GetValueIndex(i))
	case *array.List:
		from, to := c.ValueOffsets(i)
		parts := make([]string, 0, to-from)
		for j := from; j < to; j++ {
			parts = append(parts, cellText(c.ListValues(), int(j)))
		}
		return strings.Join(parts, "|")
	}
	return column.ValueStr(i)
}
