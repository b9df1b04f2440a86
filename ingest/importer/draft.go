package importer

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"canopy/models"
)

// quoted writes text as a YAML scalar that reads back as the same text.
func quoted(text string) string {
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, ",{}[]:#&*!|>'\"%@`\n\t\\") || strings.TrimSpace(text) != text {
		node.Style = yaml.DoubleQuotedStyle // also safe within { }
	}
	out, err := yaml.Marshal(&node)
	if err != nil {
		panic(fmt.Sprintf("importer: %v", err)) // a scalar always marshals
	}
	return strings.TrimSuffix(string(out), "\n")
}

// yaml writes the draft.
func (d *draft) yaml() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Proposed by Canopy from the file's columns. Check it, and try it with a dry run before importing.")
	if d.workspace.Currency != "" && d.has(models.MoneyKind) {
		line("currency: %s  # of amounts", d.workspace.Currency)
	}
	for _, p := range d.columns {
		if p.comma {
			line(`decimal: ","`)
			break
		}
	}
	line("blank: [N/A, n/a, NULL, \"null\", Select, None, \"-\"]  # cells that mean nothing")
	stages := d.stages()
	if len(stages) > 0 {
		d.writeEnsure(line, stages)
	}
	line("")
	line("records:")
	line("  - object: %s", d.object.Name)
	if d.key != nil {
		line("    key: %s  # a record with the same %s is changed instead of made anew", d.key.Name, strings.ToLower(d.key.Label))
	}
	line("    fields:")
	for _, f := range d.object.Fields {
		d.writeField(line, f, stages)
	}
	d.writeHistory(line, stages)
	used := map[*profile]bool{d.opened: true, d.closed: true}
	for _, p := range d.fields {
		used[p] = true
	}
	var left []string
	for i := range d.columns {
		if p := &d.columns[i]; !used[p] && !strings.Contains(d.template, "{"+p.name+"}") {
			left = append(left, p.name)
		}
	}
	if len(left) > 0 {
		line("")
		line("# Columns that go nowhere yet: %s", strings.NewReplacer("\n", " ", "\r", " ").Replace(strings.Join(left, ", ")))
	}
	return b.String()
}

func (d *draft) has(kind models.Kind) bool {
	for f := range d.fields {
		if f.Kind == kind {
			return true
		}
	}
	return false
}

const proposedPipeline = "Imported deals"

// stages are the distinct values of a deal's stage column; nil for other objects, and where there are too many to be stages.
func (d *draft) stages() []string {
	if d.object.Name != "deal" {
		return nil
	}
	p := d.fields[d.object.Field("stage")]
	if p == nil || len(p.distinct) == 0 || len(p.distinct) > maxDistinct || !safeInTemplate(p.name) {
		return nil
	}
	return p.distinct
}

// stageStatus guesses what a deal in a stage is, by the stage's name.
func stageStatus(name string) string {
	switch name = strings.ToLower(name); {
	case strings.Contains(name, "won"), strings.Contains(name, "signed"):
		return "won"
	case strings.Contains(name, "lost"), strings.Contains(name, "dropped"), strings.Contains(name, "cancel"):
		return "lost"
	}
	return "open"
}

func (d *draft) writeEnsure(line func(string, ...any), stages []string) {
	line("")
	line("ensure:")
	line("  - object: pipeline")
	line("    key: name")
	line("    records:")
	line("      - {name: %s}", quoted(proposedPipeline))
	line("  - object: stage  # check their order and what they mean: open, won or lost")
	line("    key: key")
	line("    records:")
	for i, name := range stages {
		line("      - {key: %s, name: %s, pipeline: %s, rank: %q, status: %s}", quoted(proposedPipeline+"/"+name), quoted(name), quoted(proposedPipeline), fmt.Sprint(i+1), stageStatus(name))
	}
}

func (d *draft) stageField(p *profile) string {
	return fmt.Sprintf("stage: {template: %s, lookup: {by: key}}", quoted(proposedPipeline+"/{"+p.name+"}"))
}

