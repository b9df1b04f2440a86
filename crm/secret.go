package crm

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"canopy/models"
)

// SecretStore keeps secrets outside the registry and the change log.
type SecretStore interface {
	// Secret gives a secret; nil where there is none.
	Secret(ctx context.Context, name string) ([]byte, error)
	// KeepSecret writes a secret where there is none, and with replace also where there is one. It gives the one that stands.
	KeepSecret(ctx context.Context, name string, value []byte, at time.Time, replace bool) ([]byte, error)
}

// Signer makes short texts that only this workspace can have written, and reads them back. A text names what it is for, so that one
// made for a form's clock is no confirmation.
type Signer struct {
	key []byte
	now func() time.Time
}

// NewSigner reads the workspace's signing key, making it at the first start; all processes on one store share it.
func NewSigner(ctx context.Context, store SecretStore, now func() time.Time) (*Signer, error) {
	if now == nil {
		now = time.Now
	}
	key, err := store.Secret(ctx, "signing")
	if err == nil && key == nil {
		fresh := make([]byte, 32)
		rand.Read(fresh) // never fails: it ends the program instead
		key, err = store.KeepSecret(ctx, "signing", fresh, now(), false)
	}
	return &Signer{key: key, now: now}, err
}

type signed struct {
	For     string          `json:"f"`
	Expires int64           `json:"e"` // milliseconds
	Value   json.RawMessage `json:"v"`
}

// Sign writes v for a purpose, good for a while.
func (s *Signer) Sign(purpose string, v any, lasts time.Duration) (string, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(signed{For: purpose, Expires: s.now().Add(lasts).UnixMilli(), Value: value})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(payload) + "." + base64.RawURLEncoding.EncodeToString(s.mac(payload)), nil
}

// maxSigned bounds what is looked at before its signature is known to be good.
const maxSigned = 4096

// Open reads a signed text into v. A text of another hand, for another purpose or past its time is an error for its bearer.
func (s *Signer) Open(purpose, text string, v any) error {
	wrong := models.Errorf(models.Invalid, "this link or form is not one of ours").WithRemedy("Open the page again.")
	head, tail, ok := strings.Cut(text, ".")
	payload, errHead := base64.RawURLEncoding.DecodeString(head)
	mac, errTail := base64.RawURLEncoding.DecodeString(tail)
	if !ok || len(text) > maxSigned || errHead != nil || errTail != nil || !hmac.Equal(mac, s.mac(payload)) {
		return wrong
	}
	var held signed
	if err := json.Unmarshal(payload, &held); err != nil || held.For != purpose {
		return wrong
	}
	if s.now().UnixMilli() >= held.Expires {
		return models.Errorf(models.Invalid, "this link or form has expired").WithRemedy("Open the page again.")
	}
	return json.Unmarshal(held.Value, v)
}

func (s *Signer) mac(payload []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(payload)
	return h.Sum(nil)
}
