package store_test

import (
	"slices"
	"testing"

	"canopy/crm/store"
)

func TestABoundLimitIsWrittenIntoTheTextWhereItIsTheLastValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query  string
		args   []any
		wanted string
		left   []any
	}{
		{"select a from t where b = ? limit ?", []any{"x", 5}, "select a from t where b = ? limit 5", []any{"x"}},
		{"select count(*) from (select 1 from t limit ?) as counted", []any{11}, "select count(*) from (select 1 from t limit 11) as counted", []any{}},
		{"select a from (select a from t limit ?) where a = ?", []any{5, "x"}, "select a from (select a from t limit ?) where a = ?", []any{5, "x"}},
		{"select a from t where b = 'limit ?' and c = ?", []any{"x"}, "select a from t where b = 'limit ?' and c = ?", []any{"x"}},
		{"select a from t", nil, "select a from t", nil},
	} {
		query, args := store.LimitInText(c.query, c.args)
		if query != c.wanted || !slices.Equal(args, c.left) {
			t.Errorf("%q %v became %q %v", c.query, c.args, query, args)
		}
	}
}
