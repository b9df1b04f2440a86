package store

import (
	"context"
	"fmt"
	"math"
	"strings"

	"canopy/models"
)

// Traces finds in the log what a cause has written, for undoing it.
type Traces struct{ db *DB }

// Traces gives the side of the log that undoing needs.
func (db *DB) Traces() *Traces { return &Traces{db} }

// Touched gives records that a cause has written, the most recently written first, looking at no more than limit of its changes below
// sequence number before (0: from the newest) and above floor. Each record comes with its whole history, without images. next is where to go on; 0 at the end.
func (s *Traces) Touched(ctx context.Context, cause string, floor, before int64, limit int) (records []models.TouchedRecord, next int64, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.query(ctx, `select seq, object, number from changes
    where cause = ? and kind <> 'restated' and seq > ? and seq < ? order by seq desc limit ?`, cause, floor, before, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("read changes of %s: %w", cause, err)
	}
	defer rows.Close()
	type key struct {
		object string
		number uint64
	}
	places := map[key]int{}
	wanted := map[string][]uint64{}
	seen := 0
	for rows.Next() {
		var k key
		if err := rows.Scan(&next, &k.object, &k.number); err != nil {
			return nil, 0, err
		}
		seen++
		if _, ok := places[k]; ok {
			continue
		}
		object := s.db.Registry().Object(k.object)
		if object == nil {
			return nil, 0, fmt.Errorf("read changes of %s: object %q is not in the registry", cause, k.object)
		}
		places[k] = len(records)
		wanted[k.object] = append(wanted[k.object], k.number)
		records = append(records, models.TouchedRecord{Object: object, Number: k.number})
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	if seen < limit {
		next = 0
	}
	for object, numbers := range wanted {
		err := s.eachChange(ctx, object, numbers, withoutImages, func(seq int64, c models.Change) {
			r := &records[places[key{object, c.Number}]]
			r.Changes = append(r.Changes, c)
			if c.Cause == cause && c.Kind != models.Restated {
				r.Sequence = seq
			}
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return records, next, nil
}

// withoutImages stands for the image column where nobody looks at images: reading them is most of the work.
const withoutImages = "'{}'"

// eachChange visits the changes of records in the order of the log.
func (s *Traces) eachChange(ctx context.Context, object string, numbers []uint64, image string, fn func(seq int64, c models.Change)) error {
	condition, arg := s.db.d.numbers("number", numbers)
	columns := strings.TrimSuffix(s.db.changeColumns(), "image") + image
	rows, err := s.db.query(ctx, "select seq, "+columns+" from changes where object = ? and "+condition+" order by seq", object, arg)
	if err != nil {
		return fmt.Errorf("read histories of %s: %w", object, err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		c, err := s.db.scanChange(rows, &seq)
		if err != nil {
			return err
		}
		fn(seq, c)
	}
	return rows.Err()
}

// Histories gives the whole histories of records; a record without changes is missing.
func (s *Traces) Histories(ctx context.Context, object string, numbers []uint64) ([]models.TouchedRecord, error) {
	var records []models.TouchedRecord
	places := map[uint64]int{}
	err := s.eachChange(ctx, object, numbers, "image", func(_ int64, c models.Change) {
		n, ok := places[c.Number]
		if !ok {
			n = len(records)
			places[c.Number] = n
			records = append(records, models.TouchedRecord{Object: c.Object, Number: c.Number})
		}
		records[n].Changes = append(records[n].Changes, c)
	})
	return records, err
}

// CountTouched counts the records that a cause has written, by its changes above sequence number floor.
func (s *Traces) CountTouched(ctx context.Context, cause string, floor int64) (n int64, err error) {
	err = s.db.queryRow(ctx, `select count(*) from (select distinct object, number from changes
    where cause = ? and kind <> 'restated' and seq > ?) as touched`, cause, floor).Scan(&n)
	return n, err
}

// maxReferrers bounds how many records Referrers gives for one field; the newest ones are enough to see that there are any.
const maxReferrers = 2000

// Referrers finds live records that refer to any of the given ones: number → who (object and number only).
func (s *Traces) Referrers(ctx context.Context, object string, numbers []uint64) (map[uint64][]*models.Record, error) {
	found := map[uint64][]*models.Record{}
	for _, o := range s.db.Registry().Objects() {
		for _, f := range o.Fields {
			if f.Kind != models.Reference || f.To != object {
				continue
			}
			if err := s.referrers(ctx, o, f, numbers, found); err != nil {
				return nil, fmt.Errorf("look for references to %s: %w", object, err)
			}
		}
	}
	return found, nil
}

func (s *Traces) referrers(ctx context.Context, o *models.Object, f *models.Field, numbers []uint64, found map[uint64][]*models.Record) error {
	condition, arg := s.db.d.numbers(quote(f.Name), numbers)
	rows, err := s.db.query(ctx, fmt.Sprintf(`select %s, "number" from %s where %s and deleted_at is null order by "number" desc limit ?`, quote(f.Name), quote(o.Name), condition), arg, maxReferrers)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var to uint64
		r := &models.Record{Object: o}
		if err := rows.Scan(&to, &r.Number); err != nil {
			return err
		}
		found[to] = append(found[to], r)
	}
	return rows.Err()
}
