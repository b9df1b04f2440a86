package importer

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// encoding is how a text file's characters are written.
type encoding string

const (
	utf8Text    encoding = "utf-8"
	utf16Little encoding = "utf-16le"
	utf16Big    encoding = "utf-16be"
	windows1252 encoding = "windows-1252"
	latin1      encoding = "latin-1"
)

var encodingNames = map[string]encoding{
	"utf-8": utf8Text, "utf8": utf8Text, "utf-8-sig": utf8Text, "ascii": utf8Text,
	"utf-16": utf16Little, "utf-16le": utf16Little, "utf-16be": utf16Big,
	"windows-1252": windows1252, "cp1252": windows1252, "ansi": windows1252,
	"latin-1": latin1, "latin1": latin1, "iso-8859-1": latin1,
}

// reader decodes encodings whose characters are not single bytes or UTF-8; nil for those that are read as they stand,
// because delimiters, quotes and line ends are the same bytes in them.
func (e encoding) reader(r io.Reader) io.Reader {
	switch e {
	case utf16Little:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder().Reader(r)
	case utf16Big:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Reader(r)
	case utf8Text, windows1252, latin1:
	}
	return nil
}

// text decodes bytes; failed tells that some of them mean nothing in the encoding.
func (e encoding) text(b []byte) (s string, failed bool) {
	switch e {
	case windows1252, latin1:
		table := charmap.Windows1252
		if e == latin1 {
			table = charmap.ISO8859_1
		}
		if isASCII(b) {
			return string(b), false
		}
		var out strings.Builder
		for _, c := range b {
			r := table.DecodeByte(c)
			if r == utf8.RuneError {
				return "", true
			}
			out.WriteRune(r)
		}
		return out.String(), false
	case utf16Little, utf16Big: // an unpaired surrogate has become the replacement character
		return string(b), bytes.ContainsRune(b, utf8.RuneError)
	case utf8Text:
	}
	return string(b), !utf8.Valid(b)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// byteCensus looks at all bytes of a file as they are stored and tells how they are most likely written.
type byteCensus struct {
	head       []byte // the first bytes, for marks and the UTF-16 pattern
	tail       []byte // an incomplete character at the end of the last part
	characters int64  // of several bytes, valid UTF-8
	invalid    int64  // bytes that are not
	nulEven    int64  // NUL bytes at even places: the upper halves of big-endian UTF-16
	nulOdd     int64
	size       int64
}

const censusHead = 4096

// Write counts one part of the file.
func (c *byteCensus) Write(p []byte) (int, error) {
	if room := censusHead - len(c.head); room > 0 {
		c.head = append(c.head, p[:min(room, len(p))]...)
	}
	if bytes.IndexByte(p, 0) >= 0 {
		for i, b := range p {
			if b == 0 && (c.size+int64(i))%2 == 0 {
				c.nulEven++
			} else if b == 0 {
				c.nulOdd++
			}
		}
	}
	c.size += int64(len(p))
	rest := p
	if len(c.tail) > 0 {
		rest = append(c.tail, p...)
		c.tail = nil
	}
	for len(rest) > 0 {
		i := firstHigh(rest)
		if i < 0 {
			break
		}
		rest = rest[i:]
		if !utf8.FullRune(rest) {
			c.tail = bytes.Clone(rest)
			break
		}
		if _, n := utf8.DecodeRune(rest); n > 1 {
			c.characters++
			rest = rest[n:]
		} else {
			c.invalid++
			rest = rest[1:]
		}
	}
	return len(p), nil
}

func firstHigh(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// encoding decides. A file with no more damaged bytes than one in a hundred characters is UTF-8 with damaged rows, which are refused.
func (c *byteCensus) encoding() encoding {
	invalid := c.invalid + int64(len(c.tail))
	switch {
	case bytes.HasPrefix(c.head, []byte{0xff, 0xfe}):
		return utf16Little
	case bytes.HasPrefix(c.head, []byte{0xfe, 0xff}):
		return utf16Big
	case bytes.HasPrefix(c.head, []byte("\ufeff")):
		return utf8Text
	case c.nulOdd > c.size/4 && c.nulEven < c.nulOdd/8:
		return utf16Little
	case c.nulEven > c.size/4 && c.nulOdd < c.nulEven/8:
		return utf16Big
	case invalid == 0 || c.characters > 100*invalid:
		return utf8Text
	}
	return windows1252
}
