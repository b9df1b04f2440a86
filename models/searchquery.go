package models

import (
	"strings"
	"unicode/utf8"
)

// MatchClass says how good a hit is: smaller is better.
type MatchClass int

// The classes, best first.
const (
	MatchID      MatchClass = iota // its public id was asked for
	MatchExact                     // a whole value is the query
	MatchTitle                     // the title begins with the query
	MatchValue                     // another value begins with the query
	MatchWords                     // each word of the query begins a word of the record
	MatchNothing                   // no hit
)

// Match is what a record's terms must hold: one term, or all or any of several conditions.
type Match struct {
	Term   string // blank where All or Any is given
	Prefix bool   // the term need only begin so
	All    []Match
	Any    []Match
}

// SearchQuery is a query in the form in which it is compared.
type SearchQuery struct {
	whole  string   // folded
	digits string   // the query as a telephone number, without leading zeros; blank where it is none
	chunks []string // what stands between spaces
}

// MaxSearchText is the longest query, in characters.
const MaxSearchText = 200

// ParseSearch reads what a person typed. Blank and overlong text is an invalid error of the field "q".
func ParseSearch(text string) (SearchQuery, error) {
	if utf8.RuneCountInString(text) > MaxSearchText {
		return SearchQuery{}, FieldError("q", "longer than %d characters", MaxSearchText).WithRemedy("Search for fewer words.")
	}
	q := SearchQuery{whole: fold(text)}
	for chunk := range strings.FieldsSeq(q.whole) {
		if len(wordsOf(chunk)) > 0 { // signs alone ask for nothing
			q.chunks = append(q.chunks, chunk)
		}
	}
	if len(q.chunks) == 0 {
		return SearchQuery{}, FieldError("q", "there is nothing to search for").WithRemedy("Type a name, an address, a number or an id.")
	}
	q.chunks = q.chunks[:min(len(q.chunks), maxSearchChunks)]
	if strings.Trim(q.whole, "0123456789 ()+-./") == "" {
		if digits := strings.TrimLeft(onlyDigits(q.whole), "0"); len(digits) >= minSearchDigits {
			q.digits = digits
		}
	}
	return q, nil
}

const (
	maxSearchChunks = 8 // further words narrow nothing that a person would notice
	minSearchDigits = 3
	// minPrefix is from how many characters on a word may stand for the beginning of another: shorter ones begin a good part of all records.
	minPrefix = 3
)

// ID reads the query as a public id of an object; 0 where it is none.
func (q SearchQuery) ID(o *Object) uint64 {
	n, err := o.ParseID(q.whole)
	if err != nil {
		return 0
	}
	return n
}

// Conditions gives what terms a record of each class holds, for MatchExact to MatchWords in that order. A condition may let through more
// than its class: Rank decides.
func (q SearchQuery) Conditions() [4]Match {
	whole := wholeTerm(q.whole)
	exact := []Match{{Term: titleSigil + whole}, {Term: valueSigil + whole}}
	value := []Match{{Term: valueSigil + whole, Prefix: true}}
	if q.digits != "" {
		exact = append(exact, Match{Term: valueSigil + q.digits})
		value = append(value, Match{Term: valueSigil + q.digits, Prefix: true})
	}
	var words []Match
	for _, chunk := range q.chunks {
		var parts []Match
		for _, word := range wordsOf(chunk) {
			parts = append(parts, Match{Term: clip(word), Prefix: utf8.RuneCountInString(word) >= minPrefix})
		}
		if all := allOf(parts); len(parts) == 1 && parts[0].Term == chunk {
			words = append(words, all)
		} else { // "anna@ac" begins a value, "o'brien" is two words
			whole := wholeTerm(chunk)
			words = append(words, Match{Any: []Match{{Term: valueSigil + whole, Prefix: true}, {Term: titleSigil + whole, Prefix: true}, all}})
		}
	}
	return [4]Match{{Any: exact}, {Term: titleSigil + whole, Prefix: true}, anyOf(value), allOf(words)}
}

func allOf(m []Match) Match {
	if len(m) == 1 {
		return m[0]
	}
	return Match{All: m}
}

func anyOf(m []Match) Match {
	if len(m) == 1 {
		return m[0]
	}
	return Match{Any: m}
}

// Rank tells how good a hit a record with these values is, and which of its fields says so (the first in the order of SearchFields).
func (q SearchQuery) Rank(o *Object, values []Value) (MatchClass, *Field) {
	best, by := MatchNothing, (*Field)(nil)
	left := append([]string{}, q.chunks...)
	var first *Field // the field in which the query's first word is found
	for _, f := range o.search {
		text, _ := Value(nil).(string)
		if f.index < len(values) {
			text, _ = values[f.index].(string)
		}
		if text == "" {
			continue
		}
		v := o.searchValue(f, text)
		class := q.rankWhole(v)
		if class == MatchTitle && f.Name != o.Title {
			class = MatchValue
		}
		if class < best {
			best, by = class, f
		}
		kept := left[:0]
		for _, chunk := range left {
			if !v.has(chunk) {
				kept = append(kept, chunk)
			} else if first == nil && chunk == q.chunks[0] {
				first = f
			}
		}
		left = kept
	}
	if best == MatchNothing && len(left) == 0 {
		return MatchWords, first
	}
	return best, by
}

// rankWhole gives MatchExact, MatchTitle (for any field) or MatchNothing.
func (q SearchQuery) rankWhole(v searchValue) MatchClass {
	best := MatchNothing
	for _, whole := range v.wholes {
		switch {
		case whole == "":
		case whole == q.whole || whole == q.digits:
			return MatchExact
		case strings.HasPrefix(whole, q.whole) || q.digits != "" && strings.HasPrefix(whole, q.digits):
			best = MatchTitle
		}
	}
	return best
}

// has tells whether one chunk of a query is found in the value, as Conditions asks for it.
func (v searchValue) has(chunk string) bool {
	for _, whole := range v.wholes {
		if strings.HasPrefix(whole, chunk) && chunk != "" && !isWord(chunk) {
			return true
		}
	}
	for _, wanted := range wordsOf(chunk) {
		found := false
		for _, word := range v.words {
			found = found || word == wanted || utf8.RuneCountInString(wanted) >= minPrefix && strings.HasPrefix(word, wanted)
		}
		if !found {
			return false
		}
	}
	return true
}

func isWord(chunk string) bool {
	words := wordsOf(chunk)
	return len(words) == 1 && words[0] == chunk
}
