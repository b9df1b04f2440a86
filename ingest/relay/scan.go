package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// span is where one field's value stands in an image; end is 0 where the image does not name the field. For text, start and end
// are those within the quotes.
type span struct {
	start, end uint32
	escaped    bool // text with a backslash in it
}

var errImage = errors.New("the image is not the JSON of a record")

// scanImage finds the values of an image as models.AppendImage writes it: one flat object without white space, fields mostly
// in the registry's order. names and spans have the same length; spans is filled anew. unknown counts fields that names does not
// have. Text that is JSON but not in this form is errImage: compact brings it there.
func scanImage(image []byte, names []string, spans []span) (unknown int, err error) {
	clear(spans)
	if len(image) < 2 || image[0] != '{' {
		return 0, errImage
	}
	if image[1] == '}' && len(image) == 2 {
		return 0, nil
	}
	next := 0
	for i := 1; ; {
		if i >= len(image) || image[i] != '"' {
			return unknown, errImage
		}
		i++
		length := bytes.IndexByte(image[i:], '"')
		if length < 0 || i+length+2 >= len(image) || image[i+length+1] != ':' {
			return unknown, errImage
		}
		field := find(names, image[i:i+length], next)
		i += length + 2
		start := i
		end, escaped := valueEnd(image, i)
		if end < 0 || end >= len(image) {
			return unknown, errImage
		}
		if field < 0 {
			unknown++
		} else {
			next = field + 1
			s := span{start: uint32(start), end: uint32(end), escaped: escaped} //nolint:gosec // images are far below 4 GiB
			if image[start] == '"' {
				s.start, s.end = s.start+1, s.end-1
			}
			spans[field] = s
		}
		switch image[end] {
		case ',':
			i = end + 1
		case '}':
			if end != len(image)-1 {
				return unknown, errImage
			}
			return unknown, nil
		default:
			return unknown, errImage
		}
	}
}

// find looks for a name from the place where it is expected on, then from the start; -1 where there is none.
func find(names []string, name []byte, from int) int {
	for i := from; i < len(names); i++ {
		if names[i] == string(name) {
			return i
		}
	}
	for i := range min(from, len(names)) {
		if names[i] == string(name) {
			return i
		}
	}
	return -1
}

// valueEnd is the place after the JSON value that starts at i; -1 where it does not end.
func valueEnd(b []byte, i int) (end int, escaped bool) {
	if i >= len(b) {
		return -1, false
	}
	switch b[i] {
	case '"':
		return textEnd(b, i)
	case '{', '[':
		depth := 0
		for ; i < len(b); i++ {
			switch b[i] {
			case '"':
				if i, _ = textEnd(b, i); i < 0 {
					return -1, false
				}
				i--
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1, false
				}
			}
		}
		return -1, false
	}
	start := i
	for i < len(b) && b[i] != ',' && b[i] != '}' {
		if c := b[i]; c <= ' ' || c == '"' || c == '{' || c == '[' {
			return -1, false
		}
		i++
	}
	if i == start {
		return -1, false
	}
	return i, false
}

// textEnd is the place after the closing quote of the text that opens at i; -1 where it does not close.
func textEnd(b []byte, i int) (end int, escaped bool) {
	i++
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1, false
		}
		if !escaped {
			if back := bytes.IndexByte(b[i:i+n], '\\'); back < 0 {
				return i + n + 1, false
			}
			escaped = true
		}
		// The quote closes unless an odd number of backslashes stands before it.
		backslashes := 0
		for b[i+n-1-backslashes] == '\\' {
			backslashes++
		}
		i += n + 1
		if backslashes%2 == 0 {
			return i, true
		}
	}
}

// compact brings any JSON text into the form that scanImage reads, keys aside.
func compact(image []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, image); err != nil {
		return nil, errImage
	}
	return b.Bytes(), nil
}

// unescape appends the text between a JSON string's quotes to dst with its escapes resolved.
func unescape(dst, s []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...), nil
		}
		dst = append(dst, s[:i]...)
		if i+1 >= len(s) {
			return dst, errImage
		}
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s)
			if !ok {
				return dst, errImage
			}
			s = s[4:]
			if utf16.IsSurrogate(r) {
				low := rune(utf8.RuneError)
				if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
					if l, ok := hex4(s[2:]); ok {
						low = l
					}
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					s = s[6:]
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return dst, errImage
		}
	}
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
