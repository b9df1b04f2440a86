package kpi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"canopy/models"
	canopysql "canopy/sql"
)

// Room is the room's job: which weeks it computes, and how. It keeps no state.
type Room struct {
	Loader *Loader
	Trees  []*Tree
}

// NewRoom reads the trees that ship with Canopy and checks that each of their splits has its files.
func NewRoom(loader *Loader) (*Room, error) {
	trees, err := Trees(loader.Registry)
	if err != nil {
		return nil, err
	}
	for _, tree := range trees {
		for _, split := range tree.Splits {
			for _, policy := range []string{"present_", "as_of_"} {
				if _, err := file(policy + split.Name); err != nil {
					return nil, treeError(tree.Name, "", "the split %s has no file sql/metrics/kpi/%s%s.sql", split.Name, policy, split.Name).
						WithRemedy("Write the file, or take the split out.")
				}
			}
		}
	}
	return &Room{Loader: loader, Trees: trees}, nil
}

// Name of the room.
func (*Room) Name() string { return "kpi" }

// Schedule is hourly, on the workspace's clock: a new week begins, and what a lost signal left behind is caught up.
func (*Room) Schedule() string { return "3 * * * *" }

// Definition is the text of definition.md.
func (*Room) Definition() string { return definition }

// Version is a hash of all that stored rows depend on beside the data: definition, SQL, trees, the clock of the weeks and the currency.
func (r *Room) Version(reporting models.Reporting) (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%s\n%s\n%s\n", definition, reporting.Calendar.Zone, reporting.Calendar.WeekStart, reporting.Currency)
	for _, source := range []struct {
		tree fs.FS
		glob string
	}{{canopysql.Metrics(), "kpi/*.sql"}, {treeFiles, "trees/*.yaml"}} {
		paths, err := fs.Glob(source.tree, source.glob)
		if err != nil {
			return "", err
		}
		slices.Sort(paths)
		for _, path := range paths {
			text, err := fs.ReadFile(source.tree, path)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(hash, "%s\n%s\n", path, text)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// Touched lists the weeks whose stored rows may have changed behind one position up to another, ascending; from 0 on it is all weeks
// with a decided deal.
func (r *Room) Touched(ctx context.Context, reporting models.Reporting, after, through uint64) ([]models.Date, error) {
	return r.Loader.TouchedWeeks(ctx, after, through, reporting.Calendar)
}

// Run computes the rows of the task's weeks for each tree and split and hands them over week by week: all subjects of a week follow one
// another. A week without decided deals gives empty bodies. It gives the number of rows that SQL brought.
func (r *Room) Run(ctx context.Context, task models.RunTask, emit func(models.RunResult) error) (rowsRead uint64, err error) {
	weeks := sortedUnique(slices.Clone(task.Weeks))
	for len(weeks) > 0 {
		n := gapless(weeks)
		read, err := r.run(ctx, task, weeks[:n], emit)
		rowsRead += read
		if err != nil {
			return rowsRead, err
		}
		weeks = weeks[n:]
	}
	return rowsRead, nil
}

// chunkWeeks bounds how many weeks are read at once, so that progress shows and a cancel is heard.
const chunkWeeks = 26

// gapless counts the weeks from the first on that follow one another, up to a chunk.
func gapless(weeks []models.Date) int {
	n := 1
	for n < len(weeks) && n < chunkWeeks && weeks[n] == weeks[n-1].AddDays(7) {
		n++
	}
	return n
}

func (r *Room) run(ctx context.Context, task models.RunTask, weeks []models.Date, emit func(models.RunResult) error) (rowsRead uint64, err error) {
	type subject struct {
		name string
		rows map[models.Date][]Row
	}
	var subjects []subject
	for _, tree := range r.Trees {
		for _, split := range tree.Splits {
			rows, err := r.Loader.Rows(ctx, Question{Tree: tree, Split: split, Weeks: weeks, Reporting: task.Reporting, Cutoff: task.Cutoff})
			if err != nil {
				return rowsRead, err
			}
			rowsRead += uint64(len(rows))
			byWeek := map[models.Date][]Row{}
			for _, row := range rows {
				byWeek[row.Week] = append(byWeek[row.Week], row)
			}
			subjects = append(subjects, subject{Subject(tree, split), byWeek})
		}
	}
	for _, week := range weeks {
		for _, s := range subjects {
			body := EncodeRows(s.rows[week])
			sum := sha256.Sum256(body)
			err := emit(models.RunResult{Room: r.Name(), Subject: s.name, Week: week, Position: task.Cutoff.Position,
				Hash: hex.EncodeToString(sum[:]), Empty: len(s.rows[week]) == 0, Body: body})
			if err != nil {
				return rowsRead, err
			}
		}
	}
	return rowsRead, nil
}

// Subject names what is stored of a tree and a split.
func Subject(tree *Tree, split *Split) string { return tree.Name + "/" + split.Name }

// storedRow is a row as it is stored: money as exact decimals.
type storedRow struct {
	Branch           string `json:"branch"`
	Currency         string `json:"currency"`
	Decided          int64  `json:"decided"`
	Won              int64  `json:"won"`
	WonValue         string `json:"won_value"`
	WonListValue     string `json:"won_list_value"`
	WonWithoutAmount int64  `json:"won_without_amount,omitempty"`
}

// EncodeRows writes one week's rows, without their week, in the order given. Equal rows give equal bytes.
func EncodeRows(rows []Row) []byte {
	stored := make([]storedRow, len(rows))
	for i, r := range rows {
		stored[i] = storedRow{r.Branch, r.Currency, r.DecidedCount, r.WonCount, models.FormatScaled(r.WonValue, 4), models.FormatScaled(r.WonListValue, 4), r.WonWithoutAmountCount}
	}
	body, err := json.Marshal(stored)
	if err != nil {
		panic("kpi: rows are not JSON: " + err.Error()) // strings and integers always are
	}
	return body
}

// DecodeRows reads what EncodeRows wrote.
func DecodeRows(week models.Date, body []byte) ([]Row, error) {
	var stored []storedRow
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&stored); err != nil {
		return nil, fmt.Errorf("read stored rows of %s: %w", week, err)
	}
	rows := make([]Row, len(stored))
	for i, s := range stored {
		rows[i] = Row{Week: week, Branch: s.Branch, Currency: s.Currency, DecidedCount: s.Decided, WonCount: s.Won, WonWithoutAmountCount: s.WonWithoutAmount}
		for _, money := range []struct {
			text string
			into *int64
		}{{s.WonValue, &rows[i].WonValue}, {s.WonListValue, &rows[i].WonListValue}} {
			v, err := unscaled(money.text)
			if err != nil {
				return nil, fmt.Errorf("read stored rows of %s: %w", week, err)
			}
			*money.into = v
		}
	}
	return rows, nil
}

// unscaled reads "12.5000" as ten-thousandths; unlike models.ParseScaled it takes sums of more than 18 digits.
func unscaled(text string) (int64, error) {
	n := len(text) - 5
	if n < 1 || text[n] != '.' {
		return 0, fmt.Errorf("%q has not four decimals", text)
	}
	return strconv.ParseInt(text[:n]+text[n+1:], 10, 64)
}
