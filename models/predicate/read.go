package predicate

import (
	"encoding/json"
	"fmt"
	"strings"

	"canopy/models"
)

// read reads one value in the JSON form of the field's kind. An instant may also be given as a date.
func (b *binder) read(field *models.Field, op Op, raw json.RawMessage) (models.Value, error) {
	if string(raw) == "null" {
		return nil, fmt.Errorf("null is no value to compare with")
	}
	switch field.Kind {
	case models.Instant:
		if day, err := readDate(raw); err == nil {
			return day, nil
		}
	case models.Picklist:
		return readPick(field, raw)
	case models.Email, models.Phone, models.URL:
		if op != Eq && op != Ne && op != In && op != NotIn {
			return readPattern(raw) // "before m" is a fair question, though "m" is no address
		}
	}
	value, err := field.ParseJSON(raw)
	if err == nil && value == nil {
		err = fmt.Errorf("blank is no value to compare with")
	}
	return value, err
}

func (b *binder) readList(field *models.Field, n *Node) ([]models.Value, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(n.Value, &raws); err != nil {
		return nil, fmt.Errorf("%s wants a list", n.Op)
	}
	if len(raws) == 0 {
		return nil, fmt.Errorf("%s wants at least one value", n.Op)
	}
	if b.values += len(raws); b.values > maxValues {
		return nil, fmt.Errorf("the lists of one predicate have at most %d values together", maxValues)
	}
	values := make([]models.Value, len(raws))
	for i, raw := range raws {
		var err error
		if n.Op == HasAny {
			values[i], err = readPick(field, raw)
		} else {
			values[i], err = b.read(field, n.Op, raw)
		}
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i+1, err)
		}
	}
	return values, nil
}

// readPick reads one option. One that was retired is still found in records, so it may be asked for.
func readPick(field *models.Field, raw json.RawMessage) (models.Value, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || text == "" {
		return nil, fmt.Errorf("wanted one option as text in quotes")
	}
	for _, option := range field.Options {
		if option.Value == text {
			return text, nil
		}
	}
	for _, option := range field.Options {
		if strings.EqualFold(option.Label, text) {
			return option.Value, nil
		}
	}
	names := make([]string, len(field.Options))
	for i, option := range field.Options {
		names[i] = option.Value
	}
	return nil, models.Errorf(models.Invalid, "%q is none of the options", text).WithRemedy(nearestRemedy(text, names))
}

// readPattern reads text as it stands: not trimmed, not brought to normal form.
func readPattern(raw json.RawMessage) (string, error) {
	var text string
	switch err := json.Unmarshal(raw, &text); {
	case err != nil:
		return "", fmt.Errorf("wanted text in quotes")
	case text == "":
		return "", fmt.Errorf("blank is no value to compare with")
	case strings.ContainsRune(text, 0):
		return "", fmt.Errorf("contains a NUL character")
	}
	return text, nil
}

func readDate(raw json.RawMessage) (models.Date, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return 0, fmt.Errorf("wanted a date in quotes")
	}
	return models.ParseDate(text)
}

// fold makes the ASCII letters small and leaves every other byte, as lower() does in the three databases.
func fold(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if i < 0 {
		return s
	}
	folded := []byte(s)
	for ; i < len(folded); i++ {
		if c := folded[i]; 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}
