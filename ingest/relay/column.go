package relay

import (
	"bytes"
	"encoding/binary"

	"github.com/ClickHouse/ch-go/proto"
)

// column gathers the values of one column of a block, already in the bytes of the native protocol, so that sending is one
// vectored write without a second pass over the rows.
type column interface {
	proto.ColInput
	reset()
}

// plain is a column whose values follow one another: numbers in little endian, text with its length in front. Where it
// is nullable, each value has a byte in nulls and an empty value stands as zero bytes of its kind.
type plain struct {
	kind     proto.ColumnType
	nullable bool
	width    int // bytes of a value; 0 for text
	rows     int
	nulls    []byte
	data     []byte
}

func newPlain(kind string, nullable bool, width int) *plain {
	return &plain{kind: proto.ColumnType(kind), nullable: nullable, width: width}
}

func (c *plain) Type() proto.ColumnType { return c.kind }
func (c *plain) Rows() int              { return c.rows }
func (c *plain) reset()                 { c.rows, c.nulls, c.data = 0, c.nulls[:0], c.data[:0] }

// EncodeColumn copies the column into a buffer, for compressed blocks.
func (c *plain) EncodeColumn(b *proto.Buffer) {
	b.PutRaw(c.nulls)
	b.PutRaw(c.data)
}

// WriteColumn hands the column over without copying it.
func (c *plain) WriteColumn(w *proto.Writer) {
	if c.nullable {
		w.ChainWrite(c.nulls)
	}
	w.ChainWrite(c.data)
}

var zeros [8]byte

func (c *plain) present() {
	if c.nullable {
		c.nulls = append(c.nulls, 0)
	}
	c.rows++
}

func (c *plain) null() {
	c.nulls = append(c.nulls, 1)
	c.rows++
	if c.width == 0 {
		c.data = append(c.data, 0) // a text of length 0
		return
	}
	c.data = append(c.data, zeros[:c.width]...)
}

func (c *plain) uint64(v uint64) {
	c.present()
	c.data = binary.LittleEndian.AppendUint64(c.data, v)
}

func (c *plain) int64(v int64) { c.uint64(uint64(v)) } //nolint:gosec // the same bytes

func (c *plain) int32(v int32) {
	c.present()
	c.data = binary.LittleEndian.AppendUint32(c.data, uint32(v)) //nolint:gosec // the same bytes
}

func (c *plain) byte(v byte) {
	c.present()
	c.data = append(c.data, v)
}

func (c *plain) text(v []byte) {
	c.present()
	c.data = binary.AppendUvarint(c.data, uint64(len(v)))
	c.data = append(c.data, v...)
}

// coded is a LowCardinality(String) or LowCardinality(Nullable(String)) column: each distinct text once, and its number per row.
// With nullable, number 0 is null.
type coded struct {
	kind     proto.ColumnType
	nullable bool
	keys     []uint32
	numbers  map[string]uint32
	texts    []byte // distinct texts with their lengths in front, in the order of their numbers
	distinct uint32
	last     []byte // the last text and its number: neighbours are often equal
	lastKey  uint32
	packed   []byte // keys in the width that is sent
}

func newCoded(kind string, nullable bool) *coded {
	c := &coded{kind: proto.ColumnType(kind), nullable: nullable, numbers: map[string]uint32{}}
	c.reset()
	return c
}

func (c *coded) Type() proto.ColumnType { return c.kind }
func (c *coded) Rows() int              { return len(c.keys) }

func (c *coded) reset() {
	clear(c.numbers)
	c.keys, c.texts, c.distinct, c.last = c.keys[:0], c.texts[:0], 0, nil
	if c.nullable {
		c.texts, c.distinct = append(c.texts, 0), 1
	}
}

func (c *coded) null() { c.keys = append(c.keys, 0) }

func (c *coded) text(v []byte) { c.keys = append(c.keys, c.number(v)) }

