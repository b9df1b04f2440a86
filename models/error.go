package models

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Code says what kind of thing went wrong. There are ten, and one table to HTTP.
type Code string

// The ten codes of house-style: everything that is none of the first nine is internal.
const (
	Invalid         Code = "invalid"
	NotFound        Code = "not_found"
	Conflict        Code = "conflict"
	Precondition    Code = "precondition"
	Unauthenticated Code = "unauthenticated"
	Forbidden       Code = "forbidden"
	TooLarge        Code = "too_large"
	Exhausted       Code = "exhausted"
	Unavailable     Code = "unavailable"
	Internal        Code = "internal"
)

// HTTPStatus is the only translation from a code to HTTP.
func (c Code) HTTPStatus() int {
	switch c {
	case Invalid:
		return http.StatusUnprocessableEntity
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case Precondition:
		return http.StatusPreconditionFailed
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Exhausted:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Error is what a caller may be told: what is wrong, where, and what to do about it.
type Error struct {
	Code    Code    `json:"code"`
	Message string  `json:"message"`
	Field   string  `json:"field,omitempty"`   // the field's registry name, or a parameter's name
	Row     int64   `json:"row,omitempty"`     // 1-based row or operation number; 0 where there is none
	Remedy  string  `json:"remedy,omitempty"`  // one sentence: what the reader can do
	Details []Error `json:"details,omitempty"` // several field errors gathered by a Validate
}

// Error gives the message with its place: "amount: not a number (row 12)".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Row > 0 {
		fmt.Fprintf(&b, " (row %d)", e.Row)
	}
	for i := range e.Details {
		b.WriteString("; ")
		b.WriteString(e.Details[i].Error())
	}
	return b.String()
}

// Errorf builds an error without a field.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// FieldError builds an invalid-input error that names its field.
func FieldError(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// WithRemedy returns e with its remedy set; it changes e.
func (e *Error) WithRemedy(remedy string) *Error { e.Remedy = remedy; return e }

// WithRow returns a copy of e that names row (1-based).
func (e *Error) WithRow(row int64) *Error { c := *e; c.Row = row; return &c }

// CodeOf finds the code of the first models.Error in err's chain; Internal if there is none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Gather turns several field errors into one; nil for none, the error itself for one.
func Gather(errs []Error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return &errs[0]
	}
	return &Error{Code: errs[0].Code, Message: fmt.Sprintf("%d fields need attention", len(errs)), Details: errs}
}

// Explain gives reason and remedy as a list of refused rows says them: all details on one line.
func (e *Error) Explain() (reason, remedy string) {
	if len(e.Details) == 0 {
		return e.Message, e.Remedy
	}
	var reasons, remedies []string
	for _, d := range e.Details {
		reason := d.Message
		if d.Field != "" {
			reason = d.Field + ": " + reason
		}
		reasons = append(reasons, reason)
		if d.Remedy != "" && !strings.Contains(strings.Join(remedies, " "), d.Remedy) {
			remedies = append(remedies, d.Remedy)
		}
	}
	return strings.Join(reasons, "; "), strings.Join(remedies, " ")
}
