package crm

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"canopy/models"
)

// HookTolerance is how far a delivery's own clock may be off.
const HookTolerance = 5 * time.Minute

// MaxHookBody bounds a delivery, in bytes: it is kept whole.
const MaxHookBody = 90_000

// Hook is a webhook ready to take deliveries.
type Hook struct {
	Number  uint64
	Slug    string
	Object  *models.Object
	Mapping map[string]HookField
	Key     *models.Field // nil: each delivery makes a record
}

// HookField says where a field's value comes from: a path in the delivery ("person.email", "items.0.name"), with a map of the values
// that mean another, or always the same value.
type HookField struct {
	Path   string            `json:"path,omitempty"`
	Value  json.RawMessage   `json:"value,omitempty"`
	Values map[string]string `json:"values,omitempty"`
}

// readHook reads a webhook_source record. Errors name its fields.
func readHook(registry *models.Registry, r *models.Record) (*Hook, error) {
	h := &Hook{Number: r.Number, Slug: text(r, "slug"), Object: registry.Object(text(r, "object"))}
	var wrong []models.Error
	if !slugForm.MatchString(h.Slug) {
		wrong = append(wrong, *models.FieldError("slug", "%q is no address part", h.Slug).WithRemedy("Use small letters, digits and hyphens, as in partner-portal."))
	}
	if h.Object == nil || h.Object.Visibility != models.Scoped {
		wrong = append(wrong, *models.FieldError("object", "a webhook cannot make %q", text(r, "object")).WithRemedy("Choose lead, contact, account, deal, activity or another object of records."))
		return h, models.Gather(wrong)
	}
	form := `Write {"email":{"path":"person.email"},"source":{"value":"partner"},"status":{"path":"state","values":{"hot":"mql"}}}.`
	decoder := json.NewDecoder(bytes.NewReader([]byte(text(r, "mapping"))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&h.Mapping); err != nil || len(h.Mapping) == 0 {
		wrong = append(wrong, *models.FieldError("mapping", "this is no mapping in JSON").WithRemedy(form))
	}
	for name, m := range h.Mapping {
		f := h.Object.Field(name)
		if f == nil || f.ReadOnly || (m.Path == "") == (len(m.Value) == 0) {
			wrong = append(wrong, *models.FieldError("mapping", "%q is no field of %s that can be written, or has not exactly one of path and value", name, h.Object.Name).WithRemedy(form))
			break
		}
	}
	if key := text(r, "key"); key != "" {
		if h.Key = h.Object.Field(key); h.Key == nil || !h.Key.Unique || h.Mapping[key].Path == "" {
			wrong = append(wrong, *models.FieldError("key", "%q is no unique field with a path", key).WithRemedy("Name a unique field of the object that the mapping fills, or leave it empty."))
		}
	}
	return h, models.Gather(wrong)
}

func checkWebhookSource(b *batch, w *writing) ([]models.Error, error) {
	_, err := readHook(b.registry, &models.Record{Object: w.object, Number: w.number, Values: w.next})
	return faults(err), nil
}

func checkForm(b *batch, w *writing) ([]models.Error, error) {
	_, err := ReadForm(b.registry.Object(leadObject), &models.Record{Object: w.object, Number: w.number, Values: w.next})
	return faults(err), nil
}

// HookBySlug finds an active webhook by its address part.
func (e *Engine) HookBySlug(ctx context.Context, slug string) (*Hook, error) {
	gone := models.Errorf(models.NotFound, "there is no webhook at this address")
	if !slugForm.MatchString(slug) {
		return nil, gone
	}
	found, err := e.store.FindByText(ctx, "webhook_source", e.Registry().Object("webhook_source").Field("slug"), []string{slug})
	if err != nil {
		return nil, err
	}
	for _, n := range found[slug] {
		return e.hook(ctx, n)
	}
	return nil, gone
}

func (e *Engine) hook(ctx context.Context, n uint64) (*Hook, error) {
	records, err := e.store.Load(ctx, "webhook_source", []uint64{n}, false)
	if err != nil {
		return nil, err
	}
	if r := records[n]; r != nil && !r.Deleted && r.Get("active") == true {
		return readHook(e.Registry(), r)
	}
	return nil, models.Errorf(models.NotFound, "there is no webhook at this address")
}

// SecretName is under which name a webhook's secret is kept.
func (h *Hook) SecretName() string { return fmt.Sprintf("webhook:%d", h.Number) }

// CheckSignature checks "t=<unix seconds>,v1=<hex HMAC-SHA256 of t.body>" with a secret. now bounds how old or new t may be.
func CheckSignature(header string, body, secret []byte, now time.Time) error {
	var stamp string
	var given [][]byte
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil {
				given = append(given, mac)
			}
		}
	}
	refused := models.Errorf(models.Unauthenticated, "the signature does not fit").WithRemedy("Sign the instant and the body with the webhook's secret: Canopy-Signature: t=<seconds>,v1=<HMAC-SHA256>.")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(given) == 0 || len(secret) == 0 {
		return refused
	}
	if off := now.Sub(time.Unix(seconds, 0)); off > HookTolerance || off < -HookTolerance {
		return models.Errorf(models.Unauthenticated, "the signature is not of now").WithRemedy("Set the sender's clock, and sign each delivery anew.")
	}
	h := hmac.New(sha256.New, secret)
	fmt.Fprintf(h, "%s.", stamp)
	h.Write(body)
	if wanted := h.Sum(nil); !slices.ContainsFunc(given, func(mac []byte) bool { return hmac.Equal(mac, wanted) }) {
		return refused
	}
	return nil
}

