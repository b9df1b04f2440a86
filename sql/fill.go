package sql

import (
	"fmt"
	"strings"
)

// Fill sets text into the marked places of a file. A place is written
//
//	/*{scope*/ true /*}*/
//
// so that the file runs in a console as it stands; what stands between the marks is replaced. Each of places must be there, at
// least once, and no other place may be left. The texts come from models/predicate or the registry, never from a caller's words.
func Fill(text string, places map[string]string) (string, error) {
	for name, with := range places {
		open := "/*{" + name + "*/"
		if !strings.Contains(text, open) {
			return "", fmt.Errorf("the file has no place %s", name)
		}
		for {
			head, rest, found := strings.Cut(text, open)
			if !found {
				break
			}
			_, tail, closed := strings.Cut(rest, "/*}*/")
			if !closed {
				return "", fmt.Errorf("the place %s is not closed", name)
			}
			text = head + with + tail
		}
	}
	if i := strings.Index(text, "/*{"); i >= 0 {
		name, _, _ := strings.Cut(text[i+3:], "*/")
		return "", fmt.Errorf("nothing is given for the place %s", name)
	}
	return text, nil
}
