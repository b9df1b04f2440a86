package models

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// countryByName maps English country names (lower case) to ISO 3166-1 alpha-2, beside a few names in common use.
var countryByName = func() map[string]string {
	names := map[string]string{
		"usa": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "korea": "KR", "south korea": "KR",
		"russia": "RU", "vietnam": "VN", "czech republic": "CZ", "holland": "NL", "ivory coast": "CI", "turkey": "TR",
	}
	english := display.English.Regions()
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			region, err := language.ParseRegion(string([]rune{a, b}))
			if err != nil || !region.IsCountry() || region.String() != string([]rune{a, b}) {
				continue
			}
			if name := english.Name(region); name != "" {
				names[strings.ToLower(name)] = region.String()
			}
		}
	}
	return names
}()

// normalCountry gives the ISO 3166-1 alpha-2 code of a code or an English name.
func normalCountry(_ *Field, v Value) (Value, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("not text")
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	if code, ok := countryByName[strings.ToLower(s)]; ok {
		return code, nil
	}
	if len(s) == 2 {
		if region, err := language.ParseRegion(strings.ToUpper(s)); err == nil && region.IsCountry() {
			return region.Canonicalize().String(), nil
		}
	}
	return nil, fmt.Errorf("%q is not a country (name it in English or by its ISO code)", s)
}