// Delivered says what became of a delivery.
type Delivered struct {
	Delivery uint64
	State    string // accepted, dead
	Record   string // id of what it made or changed
	Wrong    error  // why it is dead, field by field
	Repeated bool   // this delivery had come before; nothing was written
}

// Deliver takes one delivery that is known to be the sender's. One that comes again is answered as it was the first time. What cannot be
// used is kept whole, with the reason, and can be played again.
func (e *Engine) Deliver(ctx context.Context, h *Hook, id string, body []byte) (Delivered, error) {
	key := fmt.Sprintf("%s/%s", h.Slug, id)
	if id == "" || len(id) > 100 {
		return Delivered{}, models.FieldError("Canopy-Delivery", "a delivery has an id of at most 100 characters").WithRemedy("Send the sender's own id of the delivery, the same when it is sent again.")
	}
	var out Delivered
	err := e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		if _, err := e.store.Load(ctx, "webhook_source", []uint64{h.Number}, true); err != nil { // one after another, so that none comes twice
			return err
		}
		b := e.newBatch(ctx, models.System())
		found, err := e.store.FindByText(ctx, "webhook_delivery", b.field("webhook_delivery", "key"), []string{key})
		if err != nil {
			return err
		}
		if len(found[key]) > 0 {
			out, err = b.deliveredBefore(found[key][0], body)
			return err
		}
		values := map[string]models.Value{"key": key, "source": h.Number, "received_at": b.now, "state": "dead", "body": strings.ToValidUTF8(strings.ReplaceAll(string(body), "\x00", ""), "\uFFFD")}
		r, err := b.must(models.Command{Op: models.Create, Object: "webhook_delivery", Cause: "webhook", Sets: setsOf(b.registry.Object("webhook_delivery"), values)})
		if err == nil {
			out.Delivery, out.State = r.Number, "dead"
		}
		return err
	})
	if err != nil || out.Repeated {
		return out, err
	}
	return e.playDelivery(ctx, h, out.Delivery, body)
}

func (b *batch) deliveredBefore(n uint64, body []byte) (Delivered, error) {
	r, err := b.record("webhook_delivery", n)
	if err != nil {
		return Delivered{}, err
	}
	if text(r, "body") != strings.TrimSpace(string(body)) && text(r, "body") != string(body) {
		return Delivered{}, models.Errorf(models.Conflict, "another delivery had this id").WithRemedy("Give each delivery an id of its own.")
	}
	out := Delivered{Delivery: n, State: text(r, "state"), Record: text(r, "record"), Repeated: true}
	if reason := text(r, "reason"); reason != "" {
		out.Wrong = models.Errorf(models.Invalid, "%s", reason)
	}
	return out, nil
}

