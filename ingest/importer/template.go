package importer

import (
	"fmt"
	"strings"
)

// template is text with columns in it: "{product}[ for {account}]".
type template []segment

type segment struct {
	text     string
	column   int // -1: plain text
	optional int // 0: always there; else the number of its bracket
}

// parseTemplate reads a template; column finds a column's place by name.
func parseTemplate(text string, column func(name string) (int, error)) (template, error) {
	var t template
	bracket, open := 0, false
	optional := func() int {
		if open {
			return bracket
		}
		return 0
	}
	for rest := text; rest != ""; {
		i := strings.IndexAny(rest, "{}[]")
		if i < 0 {
			t = append(t, segment{rest, -1, optional()})
			break
		}
		if i > 0 {
			t = append(t, segment{rest[:i], -1, optional()})
		}
		switch rest[i] {
		case '[':
			if open {
				return nil, fmt.Errorf("%q opens a bracket within a bracket", text)
			}
			bracket++
			open = true
		case ']':
			if !open {
				return nil, fmt.Errorf("%q closes a bracket that is not open", text)
			}
			open = false
		case '}':
			return nil, fmt.Errorf("%q closes a brace that is not open", text)
		case '{':
			end := strings.IndexByte(rest[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("%q opens a brace that is not closed", text)
			}
			c, err := column(rest[i+1 : i+end])
			if err != nil {
				return nil, err
			}
			t = append(t, segment{"", c, optional()})
			i += end
		}
		rest = rest[i+1:]
	}
	if open {
		return nil, fmt.Errorf("%q opens a bracket that is not closed", text)
	}
	return t, nil
}

// expand fills the template from a row's cells. A bracket with an empty column is left out.
func (t template) expand(cells []string) string {
	var b strings.Builder
	for i := 0; i < len(t); {
		j := i
		complete := true
		for ; j < len(t) && t[j].optional == t[i].optional; j++ {
			if t[i].optional != 0 && t[j].column >= 0 && cells[t[j].column] == "" {
				complete = false
			}
		}
		for ; i < j; i++ {
			switch {
			case !complete:
			case t[i].column < 0:
				b.WriteString(t[i].text)
			default:
				b.WriteString(cells[t[i].column])
			}
		}
	}
	return strings.TrimSpace(b.String())
}
