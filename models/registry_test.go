package models

import "testing"

func TestStandardObjectsLoad(t *testing.T) {
	t.Parallel()
	r, err := Standard()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"account", "contact", "lead", "deal", "deal_line", "product", "activity", "task", "campaign", "user", "team", "target", "annotation", "setting", "pipeline", "stage"} {
		if r.Object(name) == nil {
			t.Errorf("no object %s", name)
		}
	}
}
