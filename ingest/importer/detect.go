package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// detectRows is how many rows the delimiter is decided by.
const detectRows = 200

// detect tells how a stored file is written.
func detect(path string, census *byteCensus) (form, error) {
	if bytes.HasPrefix(census.head, []byte("PAR1")) {
		return form{Format: "parquet"}, nil
	}
	if bytes.HasPrefix(census.head, []byte("ARROW1\x00\x00")) {
		return form{Format: "arrow"}, nil
	}
	if bytes.HasPrefix(census.head, []byte("PK\x03\x04")) {
		return form{Format: "xlsx"}, nil
	}
	f := form{Format: "csv", Encoding: census.encoding(), Delimiter: ","}
	var err error
	if f.Return, err = returnsOnly(path, f.Encoding); err != nil {
		return f, err
	}
	best := 0.0
	for _, candidate := range []string{",", ";", "\t", "|"} { // ties go to the first
		tried := f
		tried.Delimiter = candidate
		score, err := delimiterScore(path, tried)
		if err != nil {
			return f, err
		}
		if score > best {
			best, f.Delimiter = score, candidate
		}
	}
	return f, nil
}

// returnsOnly tells whether lines end with a lone carriage return, as old Macintosh programs write them.
func returnsOnly(path string, e encoding) (bool, error) {
	file, err := openFile(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	var sample io.Reader = file
	if decoded := e.reader(file); decoded != nil {
		sample = decoded
	}
	head, err := io.ReadAll(io.LimitReader(sample, 1<<18))
	if err != nil {
		return false, fmt.Errorf("look at the file's first rows: %w", err)
	}
	return bytes.IndexByte(head, '\r') >= 0 && bytes.IndexByte(head, '\n') < 0, nil
}

// delimiterScore weighs the share of sampled rows that have as many cells as the first one by how many these are; 0 for a single cell.
func delimiterScore(path string, f form) (float64, error) {
	c := &csvFile{path: path, form: f}
	if err := c.open(0); err != nil {
		return 0, err
	}
	cells, same, rows := 0, 0, 0
	for rows < detectRows {
		problem, err := c.record()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, errors.Join(err, c.close())
		}
		if problem != nil || len(c.ends) == 1 && len(bytes.TrimSpace(c.buffer)) == 0 {
			continue
		}
		if rows++; rows == 1 {
			cells = len(c.ends)
		}
		if len(c.ends) == cells {
			same++
		}
	}
	if err := c.close(); err != nil || cells < 2 {
		return 0, err
	}
	share := float64(same) / float64(rows)
	return share*share*share + float64(cells)/1000, nil
}
