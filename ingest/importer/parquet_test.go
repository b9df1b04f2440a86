package importer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// All memory of the file is given back, and nothing is read twice or left out at the edges of batches and row groups.
func TestParquetRowsAndMemory(t *testing.T) {
	t.Parallel()
	schema := arrow.NewSchema([]arrow.Field{{Name: " n ", Type: arrow.PrimitiveTypes.Int32}, {Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	const rows = 3*parquetBatch + 7
	for n := range rows {
		b.Field(0).(*array.Int32Builder).Append(int32(n))
		list := b.Field(1).(*array.ListBuilder)
		if n%3 == 0 {
			list.AppendNull()
			continue
		}
		list.Append(true)
		for k := range n % 3 {
			list.ValueBuilder().(*array.StringBuilder).Append(fmt.Sprint("t", k))
		}
	}
	var file bytes.Buffer
	out, err := pqarrow.NewFileWriter(schema, &file, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(1000)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Write(b.NewRecord()); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	pool := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer pool.AssertSize(t, 0)
	src, err := openParquet(path, pool)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(src.header()) != "[n tags]" || src.total() != rows || !src.typed(0) {
		t.Errorf("%v %d", src.header(), src.total())
	}
	for n := range rows {
		r, err := src.next()
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"", "t0", "t0|t1"}[n%3]; r.cells[0] != fmt.Sprint(n) || r.cells[1] != want || r.number != int64(n+2) {
			t.Fatalf("%+v, want %q", r, want)
		}
	}
	if _, err := src.next(); err == nil {
		t.Error("more rows than there are")
	}
	if err := src.close(); err != nil {
		t.Fatal(err)
	}
}

func TestCellsOfParquet(t *testing.T) {
	t.Parallel()
	pool := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer pool.AssertSize(t, 0)
	at := time.Date(2017, 6, 30, 14, 5, 6, 7_000_000, time.UTC)
	for want, fill := range map[string]func() arrow.Array{
		"2017-06-30": func() arrow.Array {
			b := array.NewDate64Builder(pool)
			defer b.Release()
			b.Append(arrow.Date64FromTime(at))
			return b.NewArray()
		},
		"2017-06-30T14:05:06.007Z": func() arrow.Array {
			b := array.NewTimestampBuilder(pool, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Berlin"})
			defer b.Release()
			b.Append(arrow.Timestamp(at.UnixMilli()))
			return b.NewArray()
		},
		"2017-06-30 14:05:06": func() arrow.Array { // a local time without a zone
			b := array.NewTimestampBuilder(pool, &arrow.TimestampType{Unit: arrow.Second})
			defer b.Release()
			b.Append(arrow.Timestamp(at.Unix()))
			return b.NewArray()
		},
		"12345678901234567890": func() arrow.Array {
			b := array.NewUint64Builder(pool)
			defer b.Release()
			b.Append(12345678901234567890)
			return b.NewArray()
		},
		"100000000000000000000": func() arrow.Array { // no exponent
			b := array.NewFloat64Builder(pool)
			defer b.Release()
			b.Append(1e20)
			return b.NewArray()
		},
		"0.1": func() arrow.Array { // not 0.10000000149011612
			b := array.NewFloat32Builder(pool)
			defer b.Release()
			b.Append(0.1)
			return b.NewArray()
		},
		"two": func() arrow.Array {
			b := array.NewDictionaryBuilder(pool, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String})
			defer b.Release()
			if err := b.(*array.BinaryDictionaryBuilder).AppendString("two"); err != nil {
				t.Fatal(err)
			}
			return b.NewArray()
		},
		"true": func() arrow.Array {
			b := array.NewBooleanBuilder(pool)
			defer b.Release()
			b.Append(true)
			return b.NewArray()
		},
		"": func() arrow.Array {
			b := array.NewInt64Builder(pool)
			defer b.Release()
			b.AppendNull()
			return b.NewArray()
		},
	} {
		values := fill()
		if got := cellText(values, 0); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		values.Release()
	}
}
