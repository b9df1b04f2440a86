package importer

import (
	"fmt"
	"strings"
	"time"

	"canopy/models"
)

// notation is how a mapping writes dates, and how Go does. Longer marks come first.
var notation = []struct{ mark, layout string }{
	{"YYYY", "2006"}, {"YY", "06"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"M", "1"}, {"DD", "02"}, {"D", "2"},
	{"HH", "15"}, {"hh", "03"}, {"h", "3"}, {"mm", "04"}, {"ss", "05"}, {"SSS", "000"}, {"AM", "PM"}, {"PM", "PM"}, {"ZZ", "Z07:00"},
}

// dateForm reads dates and instants in one notation. The zero form reads ISO dates and RFC 3339 instants.
type dateForm struct {
	text   string // as the mapping says it
	layout string // Go's
}

// parseDateForm turns a notation (DD/MM/YYYY HH:mm:ss) into a form. A notation without year, month and day is invalid.
func parseDateForm(text string) (dateForm, error) {
	if text == "" {
		return dateForm{}, nil
	}
	var b strings.Builder
	rest := text
	seen := ""
next:
	for rest != "" {
		for _, n := range notation {
			if strings.HasPrefix(rest, n.mark) {
				b.WriteString(n.layout)
				seen += n.mark[:1]
				rest = rest[len(n.mark):]
				continue next
			}
		}
		c := rest[0]
		if c >= '0' && c <= '9' {
			return dateForm{}, fmt.Errorf("%q is no date notation: write it with YYYY, MM, DD, HH, mm, ss", text)
		}
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z' {
			return dateForm{}, fmt.Errorf("%q is no date notation: %q means nothing; use YYYY, MM, DD, HH, mm, ss", text, string(c))
		}
		b.WriteByte(c)
		rest = rest[1:]
	}
	for _, part := range []string{"Y", "M", "D"} {
		if !strings.Contains(seen, part) {
			return dateForm{}, fmt.Errorf("%q is no date notation: year (YYYY), month (MM) and day (DD) belong to it", text)
		}
	}
	return dateForm{text: text, layout: b.String()}, nil
}

// parse reads text as a local time in zone; a date is its first moment.
func (f dateForm) parse(text string, zone *time.Location) (time.Time, error) {
	if f.layout == "" {
		return models.ParseInstant(text, zone)
	}
	if !strings.ContainsAny(f.text, "Hh") { // a calendar date: it starts where its zone says
		t, err := time.Parse(f.layout, text)
		if err != nil {
			return t, fmt.Errorf("%q is not a date written %s", text, f.text)
		}
		return models.NewDate(t.Date()).Time(zone), nil
	}
	t, err := time.ParseInLocation(f.layout, text, zone)
	if err != nil {
		return t, fmt.Errorf("%q is not a date written %s", text, f.text)
	}
	return t, nil
}

// remedy says how to write a date that parse refuses.
func (f dateForm) remedy(text string) string {
	form := f.text
	if form == "" {
		form = "YYYY-MM-DD"
	}
	for _, other := range commonDateForms {
		if o, err := parseDateForm(other); err == nil && other != form {
			if _, err := o.parse(text, time.UTC); err == nil {
				return fmt.Sprintf("Write it as %s, or, if the whole column is written %s, say so in the mapping (format: %s).", form, other, other)
			}
		}
	}
	return fmt.Sprintf("Write a day that exists, as %s, and import the corrected row.", form)
}

// commonDateForms are tried, in this order, when a column's form is proposed.
var commonDateForms = []string{
	"YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "YYYYMMDD", "D/M/YYYY", "M/D/YYYY", "D.M.YYYY",
	"DD MMM YYYY", "D MMM YYYY", "MMM D, YYYY", "DD/MM/YY", "MM/DD/YY",
	"YYYY-MM-DD HH:mm:ss", "YYYY-MM-DD HH:mm", "YYYY-MM-DDTHH:mm:ss", "DD/MM/YYYY HH:mm", "MM/DD/YYYY HH:mm", "DD.MM.YYYY HH:mm",
}
