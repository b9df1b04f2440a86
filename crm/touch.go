package crm

import (
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

const touchObject = "touch"

// pairFields are what the first and the last touch leave on a lead or contact, by the touch's own fields.
var pairFields = map[string]string{"touch_at": "at", "channel": "channel", "source": "source", "medium": "medium", "campaign": "campaign_name"}

// completeTouch names a touch's standard channel and finds the campaign that its link names.
func completeTouch(b *batch, w *writing) error {
	get := func(name string) string { s, _ := w.after(name).(string); return s }
	aliases, err := b.channelAliases()
	if err != nil {
		return err
	}
	w.set("channel", ChannelOf(get("source"), get("medium"), get("referrer"), aliases))
	if name := get("campaign_name"); name != "" && w.after("campaign") == nil && w.changes("campaign_name") {
		found, err := b.store.FindByText(b.ctx, "campaign", b.field("campaign", "name"), []string{name})
		if err != nil {
			return err
		}
		if list := found[name]; len(list) == 1 {
			w.set("campaign", list[0])
		}
	}
	parts := make([]string, 0, 3)
	for _, name := range []string{"source", "medium", "campaign_name"} {
		if s := get(name); s != "" {
			parts = append(parts, s)
		}
	}
	summary := strings.Join(parts, " / ")
	if summary == "" {
		if summary = hostOf(get("referrer")); summary == "" {
			summary = "direct"
		}
	}
	w.set("summary", cut(summary))
	return nil
}

// channelAliases are the workspace's own spellings, by folded text.
func (b *batch) channelAliases() (map[string]string, error) {
	return remembered(b, "channels", func() (map[string]string, error) {
		records, err := b.query("channel_alias", nil, "", maxAliases)
		if err != nil {
			return nil, err
		}
		aliases := make(map[string]string, len(records))
		for _, r := range records {
			source, medium, pair := strings.Cut(text(r, "spelling"), "/")
			key := FoldChannel(source)
			if pair {
				key += "/" + FoldChannel(medium)
			}
			aliases[key] = text(r, "channel")
		}
		return aliases, nil
	})
}

// maxAliases bounds the workspace's own spellings.
const maxAliases = 5000

// afterTouch brings the first and last touch pairs of the touch's lead and contact up to date. A touch that is new to a person is held
// against the pairs that are there; anything else asks all touches again.
func afterTouch(b *batch, r *models.Record, changed []models.FieldChange) error {
	if isUndo(b.cause) {
		return nil
	}
	matters := r.Deleted || len(changed) == 0 && r.Version > 1 || r.Version == 1 // a restored touch changes no field
	for _, c := range changed {
		matters = matters || pairReads[c.Field.Name]
	}
	for _, link := range []string{leadObject, "contact"} {
		var left uint64
		joined := r.Version == 1
		for _, c := range changed {
			if c.Field.Name == link {
				left, _ = c.Before.(uint64)
				joined = !r.Deleted && (r.Version == 1 || !matters)
			}
		}
		if left != 0 {
			if err := b.pairTouches(link, left, r.HappenedAt); err != nil {
				return err
			}
		}
		var err error
		switch {
		case joined:
			err = b.joinTouch(link, r)
		case matters:
			err = b.pairTouches(link, number(r, link), r.HappenedAt)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pairReads are the fields of a touch that pairs are made of.
var pairReads = map[string]bool{"at": true, "channel": true, "source": true, "medium": true, "campaign_name": true}

// joinTouch holds a touch that is new to a person against the pairs that stand. Ties go to the one told first.
func (b *batch) joinTouch(link string, touch *models.Record) error {
	n := number(touch, link)
	at, ok := touch.Get("at").(time.Time)
	if n == 0 || !ok {
		return nil
	}
	person, err := b.record(link, n)
	if err != nil || person == nil || person.Deleted {
		return err
	}
	values := map[string]models.Value{}
	first, ok := person.Get("first_touch_at").(time.Time)
	if !ok || at.Before(first) {
		for name, from := range pairFields {
			values["first_"+name] = touch.Get(from)
		}
	}
	last, ok := person.Get("last_touch_at").(time.Time)
	if !ok || at.After(last) {
		for name, from := range pairFields {
			values["last_"+name] = touch.Get(from)
		}
	}
	return b.writePairs(person, touch.HappenedAt, values)
}

// pairTouches writes a person's first and last touch from all touches that are kept. Ties go to the one told first.
func (b *batch) pairTouches(object string, n uint64, at time.Time) error {
	if n == 0 {
		return nil
	}
	person, err := b.record(object, n)
	if err != nil || person == nil || person.Deleted {
		return err
	}
	where := predicate.Compare(b.field(touchObject, object), predicate.Eq, n)
	values := map[string]models.Value{}
	for prefix, order := range map[string]string{"first_": "at", "last_": "-at"} {
		found, err := b.query(touchObject, where, order, 1)
		if err != nil {
			return err
		}
		for name, from := range pairFields {
			values[prefix+name] = nil
			if len(found) > 0 {
				values[prefix+name] = found[0].Get(from)
			}
		}
	}
	return b.writePairs(person, at, values)
}

func (b *batch) writePairs(person *models.Record, at time.Time, values map[string]models.Value) error {
	for name, v := range values {
		if models.ValuesEqual(person.Get(name), v) {
			delete(values, name)
		}
	}
	if len(values) == 0 {
		return nil
	}
	return b.amendBy("touches", person, at, values)
}
