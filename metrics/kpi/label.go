package kpi

import (
	"fmt"
	"strings"
	"time"

	"canopy/models"
)

// named puts a branch's label into a template.
func named(template, label string) string { return strings.ReplaceAll(template, "{value}", label) }

// weekNumber is the ISO 8601 number of the week that holds the fourth day: for weeks from Monday on it is the week's own.
func weekNumber(of models.Date) int {
	y, m, d := of.AddDays(3).Civil()
	_, number := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).ISOWeek()
	return number
}

// weekLabel writes a week from its first to its last day: "16–22 Nov 2026", "26 Jun–2 Jul 2017", "28 Dec 2015–3 Jan 2016".
func weekLabel(of models.Date) string {
	y0, m0, d0 := of.Civil()
	y1, m1, d1 := of.AddDays(6).Civil()
	switch {
	case y0 != y1:
		return dayLabel(of) + "–" + dayLabel(of.AddDays(6))
	case m0 != m1:
		return fmt.Sprintf("%d %s–%d %s %d", d0, m0.String()[:3], d1, m1.String()[:3], y1)
	}
	return fmt.Sprintf("%d–%d %s %d", d0, d1, m1.String()[:3], y1)
}

// dayLabel writes a day: "26 Jun 2017".
func dayLabel(d models.Date) string {
	y, m, day := d.Civil()
	return fmt.Sprintf("%d %s %d", day, m.String()[:3], y)
}
