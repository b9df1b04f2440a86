package predicate_test

import (
	"testing"

	"canopy/models"
	"canopy/models/predicate"

	"pgregory.net/rapid"
)

// A filter that is cut to the visible says of each row what the filter says where hidden records are not there at all.
func TestVisibleTakesHiddenRecordsForNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	rapid.Check(t, func(t *rapid.T) {
		q := w.questions().Draw(t, "question")
		node, err := predicate.Parse([]byte(q.text))
		if err != nil {
			t.Fatal(err)
		}
		bound, err := node.Bind(w.registry, w.thing, q.calendar)
		if err != nil {
			t.Fatal(err)
		}
		cut := predicate.Visible(w.registry, bound, q.reader)
		shown := func(object string, number uint64) ([]models.Value, bool) {
			values, ok := w.find(object, number)
			if !ok {
				return nil, false
			}
			r := w.things[(number-1)%uint64(len(w.things))]
			if object == "holder" {
				r = w.holders[number-1]
			}
			return values, w.sees(q.reader, r, nil)
		}
		for _, r := range w.things[:80] {
			if got, want := cut.Match(r.Values, predicate.MetaOf(r), w.find), bound.Match(r.Values, predicate.MetaOf(r), shown); got != want {
				t.Fatalf("%s, %s scope: cut says %t, without the hidden it is %t", q.text, q.reader.Scope, got, want)
			}
		}
	})
}
