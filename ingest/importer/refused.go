package importer

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"canopy/models"
)

// refusedColumns come before a file's own columns in the list of refused rows; a corrected list can be imported with the same mapping.
var refusedColumns = []string{"refused_row", "refused_field", "refused_reason", "refused_remedy"}

// Refused writes the rows that an import did not write, and the records that its undo kept, as a CSV file. Cells that a spreadsheet would take
// for formulas are disarmed with a leading apostrophe.
func (s *Service) Refused(ctx context.Context, reader models.Reader, id int64, w io.Writer) error {
	i, err := s.Get(ctx, reader, id)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	header := append([]string{}, refusedColumns...)
	for _, name := range s.columnsOf(&i) {
		header = append(header, disarm(name))
	}
	if err := out.Write(header); err != nil {
		return err
	}
	err = s.c.Jobs.Refusals(ctx, id, func(r models.ImportRefusal) error {
		place := r.Kept
		if r.Row > 0 {
			place = strconv.FormatInt(r.Row, 10)
		}
		record := []string{place, disarm(r.Field), disarm(r.Reason), disarm(r.Remedy)}
		for _, cell := range r.Cells {
			record = append(record, disarm(cell))
		}
		return out.Write(record)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// columnsOf gives the names of an import's columns as they were at its start.
func (s *Service) columnsOf(i *models.Import) []string {
	var f form
	if err := json.Unmarshal([]byte(i.Format), &f); err != nil {
		return nil
	}
	return f.Header
}

// disarm keeps a spreadsheet from running a cell as a formula. Plain numbers stay as they are.
func disarm(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && !strings.ContainsAny(cell, "xXpPiInN_") {
		return cell
	}
	return "'" + cell
}
