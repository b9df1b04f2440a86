package engine

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"canopy/models"
)

// User is the only one who may use the engine.
const User = "canopy"

// engines are those that keep their data inside the engine's directory, or on the servers of a configured cluster.
var engines = []string{"Atomic", "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "CollapsingMergeTree",
	"VersionedCollapsingMergeTree", "Memory", "Null", "Set", "Join", "Merge", "View", "MaterializedView", "Dictionary", "Distributed"}

//go:embed template/*.xml
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"xml": escapeXML}).ParseFS(templateFiles, "template/*.xml"))

// layout names what lies in the data directory.
type layout struct{ dir string }

func (l layout) config() string  { return filepath.Join(l.dir, "config.xml") }
func (l layout) users() string   { return filepath.Join(l.dir, "users.xml") }
func (l layout) data() string    { return filepath.Join(l.dir, "data") }
func (l layout) backups() string { return filepath.Join(l.dir, "backups") }

// password reads the engine user's password, and makes one the first time: 256 random bits in hexadecimal.
func (l layout) password() (string, error) {
	path := filepath.Join(l.dir, "password")
	text, err := os.ReadFile(path)
	if err == nil {
		if err := os.Chmod(path, 0o600); err != nil {
			return "", fmt.Errorf("protect the password: %w", err)
		}
		if p := strings.TrimSpace(string(text)); len(p) >= 32 {
			return p, nil
		}
		return "", models.Errorf(models.Invalid, "the file %s holds no password", path).
			WithRemedy("Remove the file; the next start makes a new password.")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails, by its contract
	p := hex.EncodeToString(secret)
	return p, writeFile(path, []byte(p+"\n"))
}

// writeConfiguration makes config.xml and users.xml for the next start of the child, from c with its defaults set.
func (l layout) writeConfiguration(c Config, password string) error {
	sum := sha256.Sum256([]byte(password))
	values := map[string]any{
		"UsersPath": l.users(), "BackupDirectory": l.backups(),
		"MemoryBytes": c.MemoryBytes, "QueryMemoryBytes": c.QueryMemoryBytes, "SpillBytes": c.QueryMemoryBytes * 2 / 5,
		"Threads": c.Threads, "QuerySeconds": max(1, int64(c.QueryTime.Seconds())),
		"User": User, "Engines": engines, "PasswordSHA256": hex.EncodeToString(sum[:]),
	}
	for name, path := range map[string]string{"config.xml": l.config(), "users.xml": l.users()} {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, values); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		if err := writeFile(path, b.Bytes()); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// clean removes what a new process must not find: ClickHouse keeps the database "system" in memory in this mode, and
// folders of it from an earlier process stop its log tables and fill the log with errors.
func (l layout) clean() error {
	for _, left := range []string{"data/system", "metadata/system", "metadata/system.sql"} {
		if err := os.RemoveAll(filepath.Join(l.data(), filepath.FromSlash(left))); err != nil {
			return fmt.Errorf("clean the data directory: %w", err)
		}
	}
	return nil
}

// writeFile replaces a file of mode 0600 in one step, so that no reader and no crash sees half of it.
func writeFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it was renamed, or the first error counts
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func escapeXML(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}
