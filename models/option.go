package models

import "strings"

// Fold is how spellings of options are compared: without regard to case, and with every run of white space as one space.
func Fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// indexOptions fills the lookups of a picklist. A spelling belongs to one option only: where a value or a label is said twice the
// first option keeps it, as ever; an alias that another option has in any form is an error.
func (f *Field) indexOptions(place string) error {
	f.options = make(map[string]bool, len(f.Options))
	f.spellings = make(map[string]string, 2*len(f.Options))
	for i, option := range f.Options {
		switch {
		case strings.TrimSpace(option.Value) != option.Value || option.Value == "":
			return FieldError(place, "option %d has no value, or one with spaces around it", i+1)
		case len(option.Value) > maxOption:
			return FieldError(place, "option %q is longer than %d bytes", option.Value, maxOption)
		}
		if _, twice := f.options[option.Value]; twice {
			return FieldError(place, "option %q is described twice", option.Value)
		}
		f.options[option.Value] = !option.Retired
	}
	keep := func(spelling, value string) bool {
		folded := Fold(spelling)
		holder, taken := f.spellings[folded]
		if !taken && folded != "" {
			f.spellings[folded] = value
		}
		return !taken || holder == value
	}
	for _, option := range f.Options {
		if !option.Retired {
			keep(option.Value, option.Value)
			keep(option.Label, option.Value)
		}
	}
	for _, option := range f.Options {
		for _, alias := range option.Aliases {
			if Fold(alias) == "" {
				return FieldError(place, "option %q has an empty alias", option.Value)
			}
			if !option.Retired && !keep(alias, option.Value) {
				return FieldError(place, "%q means both %s and %s", alias, f.spellings[Fold(alias)], option.Value).
					WithRemedy("Give each spelling to one option.")
			}
		}
	}
	return nil
}

const maxOption = 200
