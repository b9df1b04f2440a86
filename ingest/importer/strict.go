package importer

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"canopy/models"

	"go.yaml.in/yaml/v3"
)

var mappingShape = reflect.TypeFor[Mapping]()

// checkKeys walks a YAML tree beside the Go type that it will be decoded into and gathers keys that the type does not have,
// keys said twice, and places where the kind of node is wrong.
func checkKeys(node *yaml.Node, shape reflect.Type, path string, wrong *[]models.Error) {
	for shape.Kind() == reflect.Pointer {
		shape = shape.Elem()
	}
	if shape == reflect.TypeFor[Conditions]() && node.Kind == yaml.MappingNode {
		shape = shape.Elem() // one condition needs no list
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	place := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	refuse := func(n *yaml.Node, at, format string, args ...any) {
		*wrong = append(*wrong, models.Error{Code: models.Invalid, Field: at, Message: fmt.Sprintf("line %d: ", n.Line) + fmt.Sprintf(format, args...)})
	}
	switch {
	case node.Kind == yaml.ScalarNode && (shape.Kind() == reflect.String || shape.Kind() == reflect.Bool || node.Tag == "!!null"):
	case node.Kind == yaml.SequenceNode && shape.Kind() == reflect.Slice:
		for i, item := range node.Content {
			checkKeys(item, shape.Elem(), fmt.Sprintf("%s[%d]", path, i+1), wrong)
		}
	case node.Kind == yaml.MappingNode && (shape.Kind() == reflect.Struct || shape.Kind() == reflect.Map):
		known, types := keysOf(shape)
		said := map[string]bool{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			next := types[key.Value]
			if shape.Kind() == reflect.Map {
				next = shape.Elem()
			}
			switch {
			case said[key.Value]:
				refuse(key, place(key.Value), "%q is said twice", key.Value)
			case next == nil:
				refuse(key, place(key.Value), "unknown key %q; %s", key.Value, didYouMean(key.Value, known))
			default:
				checkKeys(node.Content[i+1], next, place(key.Value), wrong)
			}
			said[key.Value] = true
		}
	default:
		refuse(node, strings.TrimPrefix(path, "."), "wanted %s", wanted(shape))
	}
}

func keysOf(shape reflect.Type) ([]string, map[string]reflect.Type) {
	types := map[string]reflect.Type{}
	var known []string
	if shape.Kind() == reflect.Struct {
		for i := range shape.NumField() {
			name := shape.Field(i).Tag.Get("yaml")
			types[name] = shape.Field(i).Type
			known = append(known, name)
		}
	}
	return known, types
}

func wanted(shape reflect.Type) string {
	switch shape.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	case reflect.Bool:
		return "true or false"
	default:
		return "plain text"
	}
}

// didYouMean names the nearest of known names, or lists them where none is near.
func didYouMean(given string, known []string) string {
	if near := nearest(given, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	sorted := slices.Sorted(slices.Values(known))
	if len(sorted) == 0 {
		return "there is nothing to choose from"
	}
	if len(sorted) > 20 {
		sorted = append(sorted[:20:20], "…")
	}
	return "there are " + strings.Join(sorted, ", ")
}

// nearest gives the name with the least edit distance, if that is at most a third of the longer name (at least 2); ties go to the first.
func nearest(given string, known []string) string {
	best, least := "", 0
	for _, name := range known {
		if d := editDistance(strings.ToLower(given), strings.ToLower(name)); best == "" || d < least {
			best, least = name, d
		}
	}
	if best == "" || least > max(2, max(len(given), len(best))/3) {
		return ""
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) over bytes.
func editDistance(a, b string) int {
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
