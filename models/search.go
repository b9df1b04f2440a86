package models

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Searching compares folded text: lower case, without accents, compatible forms made equal ("Ångström" is "angstrom"). A record's search
// terms are
//
//	^anna_smith            its whole title
//	=anna@acme.com         each other whole value that is searched
//	anna, smith, acme      the words of all of them
//
// and a query matches where each of its words begins a term. Stores keep the terms; what a match is worth is said here alone.
const (
	titleSigil = "^"
	valueSigil = "="
)

// Bounds of what is kept of one value: the first characters of a whole value or word, and the first words.
const (
	maxTermRunes   = 64
	maxSearchWords = 64
)

// SearchVersion moves when the same record gets other terms than before, so that stores make theirs anew.
const SearchVersion = 1

// searched tells whether a field's values are found by searching: titles, e-mail, telephone, unique keys, and what is marked.
func (o *Object) searched(f *Field) bool {
	switch f.Kind {
	case Email, Phone:
		return true
	case Text, LongText, URL, Country, Picklist:
		return f.Searched || f.Unique || f.Name == o.Title
	}
	return false
}

// SearchFields are the fields that searching looks at, the title first; none where the object is not searched.
func (o *Object) SearchFields() []*Field { return o.search }

// SearchTerms gives the terms under which a record with these values is found, distinct and sorted; none where all of them are empty.
func (o *Object) SearchTerms(values []Value) []string {
	terms := make([]string, 0, 12)
	for _, f := range o.search {
		if f.index >= len(values) {
			continue
		}
		text, ok := values[f.index].(string)
		if !ok {
			continue
		}
		v := o.searchValue(f, text)
		sigil := valueSigil
		if f.Name == o.Title {
			sigil = titleSigil
		}
		for _, whole := range v.wholes {
			if whole != "" {
				terms = append(terms, sigil+wholeTerm(whole))
			}
		}
		for _, word := range v.words {
			terms = append(terms, clip(word))
		}
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// searchValue is one value as searching sees it.
type searchValue struct {
	wholes []string // folded; an e-mail address is found by its domain, too, a telephone number without its country
	words  []string
}

func (o *Object) searchValue(f *Field, text string) searchValue {
	switch f.Kind {
	case Phone:
		digits := onlyDigits(text)
		if digits == "" {
			return searchValue{}
		}
		v := searchValue{wholes: []string{digits}}
		if national := digits[countryDigits(digits):]; strings.HasPrefix(text, "+") && national != "" {
			v.wholes = append(v.wholes, national)
		}
		return v
	case Email:
		whole := fold(text)
		local, domain, _ := strings.Cut(whole, "@")
		return searchValue{wholes: []string{whole, domain}, words: append(wordsOf(local), hostWords(domain)...)}
	case URL:
		host := hostOf(fold(text))
		return searchValue{wholes: []string{host}, words: hostWords(host)}
	}
	whole := fold(text)
	if f.Name != o.Title && isHost(whole) {
		return searchValue{wholes: []string{whole}, words: hostWords(whole)}
	}
	return searchValue{wholes: []string{whole}, words: wordsOf(whole)}
}

// fold brings text to the form in which it is compared, with single spaces.
func fold(text string) string {
	if !plainASCII(text) {
		var b strings.Builder
		for _, r := range norm.NFKD.String(text) {
			if unicode.Is(unicode.Mn, r) {
				continue
			}
			r = unicode.ToLower(r)
			if plain, ok := unaccented[r]; ok {
				b.WriteString(plain)
				continue
			}
			b.WriteRune(r)
		}
		text = b.String()
	}
	return strings.Join(strings.Fields(strings.ToLower(text)), " ")
}

// unaccented are letters that have no decomposition and are commonly typed without their stroke.
var unaccented = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'þ': "th", 'ı': "i", 'ħ': "h"}

func plainASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// wordsOf splits folded text at everything that is neither letter nor digit.
func wordsOf(folded string) []string {
	words := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) })
	return words[:min(len(words), maxSearchWords)]
}

// hostWords are a host's labels without its last, which thousands share.
func hostWords(host string) []string {
	if i := strings.LastIndexByte(host, '.'); i >= 0 {
		host = host[:i]
	}
	return wordsOf(host)
}

func isHost(folded string) bool {
	return strings.Contains(folded, ".") && !strings.ContainsFunc(folded, func(r rune) bool {
		return r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

func hostOf(folded string) string {
	if _, rest, ok := strings.Cut(folded, "://"); ok {
		folded = rest
	}
	folded, _, _ = strings.Cut(folded, "/")
	return strings.TrimPrefix(folded, "www.")
}

// wholeTerm makes a whole value one term: without spaces or other signs that a store may take for the end of one.
func wholeTerm(folded string) string {
	return clip(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.M, r), r == '@', r == '.', r == '-', r == '+':
			return r
		}
		return '_'
	}, folded))
}

func clip(text string) string {
	if len(text) <= maxTermRunes {
		return text
	}
	n := 0
	for i := range text {
		if n++; n > maxTermRunes {
			return text[:i]
		}
	}
	return text
}

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// twoDigitCountries are the country codes of two digits (ITU E.164).
var twoDigitCountries = strings.Fields("20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98")

// countryDigits is how many digits of an international number are its country's (ITU E.164).
func countryDigits(digits string) int {
	switch {
	case len(digits) < 4:
		return 0
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case slices.Contains(twoDigitCountries, digits[:2]):
		return 2
	}
	return 3
}
