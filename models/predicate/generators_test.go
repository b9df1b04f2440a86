package predicate_test

import "fmt"

// The generators that parallel tests share get their descriptions here: rapid writes one at its first use, and reads it elsewhere without
// asking whether that is over.
func init() {
	for _, g := range []fmt.Stringer{texts, dates, instants, moneys, integers, fractions} {
		_ = g.String()
	}
}
