package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"canopy/models"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

// stored writes bytes to a file and detects how they are written.
func stored(t interface {
	Fatal(args ...any)
	TempDir() string
}, data []byte) (string, form) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	census := &byteCensus{}
	for rest := data; len(rest) > 0; { // in uneven parts, so that characters are cut
		n := min(len(rest), 4097)
		if _, err := census.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	f, err := detect(path, census)
	if err != nil {
		t.Fatal(err)
	}
	return path, f
}

// readAll gives the header and all rows.
func readAll(t interface{ Fatal(args ...any) }, path string, f form) ([]string, []row) {
	src, err := openSource(path, f)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if err := src.close(); err != nil {
		t.Fatal(err)
	}
	return src.header(), rows
}

func encode(t *testing.T, e encoding, mark bool, text string) []byte {
	t.Helper()
	var out []byte
	var err error
	bom := unicode.IgnoreBOM
	if mark {
		bom = unicode.UseBOM
	}
	switch e {
	case utf16Little:
		out, err = unicode.UTF16(unicode.LittleEndian, bom).NewEncoder().Bytes([]byte(text))
	case utf16Big:
		out, err = unicode.UTF16(unicode.BigEndian, bom).NewEncoder().Bytes([]byte(text))
	case windows1252, latin1:
		out, err = charmap.Windows1252.NewEncoder().Bytes([]byte(text))
	case utf8Text:
		out = []byte(text)
		if mark {
			out = append([]byte("\ufeff"), out...)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFilesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, e := range []encoding{utf8Text, utf16Little, utf16Big, windows1252} {
		for _, mark := range []bool{false, true} {
			if mark && e == windows1252 {
				continue
			}
			for _, delimiter := range []string{",", ";", "\t", "|"} {
				for _, eol := range []string{"\n", "\r\n", "\r"} {
					t.Run(fmt.Sprintf("%s mark=%t %q %q", e, mark, delimiter, eol), func(t *testing.T) {
						t.Parallel()
						text := strings.NewReplacer(";", delimiter, "\n", eol).Replace("name;city;note\nMüller & Söhne;Köln;\"two\nlines; and a \"\"quote\"\"\"\n\nCafé;Zürich;\n;;x\n")
						path, f := stored(t, encode(t, e, mark, text))
						if f.Encoding != e || f.Delimiter != delimiter || f.Return != (eol == "\r") {
							t.Fatalf("detected %+v", f)
						}
						header, rows := readAll(t, path, f)
						if fmt.Sprint(header) != "[name city note]" || len(rows) != 3 {
							t.Fatalf("%q %v", header, rows)
						}
						note := "two" + eol + "lines" + delimiter + " and a \"quote\""
						if rows[0].cells[0] != "Müller & Söhne" || rows[0].cells[2] != note || rows[0].number != 2 {
							t.Errorf("%+v", rows[0])
						}
						if fmt.Sprint(rows[1].cells) != "[Café Zürich ]" || rows[1].number != 4 {
							t.Errorf("%+v", rows[1])
						}
						if last := rows[2]; last.bytes == 0 || fmt.Sprint(last.cells) != "[  x]" {
							t.Errorf("%+v", last)
						}
					})
				}
			}
		}
	}
}

// Whatever encoding/csv writes is read back, by another program's writer and this reader.
func TestRandomCellsComeBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "random.csv")
	rapid.Check(t, func(t *rapid.T) {
		short := rapid.StringMatching(`[a-zäß€,;|"\n .=]{0,8}`)
		cell := rapid.Custom(func(t *rapid.T) string { // one of twenty is long, and read in runs
			s := short.Draw(t, "text")
			if rapid.IntRange(1, 20).Draw(t, "long") == 1 {
				s = strings.Repeat(s, 2*longCell/8)
			}
			return s
		})
		columns := rapid.IntRange(2, 4).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 1, 10).Draw(t, "rows")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		header := []string{"ä", "b", "c", "d"}[:columns]
		if err := w.WriteAll(append([][]string{header}, rows...)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		_, got := readAll(t, path, form{Format: "csv", Encoding: utf8Text, Delimiter: ","})
		n := 0
		for _, want := range rows {
			if columns > 1 || strings.TrimSpace(want[0]) != "" {
				for i := range want {
					if got[n].problem != nil || got[n].cells[i] != strings.TrimSpace(want[i]) {
						t.Fatalf("%q came back as %q (%v)", want, got[n].cells, got[n].problem)
					}
				}
				n++
			}
		}
		if n != len(got) {
			t.Fatalf("%d rows came back as %d", n, len(got))
		}
	})
}

func TestRowsThatCannotBeReadAreNamedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 50<<20)
	for name, c := range map[string]struct {
		text   string
		row    int64
		reason string
		good   int
	}{
		"a line of 50 MB":               {"a,b\n1,2\n" + huge + ",3\n4,5\n", 3, "the row is too large", 2},
		"a quoted cell of 50 MB":        {"a,b\n1,2\n\"" + huge + "\nmore\",3\n4,5\n", 3, "the row is too large", 2},
		"a large cell below the bound":  {"a,b\n" + huge[:maxCell] + ",2\n", 0, "", 1},
		"a row of many cells":           {"a,b\n" + strings.Repeat(huge[:maxCell-1]+",", 5) + "\n1,2\n", 2, "the row is too large", 1},
		"a quote that nothing closes":   {"a,b\n1,2\n\"3,4\n5,6\n7,8\n", 3, "never closed", 3},
		"the same over the bound":       {"a,b\n\"3,4\n" + strings.Repeat("5,6\n", 400_000), 2, "never closed", 400_000},
		"too few cells":                 {"a,b,c\n1,2,3\n1,2\n4,5,6\n", 3, "the row has 2 cells, the header has 3", 2},
		"too many cells":                {"a,b\n1,2,3\n4,5\n", 2, "the row has 3 cells, the header has 2", 1},
		"delimiters at the end":         {"a,b,,\n1,2,,\n4,5,\n", 0, "", 2},
		"a NUL byte":                    {"a,b\n1,x\x00y\n3,4\n", 2, "NUL", 1},
		"bytes that are not UTF-8":      {"a,b\n1,Köln Café Zürich " + strings.Repeat("ä", 200) + "\n2,K\xf6ln\n3,4\n", 3, "the bytes f6 6c 6e are not utf-8 text", 2},
		"bytes that are not in cp1252":  {"a,b\n1,K\xf6ln\n2,x\x81\n3,4\n", 3, "the bytes 81 are not windows-1252 text", 2},
		"a quote within text":           {"a,b\n1,5\" disk\n2,\"5\"\" disk\"\n", 0, "", 2},
		"no line end at the end":        {"a,b\n1,2\n3,4", 0, "", 2},
		"a quoted last cell at the end": {"a,b\n1,2\n3,\"4\"", 0, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, f := stored(t, []byte(c.text))
			_, rows := readAll(t, path, f)
			good := 0
			for _, r := range rows {
				if r.problem == nil {
					good++
					continue
				}
				if r.number != c.row || r.problem.Row != c.row || !strings.Contains(r.problem.Message, c.reason) || r.problem.Remedy == "" {
					t.Errorf("row %d: %v", r.number, r.problem)
				}
			}
			if good != c.good || len(rows)-good != map[bool]int{true: 1}[c.row > 0] {
				t.Errorf("%d rows read, %d refused, want %d good", good, len(rows)-good, c.good)
			}
		})
	}
}

// However long a line is, no more than a row's bound of it is held.
func TestLongLinesAreNotHeld(t *testing.T) {
	t.Parallel()
	path, f := stored(t, []byte("a,b\n\""+strings.Repeat("x", 20<<20)+"\",1\n"+strings.Repeat("y", 20<<20)+"\n"))
	c := &csvFile{path: path, form: f}
	if err := c.open(0); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := c.record(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if cap(c.buffer) > 2*maxRecord {
			t.Fatalf("%d bytes are held", cap(c.buffer))
		}
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
}

func TestFilesWithoutRowsOrHeader(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"\n\n\n": "empty", ",,,\n1,2\n": "no header", " \n": "empty"} {
		path, f := stored(t, []byte(text))
		_, err := openSource(path, f)
		var said *models.Error
		if !errors.As(err, &said) || !strings.Contains(said.Message, want) || said.Remedy == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	path, f := stored(t, []byte("1,2\n3,4\n"))
	f, err := f.with(FileForm{Columns: []string{"x", "y"}})
	if err != nil {
		t.Fatal(err)
	}
	header, rows := readAll(t, path, f)
	if fmt.Sprint(header) != "[x y]" || len(rows) != 2 || rows[0].number != 2 || fmt.Sprint(rows[1].cells) != "[3 4]" {
		t.Errorf("%v %v", header, rows)
	}
}

func TestDisarm(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "@x": "'@x", "-2+3": "'-2+3", "\tx": "'\tx", "-12.5": "-12.5", "+4": "+4", "x=1": "x=1", "": "",
	} {
		if got := disarm(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}
