package crm

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"canopy/models"

	"golang.org/x/crypto/argon2"
)

// argonCost is how much work a password's hash takes. It is stored with each hash, so that a later, greater cost
// reads the old ones and replaces them at the next login.
type argonCost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

// todaysCost follows the OWASP Password Storage Cheat Sheet (argon2id, 19 MiB, 2 passes, 1 lane).
var todaysCost = argonCost{memory: 19 * 1024, passes: 2, lanes: 1}

const (
	saltBytes          = 16
	hashBytes          = 32
	minPassword        = 10    // characters
	maxPassword        = 1_000 // bytes
	maxParallelHashing = 2     // each holds todaysCost.memory: a flood of logins waits, it does not eat the machine
)

// passwords hashes and checks passwords, a few at a time.
type passwords struct {
	slots chan struct{}
	decoy string // hash that is checked where there is no user, so that both take as long
}

func newPasswords() *passwords {
	p := &passwords{slots: make(chan struct{}, maxParallelHashing)}
	p.decoy = encodePHC(todaysCost, make([]byte, saltBytes), make([]byte, hashBytes))
	return p
}

// validatePassword says what a new password must be; it looks at nothing but its length, as length is what counts.
func validatePassword(password string) error {
	switch {
	case !utf8.ValidString(password):
		return models.FieldError("password", "a password is UTF-8 text")
	case utf8.RuneCountInString(password) < minPassword:
		return models.FieldError("password", "a password has at least %d characters", minPassword).WithRemedy("A few unrelated words make a good one.")
	case len(password) > maxPassword:
		return models.FieldError("password", "a password has at most %d bytes", maxPassword)
	}
	return nil
}

// hash gives the PHC string of a password under today's cost and a fresh salt.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails: it ends the program instead
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	return encodePHC(todaysCost, salt, todaysCost.key(password, salt, hashBytes)), nil
}

// matches tells whether password is the one behind phc, in a time that does not depend on the answer; an empty phc never
// matches and takes as long. stale tells that the hash was made at another cost and should be made anew.
func (p *passwords) matches(ctx context.Context, password, phc string) (ok, stale bool, err error) {
	known := phc != ""
	if !known {
		phc = p.decoy
	}
	cost, salt, want, err := decodePHC(phc)
	if err != nil {
		return false, false, err
	}
	if len(password) > maxPassword {
		known, password = false, ""
	}
	if err := p.enter(ctx); err != nil {
		return false, false, err
	}
	defer p.leave()
	equal := subtle.ConstantTimeCompare(cost.key(password, salt, uint32(len(want))), want) == 1 //nolint:gosec // bounded by decodePHC
	return equal && known, cost != todaysCost, nil
}

func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *passwords) leave() { <-p.slots }

func (c argonCost) key(password string, salt []byte, length uint32) []byte {
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.lanes, length)
}

// encodePHC writes $argon2id$v=19$m=19456,t=2,p=1$salt$hash, the string format of the password hashing competition.
func encodePHC(c argonCost, salt, hash []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.lanes, b64.EncodeToString(salt), b64.EncodeToString(hash))
}

func decodePHC(phc string) (c argonCost, salt, hash []byte, err error) {
	parts := strings.Split(phc, "$")
	var version int
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, fmt.Errorf("read password hash: not an argon2id string")
	}
	if _, err = fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return c, nil, nil, fmt.Errorf("read password hash: version %q is not known", parts[2])
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.lanes); err != nil || c.passes == 0 || c.lanes == 0 || c.memory > 1<<20 {
		return c, nil, nil, fmt.Errorf("read password hash: cost %q is not known", parts[3])
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("read password hash: salt: %w", err)
	}
	if hash, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(hash) < 16 || len(hash) > 128 {
		return c, nil, nil, fmt.Errorf("read password hash: its length is wrong")
	}
	return c, salt, hash, nil
}
