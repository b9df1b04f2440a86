package predicate

import (
	"bytes"
	"encoding/json"
	"fmt"

	"canopy/models"
)

// Node is a predicate as it is written. It is one of five things: And, Or (nil where the node is none; empty: always, never), Not, or a leaf of
// Field and Op with Value (JSON form of the field's kind; a list for in, not_in and has_any; absent for is_empty, not_empty and related)
// and, for related, Where (nil: any record). A nil *Node is always true.
type Node struct {
	And, Or []*Node
	Not     *Node
	Field   string
	Op      Op
	Value   json.RawMessage
	Where   *Node
}

// And holds where all of nodes do.
func And(nodes ...*Node) *Node { return &Node{And: append([]*Node{}, nodes...)} }

// Or holds where at least one of nodes does.
func Or(nodes ...*Node) *Node { return &Node{Or: append([]*Node{}, nodes...)} }

// Negate holds where node does not.
func Negate(node *Node) *Node { return &Node{Not: node} }

// Compare asks op of a field, with values in the field's Go form: one value, several for In, NotIn and HasAny, none for IsEmpty and
// NotEmpty. For an instant a models.Date is as good as an instant and means the day. A value of a wrong type panics.
func Compare(field *models.Field, op Op, values ...models.Value) *Node {
	node := &Node{Field: field.Name, Op: op}
	switch {
	case op.takesNothing() != (len(values) == 0), !op.takesNothing() && !op.takesList() && len(values) != 1:
		panic(fmt.Sprintf("predicate: %s takes another number of values than %d", op, len(values)))
	case op.takesList():
		node.Value = append(node.Value, '[')
		for i, value := range values {
			if i > 0 {
				node.Value = append(node.Value, ',')
			}
			node.Value = field.AppendJSON(node.Value, value)
		}
		node.Value = append(node.Value, ']')
	case !op.takesNothing():
		node.Value = field.AppendJSON(nil, values[0])
	}
	return node
}

// IsID asks for the records with the given numbers of the object.
func IsID(object *models.Object, numbers ...uint64) *Node {
	field := metaField(object, "id")
	values := make([]models.Value, len(numbers))
	for i, n := range numbers {
		values[i] = n
	}
	return Compare(field, In, values...)
}

// RelatedTo asks for records whose reference points to a record for which where holds; nil: to any that is not deleted.
func RelatedTo(reference *models.Field, where *Node) *Node {
	return &Node{Field: reference.Name, Op: Related, Where: where}
}

// MarshalJSON writes what Parse reads. Members come in a fixed order, so that equal trees give equal text.
func (n *Node) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := n.write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (n *Node) write(b *bytes.Buffer) error {
	switch {
	case n == nil:
		b.WriteString(`{"and":[]}`)
	case n.And != nil:
		return writeList(b, "and", n.And)
	case n.Or != nil:
		return writeList(b, "or", n.Or)
	case n.Not != nil:
		b.WriteString(`{"not":`)
		if err := n.Not.write(b); err != nil {
			return err
		}
		b.WriteByte('}')
	default:
		return n.writeLeaf(b)
	}
	return nil
}

func writeList(b *bytes.Buffer, name string, nodes []*Node) error {
	b.WriteString(`{"` + name + `":[`)
	for i, node := range nodes {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := node.write(b); err != nil {
			return err
		}
	}
	b.WriteString("]}")
	return nil
}

func (n *Node) writeLeaf(b *bytes.Buffer) error {
	head, err := json.Marshal(struct {
		Field string          `json:"field"`
		Op    Op              `json:"op"`
		Value json.RawMessage `json:"value,omitempty"`
	}{n.Field, n.Op, n.Value})
	if err != nil {
		return fmt.Errorf("write predicate on %s: %w", n.Field, err)
	}
	if n.Where == nil {
		b.Write(head)
		return nil
	}
	b.Write(head[:len(head)-1])
	b.WriteString(`,"where":`)
	if err := n.Where.write(b); err != nil {
		return err
	}
	b.WriteByte('}')
	return nil
}
