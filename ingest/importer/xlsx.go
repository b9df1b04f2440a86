package importer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"canopy/models"

	"github.com/xuri/excelize/v2"
)

// Bounds of an XLSX file, which is a zip of XML: what it may unpack to, and from which size on a part goes through the disk.
const (
	maxUnzipped = 4 << 30
	unzipToDisk = 16 << 20
)

// xlsxFile reads one sheet of an XLSX file row by row. A cell is the text that the sheet shows; numbers come in full, not as they are rounded for
// the eye, and dates in the sheet's short form come as YYYY-MM-DD.
type xlsxFile struct {
	file  *excelize.File
	shown *excelize.Rows // cells as the sheet shows them
	raw   *excelize.Rows // the same rows, numbers in full
	names []string
	row   int64
}

func openXLSX(path string, f form) (s source, err error) {
	x := &xlsxFile{}
	defer func() {
		if thrown := recover(); thrown != nil {
			s, err = nil, damagedXLSX(fmt.Errorf("%v", thrown))
		}
		if err != nil {
			err = errors.Join(err, x.close())
		}
	}()
	if x.file, err = excelize.OpenFile(path, excelize.Options{
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: unzipToDisk, ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss",
	}); err != nil {
		return nil, damagedXLSX(err)
	}
	sheets := x.file.GetSheetList()
	sheet := f.Sheet
	if sheet == "" && len(sheets) > 0 {
		sheet = sheets[0]
	}
	if !slices.Contains(sheets, sheet) {
		return nil, models.FieldError("file.sheet", "there is no sheet %q", f.Sheet).WithRemedy("There are " + strings.Join(sheets, ", ") + ".")
	}
	if x.shown, err = x.file.Rows(sheet); err == nil {
		x.raw, err = x.file.Rows(sheet)
	}
	if err != nil {
		return nil, damagedXLSX(err)
	}
	if x.names = f.Columns; len(x.names) > 0 {
		return x, nil
	}
	for len(x.names) == 0 { // empty rows above the header
		cells, err := x.cells()
		if errors.Is(err, io.EOF) {
			return nil, models.FieldError("file", "the sheet %q is empty", sheet).WithRemedy("Choose a sheet with a header and rows (file: {sheet: …}).")
		}
		if err != nil {
			return nil, err
		}
		for _, c := range cells {
			x.names = append(x.names, strings.TrimSpace(c))
		}
		for len(x.names) > 0 && x.names[len(x.names)-1] == "" {
			x.names = x.names[:len(x.names)-1]
		}
	}
	return x, nil
}

func damagedXLSX(err error) error {
	if errors.Is(err, excelize.ErrWorkbookFileFormat) || errors.Is(err, excelize.ErrWorkbookPassword) {
		return models.FieldError("file", "the file is no XLSX workbook, or it has a password").WithRemedy("Save it as XLSX without a password, or as CSV.")
	}
	return models.FieldError("file", "the XLSX file cannot be read: %v", err).WithRemedy("Save it again as XLSX, or as CSV.")
}

func (x *xlsxFile) header() []string { return x.names }
func (x *xlsxFile) total() int64     { return -1 } // nothing in the file says it without reading all
func (x *xlsxFile) typed(int) bool   { return false }

func (x *xlsxFile) close() error {
	var errs []error
	for _, rows := range []*excelize.Rows{x.shown, x.raw} {
		if rows != nil {
			errs = append(errs, rows.Close())
		}
	}
	if x.file != nil {
		errs = append(errs, x.file.Close())
	}
	return errors.Join(errs...)
}

// cells reads the next row of the sheet; io.EOF after the last one.
func (x *xlsxFile) cells() ([]string, error) {
	if !x.shown.Next() || !x.raw.Next() {
		if err := errors.Join(x.shown.Error(), x.raw.Error()); err != nil {
			return nil, damagedXLSX(err)
		}
		return nil, io.EOF
	}
	x.row++
	shown, err := x.shown.Columns()
	if err != nil {
		return nil, damagedXLSX(err)
	}
	raw, err := x.raw.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, damagedXLSX(err)
	}
	for i := range shown {
		if i < len(raw) && raw[i] != shown[i] && isShownNumber(shown[i]) {
			shown[i] = plainNumber(raw[i])
		}
	}
	return shown, nil
}

// isShownNumber tells whether a cell shows a number, in whatever dress: "1,234.50", "(12) €", "1.2E+05", "12%".
func isShownNumber(text string) bool {
	digits := false
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits = true
		case strings.ContainsRune(" \u00a0,.'()%+E$€£¥", r):
		case r == '-' && !digits:
		case r == '-' && strings.ContainsAny(text, "E"):
		default:
			return false
		}
	}
	return digits && inThrees(text)
}

// inThrees tells numbers from dates that are written with dots or spaces: a mark that comes twice parts groups of three digits.
func inThrees(text string) bool {
	for _, mark := range []string{".", ",", " ", "'", "\u00a0"} {
		parts := strings.Split(strings.Trim(text, " "), mark)
		for _, part := range parts[1:] {
			if len(parts) > 2 && len(strings.TrimRight(part, " )%$€£¥")) != 3 && !strings.Contains(part, ".") {
				return false
			}
		}
	}
	return true
}

// plainNumber writes a number of the file, such as 1.2E5, with all its digits.
func plainNumber(raw string) string {
	if !strings.ContainsAny(raw, "eE") {
		return raw
	}
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return raw
	}
	return plainFloat(v, 64)
}

func (x *xlsxFile) next() (r row, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = damagedXLSX(fmt.Errorf("after row %d: %v", x.row, thrown))
		}
	}()
	for {
		cells, err := x.cells()
		if err != nil {
			return row{}, err
		}
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		if len(cells) == 0 {
			continue // an empty row
		}
		r = row{number: x.row, cells: make([]string, len(x.names))}
		if len(cells) > len(x.names) {
			r.problem = models.Errorf(models.Invalid, "the row has %d cells, the header has %d", len(cells), len(x.names)).WithRemedy("Give each column a name, or empty the cells beyond the last one.")
			cells = cells[:len(x.names)]
		}
		for i, c := range cells {
			r.take(i, x.names[i], c)
		}
		return r, nil
	}
}