// Replay plays a dead delivery again, by the webhook's mapping of today. One that was accepted stays as it is.
func (e *Engine) Replay(ctx context.Context, reader models.Reader, delivery uint64) (Delivered, error) {
	if !reader.MayWrite(models.Administrator) {
		return Delivered{}, models.Errorf(models.Forbidden, "playing deliveries again needs the role administrator").WithRemedy("Ask an administrator.")
	}
	r, err := e.Get(ctx, reader, "webhook_delivery", delivery, models.Cutoff{})
	if err != nil {
		return Delivered{}, err
	}
	if r.Get("state") == "accepted" {
		return Delivered{Delivery: delivery, State: "accepted", Record: text(r, "record"), Repeated: true}, nil
	}
	h, err := e.hook(ctx, number(r, "source"))
	if err != nil {
		return Delivered{}, err
	}
	return e.playDelivery(ctx, h, delivery, []byte(text(r, "body")))
}

// playDelivery writes what a delivery says. A refusal is noted on the delivery and is no error.
func (e *Engine) playDelivery(ctx context.Context, h *Hook, delivery uint64, body []byte) (Delivered, error) {
	out := Delivered{Delivery: delivery, State: "accepted"}
	note := func(b *batch, values map[string]models.Value) error {
		_, err := b.must(models.Command{Op: models.Update, Object: "webhook_delivery", Number: delivery, Cause: "webhook", Sets: setsOf(b.registry.Object("webhook_delivery"), values)})
		return err
	}
	err := e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		b := e.newBatch(ctx, models.System())
		record, err := b.writeDelivery(h, body)
		if err != nil {
			return err
		}
		out.Record = record.ID()
		if err := b.rollUpAll(); err != nil {
			return err
		}
		return note(b, map[string]models.Value{"state": "accepted", "reason": nil, "record": out.Record})
	})
	var said *models.Error
	if !errors.As(err, &said) || said.Code == models.Internal {
		return out, err
	}
	out.State, out.Record, out.Wrong = "dead", "", said
	return out, e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		return note(e.newBatch(ctx, models.System()), map[string]models.Value{"reason": cut(said.Error())})
	})
}

func (b *batch) writeDelivery(h *Hook, body []byte) (*models.Record, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, models.Errorf(models.Invalid, "the body is no JSON").WithRemedy("Send application/json.")
	}
	var wrong []models.Error
	var sets []models.Set
	for _, f := range h.Object.Fields {
		m, mapped := h.Mapping[f.Name]
		if !mapped {
			continue
		}
		v, err := b.hookValue(f, m, tree)
		if err != nil {
			wrong = append(wrong, *models.FieldError(f.Name, "%s", strings.TrimPrefix(err.Error(), f.Name+": ")).WithRemedy("Look at " + m.Path + " of the delivery, or at the mapping."))
			continue
		}
		if v != nil {
			sets = append(sets, models.Set{Field: f, Value: v})
		}
	}
	if err := models.Gather(wrong); err != nil {
		return nil, err
	}
	c := models.Command{Op: models.Create, Object: h.Object.Name, Cause: "webhook", Sets: sets}
	if h.Key != nil {
		for _, set := range sets {
			if set.Field != h.Key {
				continue
			}
			held, err := b.store.FindTaken(b.ctx, h.Object.Name, h.Key, []models.Value{set.Value})
			if err != nil {
				return nil, err
			}
			if n := held[string(h.Key.AppendJSON(nil, set.Value))]; n != 0 {
				c.Op, c.Number = models.Update, n
			}
		}
	}
	outcome, err := b.execute(&c)
	return outcome.Record, err
}

// hookValue reads one field's value out of a delivery; nil where the path leads nowhere.
func (b *batch) hookValue(f *models.Field, m HookField, tree any) (models.Value, error) {
	raw := m.Value
	if m.Path != "" {
		found, ok := walk(tree, m.Path)
		if !ok || found == nil {
			return nil, nil
		}
		said := fmt.Sprint(found)
		if s, isText := found.(string); isText || m.Values[said] != "" {
			if isText {
				said = s
			}
			if means, ok := m.Values[said]; ok {
				said = means
			}
			return f.ParseText(said, models.TextContext{Currency: b.options.Currency, Zone: b.options.Calendar.Zone})
		}
		var err error
		if raw, err = json.Marshal(found); err != nil {
			return nil, err
		}
	}
	return f.ParseJSON(raw)
}

// walk follows a path of names and indexes with dots between.
func walk(tree any, path string) (any, bool) {
	for part := range strings.SplitSeq(path, ".") {
		switch node := tree.(type) {
		case map[string]any:
			next, ok := node[part]
			if !ok {
				return nil, false
			}
			tree = next
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			tree = node[i]
		default:
			return nil, false
		}
	}
	return tree, true
}
