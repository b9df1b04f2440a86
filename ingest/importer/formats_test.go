package importer

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/xuri/excelize/v2"
)

// rowsOf reads a source to its end.
func rowsOf(t *testing.T, s source) [][]string {
	t.Helper()
	var rows [][]string
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		cells := r.cells
		if r.problem != nil {
			cells = append([]string{"refused: " + r.problem.Message}, cells...)
		}
		rows = append(rows, append([]string{fmt.Sprint(r.number)}, cells...))
	}
}

func TestSheetsShowNumbersInFullAndDatesAsDates(t *testing.T) {
	t.Parallel()
	book := excelize.NewFile()
	if _, err := book.NewSheet("Deals"); err != nil {
		t.Fatal(err)
	}
	style := func(s excelize.Style) int {
		id, err := book.NewStyle(&s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	dotted, dollars := "dd.mm.yyyy", "$#,##0.00"
	day := time.Date(2023, 3, 15, 0, 0, 0, 0, time.UTC)
	for at, v := range map[string]any{
		"A2": "name", "B2": "value", "C2": "on", "D2": "local", "E2": "yes", "A3": "  Alder ", "B3": 1234567.891, "C3": day, "D3": day, "E3": true,
		"A5": "=1+1", "B5": 0.125, "A6": "text", "B6": "12.03.2023", "F6": "beyond", "A7": "00012",
	} {
		if err := book.SetCellValue("Deals", at, v); err != nil {
			t.Fatal(err)
		}
	}
	for at, s := range map[string]int{"B3": style(excelize.Style{CustomNumFmt: &dollars}), "C3": style(excelize.Style{NumFmt: 14}), "D3": style(excelize.Style{CustomNumFmt: &dotted}), "B5": style(excelize.Style{NumFmt: 9})} {
		if err := book.SetCellStyle("Deals", at, at, s); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "book.xlsx")
	if err := book.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	s, err := openSource(path, form{Format: "xlsx", Sheet: "Deals"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close() //nolint:errcheck // it is read to the end
	if fmt.Sprint(s.header()) != "[name value on local yes]" {
		t.Errorf("header %v", s.header())
	}
	want := [][]string{
		{"3", "Alder", "1234567.891", "2023-03-15", "15.03.2023", "TRUE"}, {"5", "=1+1", "0.125", "", "", ""},
		{"6", "refused: the row has 6 cells, the header has 5", "text", "12.03.2023", "", "", ""}, {"7", "00012", "", "", "", ""},
	}
	if got := rowsOf(t, s); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if _, err := openSource(path, form{Format: "xlsx", Sheet: "Leads"}); err == nil || !strings.Contains(err.Error(), `no sheet "Leads"`) {
		t.Errorf("a sheet that is not there: %v", err)
	}
	if _, err := openSource(path, form{Format: "xlsx"}); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty first sheet: %v", err)
	}
}

// A file that unpacks to far more than it is, and one that is no workbook, are refused without being unpacked.
func TestZipBombsAreRefused(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for name, size := range map[string]int{"[Content_Types].xml": 10, "xl/worksheets/sheet1.xml": 10} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte(" "), size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	body := packed.Bytes()
	path := filepath.Join(t.TempDir(), "bomb.xlsx")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSource(path, form{Format: "xlsx"}); models.CodeOf(err) != models.Invalid {
		t.Errorf("no workbook: %v", err)
	}
	if _, err := excelize.OpenFile(path, excelize.Options{UnzipSizeLimit: 15, UnzipXMLSizeLimit: 15}); err == nil || !strings.Contains(err.Error(), "exceeds") {
		t.Errorf("the library does not keep to its limit: %v", err)
	}
}

func arrowText(t *testing.T, options ...ipc.Option) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "amount", Type: &arrow.Decimal128Type{Precision: 18, Scale: 4}, Nullable: true}, {Name: "on", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	}, nil)
	path := filepath.Join(t.TempDir(), "x")
	file, err := os.Create(path) //nolint:gosec // the test's own directory
	if err != nil {
		t.Fatal(err)
	}
	w, err := ipc.NewFileWriter(file, append(options, ipc.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	for batch := range 3 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for n := range 2 {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf(" row %d.%d", batch, n))
			b.Field(1).AppendNull()
			b.Field(2).(*array.Date32Builder).Append(arrow.Date32(n))
		}
		if err := w.Write(b.NewRecord()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path) //nolint:gosec // the same
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestArrowRowsMemoryAndDamage(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]ipc.Option{"plain": nil, "packed": {ipc.WithZstd()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := arrowText(t, options...)
			path := filepath.Join(t.TempDir(), "x.arrow")
			write := func(b []byte) {
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(body)
			s, err := openSource(path, form{Format: "arrow"})
			if err != nil {
				t.Fatal(err)
			}
			rows := rowsOf(t, s)
			if err := s.close(); err != nil {
				t.Error(err)
			}
			if len(rows) != 6 || !slices.Equal(rows[5], []string{"7", "row 2.1", "", "1970-01-02"}) || s.typed(0) || !s.typed(2) {
				t.Errorf("%q", rows)
			}
			for cut := 8; cut < len(body); cut += 97 { // cut off or overwritten anywhere: an error that says so, never a panic
				for _, damaged := range [][]byte{body[:cut], append(append(slices.Clone(body[:cut]), bytes.Repeat([]byte{0xff}, min(16, len(body)-cut))...), body[min(cut+16, len(body)):]...)} {
					write(damaged)
					s, err := openSource(path, form{Format: "arrow"})
					for err == nil {
						_, err = s.next()
					}
					if s != nil {
						s.close() //nolint:errcheck // it is damaged
					}
					if !errors.Is(err, io.EOF) && models.CodeOf(err) != models.Invalid {
						t.Fatalf("damaged at %d: %v", cut, err)
					}
				}
			}
		})
	}
}
