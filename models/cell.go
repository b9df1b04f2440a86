package models

import (
	"strconv"
	"strings"
)

// DisarmCell keeps a spreadsheet from running a CSV cell as a formula: what begins with = + - @, a tab or a carriage return gets an
// apostrophe before it, and so does what ArmCell would otherwise take one from. Plain numbers ("-12.50", "+4930123") are no formulas and stay.
func DisarmCell(cell string) string {
	bare := strings.TrimLeft(cell, "'")
	if bare == "" || !strings.ContainsRune("=+-@\t\r", rune(bare[0])) || len(bare) == len(cell) && isPlainNumber(cell) {
		return cell
	}
	return "'" + cell
}

// ArmCell gives what DisarmCell was given.
func ArmCell(cell string) string {
	if cell == "" || cell[0] != '\'' {
		return cell
	}
	if bare := strings.TrimLeft(cell, "'"); bare != "" && strings.ContainsRune("=+-@\t\r", rune(bare[0])) {
		return cell[1:]
	}
	return cell
}

func isPlainNumber(cell string) bool {
	_, err := strconv.ParseFloat(cell, 64)
	return err == nil && !strings.ContainsAny(cell, "xXpPiInN_")
}
