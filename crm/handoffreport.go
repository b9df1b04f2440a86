package crm

import (
	"context"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// BreachReport says how one week's handoffs kept their clocks: those that were due in the week and, where it is running, are due by now.
type BreachReport struct {
	Week  models.Window
	AsOf  time.Time
	Kinds []BreachCount
	Rows  []*models.Record // the late ones, longest overdue first, at most breachRows
	// Capped says that the week has more handoffs than were read.
	Capped bool
}

// BreachCount counts one kind's handoffs. Due = InTime + Late + Waiting: late ones were taken after their time, waiting ones are not yet.
type BreachCount struct {
	Kind                       string
	Due, InTime, Late, Waiting int
}

const (
	breachRead = 20_000
	breachRows = 500
)

// takenAt is when a handoff's clock stopped: decided for sales, the kickoff for success; a rejection stops both. nil while it runs.
func takenAt(r *models.Record) models.Value {
	if r.Get("kind_of") == salesToSuccess && r.Get("state") != "rejected" {
		return r.Get("done_at")
	}
	return r.Get("decided_at")
}

// IsLate tells whether a handoff was taken after its time, or still waits after it as of an instant.
func IsLate(r *models.Record, asOf time.Time) bool {
	due, ok := r.Get("due_at").(time.Time)
	if !ok || r.Get("state") == "expired" {
		return false
	}
	if taken, ok := takenAt(r).(time.Time); ok {
		return taken.After(due)
	}
	return !asOf.Before(due)
}

// Breaches reports the week that starts on first, of the handoffs that the reader may see.
func (e *Engine) Breaches(ctx context.Context, reader models.Reader, first models.Date) (BreachReport, error) {
	now := e.options.Now().UTC()
	week, err := e.options.Calendar.Week(first)
	if err != nil {
		return BreachReport{}, err
	}
	report := BreachReport{Week: week, AsOf: now}
	until := week.To
	if now.Before(until) {
		until = now.Add(time.Millisecond)
	}
	o := e.Registry().Object(handoffObject)
	where := predicate.And(
		predicate.Compare(o.Field("due_at"), predicate.Gte, week.From), predicate.Compare(o.Field("due_at"), predicate.Lt, until),
		predicate.Compare(o.Field("state"), predicate.Ne, "expired"),
	)
	counts := map[models.Value]*BreachCount{}
	for _, kind := range []string{marketingToSales, salesToSuccess} {
		report.Kinds = append(report.Kinds, BreachCount{Kind: kind})
	}
	for i := range report.Kinds {
		counts[report.Kinds[i].Kind] = &report.Kinds[i]
	}
	read := 0
	for cursor := ""; ; {
		page, err := e.List(ctx, reader, Query{Object: handoffObject, Where: where, Sort: "due_at", Limit: MaxPage, Cursor: cursor})
		if err != nil {
			return report, err
		}
		for _, r := range page.Records {
			count(counts[r.Get("kind_of")], r, now)
			if IsLate(r, now) && len(report.Rows) < breachRows {
				report.Rows = append(report.Rows, r)
			}
		}
		read += len(page.Records)
		if cursor = page.NextCursor; cursor == "" {
			return report, nil
		}
		if read >= breachRead {
			report.Capped = true
			return report, nil
		}
	}
}

func count(c *BreachCount, r *models.Record, now time.Time) {
	c.Due++
	switch {
	case !IsLate(r, now):
		c.InTime++
	case takenAt(r) == nil:
		c.Waiting++
	default:
		c.Late++
	}
}

// RejectionCount counts why a campaign's leads were not taken. Campaign is 0 for leads of none.
type RejectionCount struct {
	Campaign uint64
	Reason   string
	Count    int
}

// Rejections counts the rejected handoffs of a window by campaign and reason: what sales feeds back. campaign 0 asks for all.
func (e *Engine) Rejections(ctx context.Context, reader models.Reader, window models.Window, campaign uint64) ([]RejectionCount, error) {
	o := e.Registry().Object(handoffObject)
	parts := []*predicate.Node{
		predicate.Compare(o.Field("state"), predicate.Eq, "rejected"),
		predicate.Compare(o.Field("decided_at"), predicate.Gte, window.From), predicate.Compare(o.Field("decided_at"), predicate.Lt, window.To),
	}
	if campaign != 0 {
		parts = append(parts, predicate.Compare(o.Field("campaign"), predicate.Eq, campaign))
	}
	type key struct {
		campaign uint64
		reason   string
	}
	places := map[key]int{}
	list := []RejectionCount{}
	for cursor := ""; ; {
		page, err := e.List(ctx, reader, Query{Object: handoffObject, Where: predicate.And(parts...), Sort: "decided_at", Limit: MaxPage, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			k := key{number(r, "campaign"), text(r, "reason")}
			if _, known := places[k]; !known {
				places[k] = len(list)
				list = append(list, RejectionCount{Campaign: k.campaign, Reason: k.reason})
			}
			list[places[k]].Count++
		}
		if cursor = page.NextCursor; cursor == "" {
			return list, nil
		}
	}
}
