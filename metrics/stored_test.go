package metrics

import (
	"encoding/json"
	"fmt"
	"testing"

	"canopy/metrics/kpi"
)

// BenchmarkStoredTree is what a reader of everything waits for, without HTTP: the first time that a week is told, and then.
func BenchmarkStoredTree(b *testing.B) {
	h := newHouse(b)
	h.serve(b)
	var deals []string
	for i := range 40 {
		deals = append(deals, fmt.Sprintf("%d, '2017-%02d-%02d 10:00:00', '%s', 'R%d', 7, %d", i+1, 3+i%4, 1+i%27, []string{"won", "lost"}[i%3/2], i%6, 100+i))
	}
	h.log(b, deals...)
	h.upToDate(b)
	for _, warm := range []bool{false, true} {
		b.Run(fmt.Sprintf("warm=%t", warm), func(b *testing.B) {
			for b.Loop() {
				if !warm {
					h.cache = newCache(256)
				}
				r, err := h.Tree(b.Context(), everybody, TreeQuery{Tree: "b2b_pipeline", Week: week(26), Compare: kpi.Previous})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := json.Marshal(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
