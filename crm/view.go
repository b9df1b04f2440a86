package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

const (
	maxViewColumns = 60
	// maxViewJSON bounds a view's filter and columns in bytes: views travel whole in each list's picker.
	maxViewJSON = 16 << 10
)

// checkView reads a view's settings against the registry: a view that is saved can be opened. Fields may go later; whoever opens the view is
// told then.
func checkView(b *batch, w *writing) ([]models.Error, error) {
	name, _ := w.after("object").(string)
	object := b.registry.Object(name)
	if object == nil {
		return []models.Error{*models.FieldError("object", "there is no object %q", name).WithRemedy("GET /api/v1/objects lists them.")}, nil
	}
	var wrong []models.Error
	refuse := func(err error) {
		var said *models.Error
		if errors.As(err, &said) {
			wrong = append(wrong, *said)
		} else if err != nil {
			wrong = append(wrong, *models.FieldError("object", "%v", err))
		}
	}
	filter, _ := w.after("filter").(string)
	refuse(b.checkViewFilter(object, filter))
	order, _ := w.after("sort").(string)
	if _, err := predicate.ParseSort(object, order); err != nil {
		refuse(err)
	}
	columns, _ := w.after("columns").(string)
	refuse(checkViewColumns(object, columns))
	refuse(checkViewBoard(object, w))
	if b.reader.User != 0 {
		if owner, _ := w.after("owner").(uint64); owner != b.reader.User && b.reader.Role != models.Administrator {
			refuse(models.FieldError("owner", "a view is made for oneself").WithRemedy("Share it instead: then everybody may use it."))
		}
		if w.after("shared") == true && w.before("shared") != true && !b.reader.Role.AtLeast(models.Editor) {
			refuse(&models.Error{Code: models.Forbidden, Field: "shared", Message: "sharing a view needs the role editor", Remedy: "Keep it for yourself, or ask an editor to share it."})
		}
	}
	return wrong, nil
}

func (b *batch) checkViewFilter(object *models.Object, text string) error {
	if len(text) > maxViewJSON {
		return models.FieldError("filter", "a view's filter has at most %d bytes", maxViewJSON)
	}
	node, err := predicate.Parse([]byte(text))
	if err != nil || node == nil {
		return inField("filter", err)
	}
	_, err = node.Bind(b.registry, object, b.options.Calendar)
	return inField("filter", err)
}

// inField says of an error in which field of the view it stands.
func inField(field string, err error) error {
	var said *models.Error
	if err == nil || !errors.As(err, &said) {
		return err
	}
	moved := *said
	if moved.Field != "" && !strings.Contains(moved.Message, moved.Field) {
		moved.Message = moved.Field + ": " + moved.Message
	}
	moved.Field = field
	return &moved
}

func checkViewColumns(object *models.Object, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if len(text) > maxViewJSON {
		return models.FieldError("columns", "a view's columns have at most %d bytes", maxViewJSON)
	}
	var names []string
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := decoder.Decode(&names); err != nil || decoder.More() {
		return models.FieldError("columns", "not a JSON list of field names").WithRemedy(`Write it as in ["name","amount"].`)
	}
	if len(names) > maxViewColumns {
		return models.FieldError("columns", "a view has at most %d columns", maxViewColumns)
	}
	for _, name := range names {
		if object.Field(name) == nil && !isMeta(name) {
			return models.FieldError("columns", "%s has no field %q", object.Name, name).WithRemedy("GET /api/v1/objects lists the fields.")
		}
	}
	return nil
}

// isMeta tells whether every record has a column of that name beside its fields.
func isMeta(name string) bool {
	return name == "created_at" || name == "updated_at" || name == "happened_at"
}

// checkViewBoard sees that a board has columns: the values of a picklist, or the records of a reference as stages are.
func checkViewBoard(object *models.Object, w *writing) error {
	by, _ := w.after("group_by").(string)
	if by == "" {
		if w.after("layout") == "board" {
			return models.FieldError("group_by", "a board needs a field whose values are its columns").WithRemedy("Name a picklist of the object.")
		}
		return nil
	}
	if f := object.Field(by); f == nil || f.Kind != models.Picklist && f.Kind != models.Reference {
		return models.FieldError("group_by", "%s has no picklist or reference %q", object.Name, by).WithRemedy("Name a picklist of the object.")
	}
	return nil
}

// checkViewChoice sees that a list opens with a view of its own object.
func checkViewChoice(b *batch, w *writing) ([]models.Error, error) {
	number, _ := w.after("view").(uint64)
	view, err := b.record("view", number)
	if err != nil || view == nil {
		return nil, err // check says so
	}
	if name, _ := w.after("object").(string); view.Get("object") != name {
		return []models.Error{*models.FieldError("view", "%s shows records of another object than %q", view.ID(), name)}, nil
	}
	return nil, nil
}

// ownsPersonal refuses to change what belongs to somebody else: a shared view is for everybody to use, and for its owner to change.
// Administrators may change what is shared.
func (b *batch) ownsPersonal(r *models.Record) error {
	object := r.Object
	if object.Visibility != models.Personal || b.reader.User == 0 || b.reader.Role == models.Administrator {
		return nil
	}
	if owner, _ := r.Get(object.Scope.Owner).(uint64); owner == b.reader.User {
		return nil
	}
	return models.Errorf(models.Forbidden, "this %s belongs to somebody else", strings.ToLower(object.Label)).
		WithRemedy("Save it as one of your own.")
}
