package sql

import (
	"io/fs"
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	t.Parallel()
	const file = "select 1 where /*{scope*/ true /*}*/ and /*{filter*/ true /*}*/ or /*{scope*/ true /*}*/"
	for _, c := range []struct {
		name   string
		places map[string]string
		want   string
		err    string
	}{
		{"all places", map[string]string{"scope": "a = 1", "filter": "b"}, "select 1 where a = 1 and b or a = 1", ""},
		{"one is left", map[string]string{"scope": "a"}, "", "nothing is given for the place filter"},
		{"one is not there", map[string]string{"scope": "a", "filter": "b", "steps": "c"}, "", "no place steps"},
	} {
		got, err := Fill(file, c.places)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
	if _, err := Fill("/*{scope*/ true", map[string]string{"scope": "a"}); err == nil {
		t.Error("an open place passed")
	}
}

// Every file of a room starts with its question and is written with the marks that Fill knows.
func TestFilesOfRoomsHaveHeaders(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(Metrics(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".sql") {
			return err
		}
		text, err := fs.ReadFile(Metrics(), path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(text), "-- Question: ") || !strings.Contains(string(text), "-- One row") {
			t.Errorf("%s: the header names no question, or not what a row is", path)
		}
		if !strings.Contains(string(text), "order by") && !strings.Contains(string(text), "-- One row in all") {
			t.Errorf("%s: no total order", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
