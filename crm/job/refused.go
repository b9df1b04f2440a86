package job

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"

	"canopy/models"
)

// writeRefusals writes what a job did not write as CSV, for a person's spreadsheet.
func writeRefusals(ctx context.Context, store Records, number int64, w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"record", "what", "field", "reason", "remedy"}); err != nil {
		return fmt.Errorf("write refused records: %w", err)
	}
	err := store.Refusals(ctx, number, func(r models.JobRefusal) error {
		what := "refused"
		if r.Kept {
			what = "kept by the undo"
		}
		return out.Write([]string{r.Record, what, models.DisarmCell(r.Field), models.DisarmCell(r.Reason), models.DisarmCell(r.Remedy)})
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}