// word is text for values that come as strings.
func (c *coded) word(v string) {
	if c.last != nil && string(c.last) == v {
		c.keys = append(c.keys, c.lastKey)
		return
	}
	c.text([]byte(v))
}

func (c *coded) number(v []byte) uint32 {
	if c.last != nil && bytes.Equal(c.last, v) {
		return c.lastKey
	}
	key, known := c.numbers[string(v)]
	if !known {
		key = c.distinct
		c.distinct++
		c.numbers[string(v)] = key
		c.texts = binary.AppendUvarint(c.texts, uint64(len(v)))
		c.texts = append(c.texts, v...)
	}
	if c.last = append(c.last[:0], v...); c.last == nil {
		c.last = []byte{}
	}
	c.lastKey = key
	return key
}

// The native protocol's words for a dictionary that comes with its block.
const (
	dictionaryVersion = 1
	hasAdditionalKeys = 1 << 9
	updateDictionary  = 1 << 10
)

// EncodeState writes what stands before the column in a block.
func (c *coded) EncodeState(b *proto.Buffer) { b.PutInt64(dictionaryVersion) }

// head writes the dictionary; keyWidth is 0 for one byte a key, 1 for two, 2 for four.
func (c *coded) head(b *proto.Buffer) (keyWidth int64) {
	switch {
	case c.distinct > 1<<16:
		keyWidth = 2
	case c.distinct > 1<<8:
		keyWidth = 1
	}
	b.PutInt64(hasAdditionalKeys | updateDictionary | keyWidth)
	b.PutInt64(int64(c.distinct))
	b.PutRaw(c.texts)
	b.PutInt64(int64(len(c.keys)))
	return keyWidth
}

func (c *coded) pack(keyWidth int64) []byte {
	c.packed = c.packed[:0]
	for _, key := range c.keys {
		switch keyWidth {
		case 0:
			c.packed = append(c.packed, byte(key)) //nolint:gosec // the dictionary has at most 256 texts
		case 1:
			c.packed = binary.LittleEndian.AppendUint16(c.packed, uint16(key)) //nolint:gosec // at most 65,536
		default:
			c.packed = binary.LittleEndian.AppendUint32(c.packed, key)
		}
	}
	return c.packed
}

// EncodeColumn copies the column into a buffer. An empty column has no dictionary either.
func (c *coded) EncodeColumn(b *proto.Buffer) {
	if len(c.keys) > 0 {
		b.PutRaw(c.pack(c.head(b)))
	}
}

// WriteColumn hands the keys over without copying them.
func (c *coded) WriteColumn(w *proto.Writer) {
	if len(c.keys) == 0 {
		return
	}
	var keyWidth int64
	w.ChainBuffer(func(b *proto.Buffer) { keyWidth = c.head(b) })
	w.ChainWrite(c.pack(keyWidth))
}

// list is an Array(LowCardinality(String)) column; an empty value is an empty list.
type list struct {
	kind     proto.ColumnType
	rows     int
	ends     []byte // running count of elements after each row
	elements *coded
}

func newList(kind string) *list {
	return &list{kind: proto.ColumnType(kind), elements: newCoded("LowCardinality(String)", false)}
}

func (c *list) Type() proto.ColumnType      { return c.kind }
func (c *list) Rows() int                   { return c.rows }
func (c *list) EncodeState(b *proto.Buffer) { c.elements.EncodeState(b) }

func (c *list) reset() {
	c.rows, c.ends = 0, c.ends[:0]
	c.elements.reset()
}

// end closes a row after its elements were added.
func (c *list) end() {
	c.rows++
	c.ends = binary.LittleEndian.AppendUint64(c.ends, uint64(len(c.elements.keys)))
}

// EncodeColumn copies the column into a buffer.
func (c *list) EncodeColumn(b *proto.Buffer) {
	b.PutRaw(c.ends)
	c.elements.EncodeColumn(b)
}

// WriteColumn hands the column over without copying it.
func (c *list) WriteColumn(w *proto.Writer) {
	w.ChainWrite(c.ends)
	c.elements.WriteColumn(w)
}