func (d *draft) writeField(line func(string, ...any), f *models.Field, stages []string) {
	p := d.fields[f]
	if d.object.Name == "deal" && f.Name == "pipeline" && len(stages) > 0 {
		line("      pipeline: {value: %s, lookup: {by: name}}", quoted(proposedPipeline))
		return
	}
	if d.object.Name == "deal" && f.Name == "stage" && len(stages) > 0 {
		if !d.storied(stages) {
			line("      %s", d.stageField(p))
		}
		return
	}
	if d.object.Name == "deal" && f.Name == "lost_reason" && slices.ContainsFunc(stages, func(s string) bool { return stageStatus(s) == "lost" }) {
		if !d.storied(stages) { // else it comes with the stage in which the deal ends
			line("      %s", lostReason(p))
		}
		return
	}
	if p == nil && f.Name == d.object.Title && d.template != "" {
		line("      %s: {template: %s}", f.Name, quoted(d.template))
		return
	}
	if p == nil {
		return
	}
	parts := []string{"from: " + quoted(p.name)}
	comment := ""
	switch f.Kind {
	case models.Reference:
		missing := "empty"
		if comment = "  # or missing: create, or refuse"; f.To == d.object.Name && d.key != nil {
			missing, comment = "later", "  # it may stand further down"
		}
		parts = append(parts, fmt.Sprintf("lookup: {by: %s, missing: %s}", d.lookupField(f, p).Name, missing))
	case models.DateKind, models.Instant:
		if p.date.text != "" && p.date.text != "YYYY-MM-DD" && !p.typed {
			parts = append(parts, "format: "+quoted(p.date.text))
			comment = "  # day and month as they look in the file; check"
		}
	}
	line("      %s: {%s}%s", f.Name, strings.Join(parts, ", "), comment)
}

// storied tells whether a deal's stages can be put at their instants: it has a column for its beginning and one for its end.
func (d *draft) storied(stages []string) bool {
	return d.opened != nil && d.closed != nil && firstOpen(stages) != "" && slices.ContainsFunc(stages, func(s string) bool { return stageStatus(s) != "open" })
}

func firstOpen(stages []string) string {
	for _, s := range stages {
		if stageStatus(s) == "open" {
			return s
		}
	}
	return ""
}

func (d *draft) writeHistory(line func(string, ...any), stages []string) {
	if d.opened == nil {
		return
	}
	at := func(p *profile) {
		line("      - at: %s", quoted(p.name))
		if p.date.text != "" && p.date.text != "YYYY-MM-DD" && !p.typed {
			line("        format: %s", quoted(p.date.text))
		}
	}
	line("    history:")
	if !d.storied(stages) {
		at(d.opened)
		return
	}
	column := d.fields[d.object.Field("stage")]
	var open, decided []string
	for _, s := range stages {
		if stageStatus(s) == "open" {
			open = append(open, quoted(s))
		} else {
			decided = append(decided, quoted(s))
		}
	}
	at(d.opened)
	line("        when: {column: %s, in: [%s]}", quoted(column.name), strings.Join(open, ", "))
	line("        fields:")
	line("          %s", d.stageField(column))
	at(d.opened)
	line("        when: {column: %s, in: [%s]}", quoted(column.name), strings.Join(decided, ", "))
	line("        fields:")
	line("          stage: {value: %s, lookup: {by: key}}  # the stage in which deals begin", quoted(proposedPipeline+"/"+firstOpen(stages)))
	at(d.closed)
	line("        when: {column: %s, in: [%s]}", quoted(column.name), strings.Join(decided, ", "))
	line("        fields:")
	line("          %s", d.stageField(column))
	if slices.ContainsFunc(stages, func(s string) bool { return stageStatus(s) == "lost" }) {
		line("          %s", lostReason(d.fields[d.object.Field("lost_reason")]))
	}
}

// lostReason fills what lost deals must have; deals that are not lost drop it.
func lostReason(p *profile) string {
	if p == nil {
		return "lost_reason: {value: not_recorded}  # kept by lost deals only"
	}
	return fmt.Sprintf("lost_reason: {from: %s, default: not_recorded}", quoted(p.name))
}
