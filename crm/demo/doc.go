// Package demo fills an empty workspace with a small company that never was, so that there is something to look at: two
// years of a maker of measuring instruments. Everything is written through the same commands as everyone's, at the
// instants at which it is said to have happened. The same seed and the same last day give the same company.
package demo
