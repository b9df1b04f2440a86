package predicate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"canopy/models"
)

// What a predicate may be at most: bytes of text, levels, nodes, and (checked by Bind) references one behind the other and values of all its
// lists together. SQLite ends at about 15 references, and ClickHouse takes seconds to plan 8.
const (
	maxBytes  = 1 << 20
	maxDepth  = 32
	maxNodes  = 1000
	maxHops   = 4
	maxValues = 5000
)

const nodeRemedy = `A node is {"and":[…]}, {"or":[…]}, {"not":{…}} or {"field":…,"op":…,"value":…}; related has where in place of value.`

// Parse reads a predicate strictly. Blank text is nil: always true. Unknown, doubled or contradictory members, more than 32 levels
// and more than 1,000 nodes are invalid; the message names the place, as in /and/2/not.
func Parse(text []byte) (*Node, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if len(text) > maxBytes {
		return nil, models.Errorf(models.Invalid, "a predicate has at most %d bytes, this one has %d", maxBytes, len(text))
	}
	p := &parser{decoder: json.NewDecoder(bytes.NewReader(text))}
	node, err := p.node()
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, p.invalid("more text after the predicate's end")
	}
	return node, nil
}

// UnmarshalJSON reads what Parse reads, so that a predicate can stand inside another JSON document.
func (n *Node) UnmarshalJSON(text []byte) error {
	parsed, err := Parse(text)
	if err != nil {
		return err
	}
	if parsed == nil {
		return models.Errorf(models.Invalid, "predicate is blank").WithRemedy(nodeRemedy)
	}
	*n = *parsed
	return nil
}

type parser struct {
	decoder *json.Decoder
	path    []string
	depth   int
	nodes   int
}

func (p *parser) invalid(format string, args ...any) *models.Error {
	place := "/" + strings.Join(p.path, "/")
	return models.Errorf(models.Invalid, "predicate at "+strings.ReplaceAll(place, "%", "%%")+": "+format, args...).WithRemedy(nodeRemedy)
}

func (p *parser) token() (json.Token, error) {
	token, err := p.decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, p.invalid("not JSON: %v", err)
	}
	return token, nil
}

func (p *parser) node() (*Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.invalid("more than %d levels", maxDepth)
	}
	if p.nodes++; p.nodes > maxNodes {
		return nil, p.invalid("more than %d nodes", maxNodes)
	}
	defer func() { p.depth-- }()
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	if token != json.Delim('{') {
		return nil, p.invalid("wanted a node in braces")
	}
	n, seen := &Node{}, map[string]bool{}
	for p.decoder.More() {
		if token, err = p.token(); err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if seen[name] {
			return nil, p.invalid("%q stands here twice", name)
		}
		seen[name] = true
		if err := p.member(n, name); err != nil {
			return nil, err
		}
	}
	if _, err = p.token(); err != nil { // the closing brace, or what stands in its place
		return nil, err
	}
	return n, p.whole(n, seen)
}

// member reads the value of one member of n.
func (p *parser) member(n *Node, name string) (err error) {
	p.path = append(p.path, name)
	defer func() {
		if err == nil { // an error keeps its place
			p.path = p.path[:len(p.path)-1]
		}
	}()
	switch name {
	case "and":
		n.And, err = p.list()
	case "or":
		n.Or, err = p.list()
	case "not":
		n.Not, err = p.node()
	case "where":
		n.Where, err = p.node()
	case "field":
		n.Field, err = p.text()
	case "op":
		var op string
		op, err = p.text()
		n.Op = Op(op)
	case "value":
		if e := p.decoder.Decode(&n.Value); e != nil {
			return p.invalid("not JSON: %v", e)
		}
	default:
		p.path = p.path[:len(p.path)-1]
		return p.invalid("unknown member %q", name)
	}
	return err
}

func (p *parser) list() ([]*Node, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	if token != json.Delim('[') {
		return nil, p.invalid("wanted a list of nodes")
	}
	nodes := []*Node{}
	for p.decoder.More() {
		p.path = append(p.path, strconv.Itoa(len(nodes)))
		n, err := p.node()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		nodes = append(nodes, n)
	}
	_, err = p.token()
	return nodes, err
}

func (p *parser) text() (string, error) {
	token, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok || s == "" {
		return "", p.invalid("wanted text in quotes")
	}
	return s, nil
}

// whole checks that the members make one of the five kinds of node.
func (p *parser) whole(n *Node, seen map[string]bool) error {
	for _, name := range []string{"and", "or", "not"} {
		if seen[name] {
			if len(seen) > 1 {
				return p.invalid("%q stands alone in its node", name)
			}
			return nil
		}
	}
	switch {
	case !seen["field"] || !seen["op"]:
		return p.invalid("a node without and, or, not has a field and an op")
	case !known(n.Op):
		return p.invalid("unknown op %q", n.Op)
	case n.Op.takesNothing() && seen["value"]:
		return p.invalid("%s takes no value", n.Op)
	case !n.Op.takesNothing() && !seen["value"]:
		return p.invalid("%s needs a value", n.Op)
	case n.Op != Related && seen["where"]:
		return p.invalid("where belongs to related")
	}
	return nil
}
