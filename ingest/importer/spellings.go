package importer

import (
	"strings"

	"canopy/models"
)

// unknownSpelling is what can be done about a cell that is no option of its list. It also tells such a refusal from others.
const unknownSpelling = "Correct the cell, translate it in the mapping (values), or add the spelling to an option of the list."

// spellings names the cells of a refused row that are no options of their lists, so that an import lists them with counts.
func spellings(refused *models.Error) []string {
	if refused == nil {
		return nil
	}
	var found []string
	for _, e := range append([]models.Error{*refused}, refused.Details...) {
		if cell, _, ok := strings.Cut(e.Message, " is none of "); ok && e.Remedy == unknownSpelling {
			found = append(found, e.Field+": "+cell+" is no option, and refused")
		}
	}
	return found
}

// maxSpellings bounds how many notes an import keeps before unknown spellings are told together.
const maxSpellings = 200

// countBounded counts a spelling, or with the others where there are too many.
func countBounded(notes []models.ImportNote, text string) []models.ImportNote {
	for i := range notes {
		if notes[i].Text == text {
			notes[i].Count++
			return notes
		}
	}
	if len(notes) >= maxSpellings {
		text = "other cells that are no options of their lists, and refused"
	}
	return count(notes, text, 1)
}
