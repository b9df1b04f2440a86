package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"canopy/models"
)

// Bounds of one row, so that no file can fill the memory. A cell beyond them refuses its row, and the rows after it go on.
const (
	maxCell   = 1 << 20 // bytes
	maxRecord = 4 << 20 // bytes
)

// csvFile reads delimited text (RFC 4180, and the ways in which files differ from it): quoted cells may hold delimiters, line
// ends and doubled quotes; a quote within an unquoted cell, or one within a quoted cell that no delimiter follows, is text.
type csvFile struct {
	path   string
	form   form
	raw    *counted
	text   *bufio.Reader // decoded where the encoding is not one byte a character
	offset int64         // in text
	names  []string
	count  int64 // rows met, as a spreadsheet counts

	buffer    []byte // the cells of the row being read, joined
	ends      []int  // where each cell ends in buffer
	lines     int64  // line ends met within the row being read
	firstLine int64  // offset after the first of them
	strict    bool   // an open quote was met that nothing closes: from now on none is believed for longer than maxCell
}

func openCSV(path string, f form) (source, error) {
	c := &csvFile{path: path, form: f}
	if err := c.open(0); err != nil {
		return nil, err
	}
	if len(f.Columns) > 0 {
		c.names = f.Columns
		return c, nil
	}
	first, err := c.next()
	switch {
	case errors.Is(err, io.EOF):
		err = models.FieldError("file", "the file is empty").WithRemedy("Choose a file with a header and rows.")
	case err == nil && first.problem != nil:
		err = first.problem
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	for _, name := range first.cells {
		c.names = append(c.names, strings.TrimSpace(name))
	}
	for len(c.names) > 0 && c.names[len(c.names)-1] == "" {
		c.names = c.names[:len(c.names)-1] // delimiters at the end of the header
	}
	return c, nil
}

// open starts reading at an offset of the decoded text.
func (c *csvFile) open(offset int64) error {
	file, err := openFile(c.path)
	if err != nil {
		return err
	}
	if c.raw != nil {
		if err := c.raw.Close(); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	c.raw = &counted{ReadCloser: file}
	if decoded := c.form.Encoding.reader(c.raw); decoded != nil {
		c.text = bufio.NewReaderSize(decoded, 1<<16)
		_, err = io.CopyN(io.Discard, c.text, offset)
	} else {
		_, err = file.Seek(offset, io.SeekStart)
		c.raw.n = offset
		c.text = bufio.NewReaderSize(c.raw, 1<<16)
	}
	if err != nil {
		return fmt.Errorf("go on reading at %d: %w", offset, err)
	}
	c.offset = offset
	if offset == 0 {
		if mark, _ := c.text.Peek(3); string(mark) == "\ufeff" {
			_, _ = c.text.Discard(3)
			c.offset = 3
		}
	}
	return nil
}

func (c *csvFile) header() []string { return c.names }
func (c *csvFile) total() int64     { return -1 }
func (c *csvFile) typed(int) bool   { return false }
func (c *csvFile) close() error     { return c.raw.Close() }

// next reads one row; blank lines are passed over, but counted.
func (c *csvFile) next() (row, error) {
	for {
		problem, err := c.record()
		if err != nil {
			return row{}, err
		}
		c.count++
		if problem == nil && len(c.ends) == 1 && len(bytes.TrimSpace(c.buffer)) == 0 {
			continue
		}
		r := row{number: c.count, bytes: c.consumed(), problem: problem}
		if len(c.form.Columns) > 0 {
			r.number++ // the header that the file does not have is row 1 all the same
		}
		c.fill(&r)
		if r.problem != nil {
			r.problem = r.problem.WithRow(r.number)
		}
		return r, nil
	}
}

// consumed is how many bytes of the file are behind the reader.
func (c *csvFile) consumed() int64 {
	if c.form.Encoding.reader(c.raw) != nil {
		return c.raw.n
	}
	return c.offset
}

// fill decodes the row's cells and brings them to the header's length.
func (c *csvFile) fill(r *row) {
	if r.problem != nil {
		r.cells = []string{excerpt(c.buffer)}
		return
	}
	start := 0
	text, failed := c.form.Encoding.text(c.buffer)
	if failed {
		r.problem = c.undecodable()
	} else if i := strings.IndexByte(text, 0); i >= 0 {
		r.problem = models.FieldError(c.columnAt(i), "the row contains a NUL character").
			WithRemedy("Save the file again as text; a NUL is what binary or damaged files hold.")
	}
	if r.problem != nil {
		r.cells = []string{excerpt(c.buffer)}
		return
	}
	r.cells = make([]string, 0, max(len(c.ends), len(c.names)))
	if len(text) == len(c.buffer) { // one byte a byte: the ends hold
		for _, end := range c.ends {
			r.cells = append(r.cells, models.ArmCell(strings.TrimSpace(text[start:end])))
			start = end
		}
	} else {
		for _, end := range c.ends {
			cell, _ := c.form.Encoding.text(c.buffer[start:end])
			r.cells = append(r.cells, models.ArmCell(strings.TrimSpace(cell)))
			start = end
		}
	}
	if c.names == nil {
		return
	}
	for len(r.cells) > len(c.names) && r.cells[len(r.cells)-1] == "" {
		r.cells = r.cells[:len(r.cells)-1] // delimiters at the end of a row
	}
	if len(r.cells) != len(c.names) {
		r.problem = models.Errorf(models.Invalid, "the row has %d cells, the header has %d", len(r.cells), len(c.names)).
			WithRemedy("Put cells that contain the delimiter in double quotes, and give each column a cell.")
	}
}

// undecodable finds the cell whose bytes the encoding does not have.
func (c *csvFile) undecodable() *models.Error {
	start := 0
	for i, end := range c.ends {
		cell := c.buffer[start:end]
		if _, failed := c.form.Encoding.text(cell); failed {
			column := fmt.Sprintf("column %d", i+1)
			if i < len(c.names) {
				column = c.names[i]
			}
			return models.FieldError(column, "the bytes % x are not %s text", around(cell, c.form.Encoding), c.form.Encoding).
				WithRemedy("Save the file as UTF-8, or say in the mapping how it is written (file: {encoding: windows-1252}).")
		}
		start = end
	}
	return models.Errorf(models.Invalid, "the row is not %s text", c.form.Encoding)
}

// around gives up to eight bytes of a cell from the first undecodable one on.
func around(cell []byte, e encoding) []byte {
	for i := range cell {
		if _, failed := e.text(cell[:i+1]); failed && (e != utf8Text || !utf8.FullRune(cell[i:]) || utf8.RuneError == firstRune(cell[i:])) {
			return cell[i:min(i+8, len(cell))]
		}
	}
	return cell[:min(8, len(cell))]
}

func firstRune(b []byte) rune {
	r, _ := utf8.DecodeRune(b)
	return r
}

func (c *csvFile) columnAt(offset int) string {
	for i, end := range c.ends {
		if offset < end && i < len(c.names) {
			return c.names[i]
		}
	}
	return ""
}

// excerpt is the start of a row that cannot be read, for the list of refused rows.
func excerpt(b []byte) string {
	if len(b) > 500 {
		return strings.ToValidUTF8(string(b[:500]), "\ufffd") + "…"
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// record reads the cells of one row into buffer and ends. io.EOF when nothing is left.
func (c *csvFile) record() (*models.Error, error) {
	c.buffer, c.ends, c.lines, c.firstLine = c.buffer[:0], c.ends[:0], 0, 0
	delimiter, eol := c.form.Delimiter[0], byte('\n')
	if c.form.Return {
		eol = '\r'
	}
	var (
		read      int64 // bytes of this row
		cellStart int   // in buffer
		over      bool  // past a bound: nothing more is kept
		quoted    bool  // within quotes
		pending   bool  // a quote within quotes: closes, or is doubled
		wasQuoted bool  // the cell began with a quote
		fresh     = true
	)
	keep := func(b byte) {
		if over = over || len(c.buffer)-cellStart >= maxCell || len(c.buffer) >= maxRecord; !over {
			c.buffer = append(c.buffer, b)
		}
	}
	endCell := func() {
		c.ends = append(c.ends, len(c.buffer))
		cellStart, fresh, wasQuoted = len(c.buffer), true, false
	}
	for {
		if len(c.buffer)-cellStart > longCell && !pending {
			run := c.plainRun(quoted, delimiter, eol)
			read += int64(len(run))
			if room := min(maxCell-(len(c.buffer)-cellStart), maxRecord-len(c.buffer)); len(run) > room {
				c.buffer, over = append(c.buffer, run[:max(room, 0)]...), true
			} else {
				c.buffer = append(c.buffer, run...)
			}
		}
		b, err := c.text.ReadByte()
		if errors.Is(err, io.EOF) {
			if read == 0 {
				return nil, io.EOF
			}
			if quoted && !pending {
				return c.unclosed()
			}
			endCell()
			return c.bounded(over), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read row %d: %w", c.count+1, err)
		}
		c.offset++
		read++
		if quoted {
			switch {
			case pending && b == '"':
				pending = false
				keep('"')
				continue
			case pending && (b == delimiter || b == eol || b == '\r' || b == '\n'):
				quoted, pending = false, false // the cell is closed; what b means is decided below
			case pending:
				pending = false
				keep('"')
				keep(b)
				continue
			case b == '"':
				pending = true
				continue
			default:
				if b == eol {
					c.lines++
					if c.lines == 1 {
						c.firstLine = c.offset
					}
				}
				if keep(b); over && c.strict && c.lines > 0 {
					return c.unclosed()
				}
				continue
			}
		}
		switch {
		case b == delimiter:
			endCell()
		case b == eol:
			if n := len(c.buffer); eol == '\n' && n > cellStart && c.buffer[n-1] == '\r' && !over {
				c.buffer = c.buffer[:n-1]
			}
			endCell()
			return c.bounded(over), nil
		case b == '\r' && wasQuoted: // between a closing quote and the line end
		case b == '"' && fresh:
			quoted, wasQuoted, fresh = true, true, false
		default:
			fresh = false
			keep(b)
		}
	}
}

// longCell is the length, in bytes, from which on a cell is read in runs instead of byte by byte.
const longCell = 4 << 10

// plainRun takes the buffered bytes before the next one that means something: a quote or line end, or, outside of quotes, a delimiter.
// It is valid until the next read.
func (c *csvFile) plainRun(quoted bool, delimiter, eol byte) []byte {
	run, _ := c.text.Peek(c.text.Buffered())
	for _, mark := range [...]byte{eol, '"', delimiter} {
		if mark == delimiter && quoted {
			continue
		}
		if i := bytes.IndexByte(run, mark); i >= 0 {
			run = run[:i]
		}
	}
	_, _ = c.text.Discard(len(run)) // it is buffered
	c.offset += int64(len(run))
	return run
}

func (c *csvFile) bounded(over bool) *models.Error {
	if !over {
		return nil
	}
	return models.Errorf(models.TooLarge, "the row is too large: a cell holds at most %d KiB, a row %d MiB", maxCell>>10, maxRecord>>20).
		WithRemedy("Shorten the text, or look for a missing line end or an unwanted double quote.")
}

// unclosed answers a quote that nothing closes: its first line is refused, and reading goes on with the next one.
func (c *csvFile) unclosed() (*models.Error, error) {
	c.strict = true
	if c.lines > 0 {
		if err := c.open(c.firstLine); err != nil {
			return nil, err
		}
	}
	if i := bytes.IndexAny(c.buffer, "\r\n"); i >= 0 {
		c.buffer = c.buffer[:i]
	}
	return models.Errorf(models.Invalid, "a double quote is opened and never closed").
		WithRemedy("Close the quote, or double it (\"\") where it is part of the text."), nil
}
