package models_test

import (
	"testing"

	"canopy/models"
)

func TestCellsAreDisarmedAndArmedAgain(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "plain": "plain", "=1+1": "'=1+1", "+sum": "'+sum", "-cmd": "'-cmd", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx",
		"-12.50": "-12.50", "+4930123": "+4930123", "1e5": "1e5", "-0x1p2": "'-0x1p2", "-inf": "'-inf",
		"'": "'", "'quoted'": "'quoted'", "'=x": "''=x", "''=x": "'''=x", "'-5": "''-5",
	} {
		got := models.DisarmCell(cell)
		if got != want {
			t.Errorf("%q is written %q, want %q", cell, got, want)
		}
		if back := models.ArmCell(got); back != cell {
			t.Errorf("%q is read back as %q", cell, back)
		}
	}
}
