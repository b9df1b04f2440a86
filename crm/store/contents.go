package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"canopy/crm"
	"canopy/models"
)

// Contents keeps files on a file system by their SHA-256: ab/cdef… for the hash abcdef…. What arrives is written beside, synced, and
// renamed into place, so that a hash stands for whole contents or for none.
type Contents struct{ directory string }

// OpenContents uses a directory, and makes it. Halves that a killed process left behind are taken away after a day by EachBefore.
func OpenContents(directory string) (*Contents, error) {
	if err := os.MkdirAll(filepath.Join(directory, arriving), 0o700); err != nil {
		return nil, fmt.Errorf("make room for files: %w", err)
	}
	return &Contents{directory}, nil
}

// arriving is the folder of what has not arrived whole yet.
const arriving = "arriving"

var hexHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c *Contents) path(sha string) (string, error) {
	if !hexHash.MatchString(sha) {
		return "", models.Errorf(models.NotFound, "there is no such file")
	}
	return filepath.Join(c.directory, sha[:2], sha[2:]), nil
}

type staged struct {
	contents *Contents
	file     string // "" once it is kept
	sha      string
	size     int64
	head     []byte
}

// Stage reads a body into the folder of arrivals.
func (c *Contents) Stage(ctx context.Context, body io.Reader, limit int64) (_ crm.Staged, err error) {
	file, err := os.OpenFile(filepath.Join(c.directory, arriving, rand.Text()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store file: %w", err)
	}
	s := &staged{contents: c, file: file.Name()}
	defer func() {
		if err != nil {
			s.Drop()
		}
	}()
	sum := sha256.New()
	s.size, err = io.Copy(io.MultiWriter(file, sum, (*head)(&s.head)), &reading{ctx, io.LimitReader(body, limit+1)})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err = errors.Join(file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("store file: %w", err)
	}
	if s.size > limit {
		return nil, &models.Error{Code: models.TooLarge, Field: "file", Message: fmt.Sprintf("the file is larger than %d MB", limit>>20), Remedy: "Send a smaller one."}
	}
	s.sha = hexOf(sum)
	return s, nil
}

func hexOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// head keeps the first 512 bytes written to it.
type head []byte

func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), 512-len(*h))]...)
	return len(p), nil
}

// reading ends with its context.
type reading struct {
	ctx  context.Context //nolint:containedctx // it lives within one call
	body io.Reader
}

func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.body.Read(p)
}

func (s *staged) SHA256() string { return s.sha }
func (s *staged) Size() int64    { return s.size }
func (s *staged) Head() []byte   { return s.head }

// Keep renames the file into place, over one with the same contents that may be there: the newer one counts for how long it waits.
func (s *staged) Keep() error {
	path, err := s.contents.path(s.sha)
	if err != nil || s.file == "" {
		return err
	}
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	if err := os.Rename(s.file, path); err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	s.file = ""
	return errors.Join(syncDirectory(directory), syncDirectory(s.contents.directory))
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Drop takes away what is left.
func (s *staged) Drop() {
	if s.file != "" {
		_ = os.Remove(s.file)
	}
}

// Open reads what is kept under a hash.
func (c *Contents) Open(_ context.Context, sha string) (io.ReadCloser, int64, error) {
	path, err := c.path(sha)
	if err != nil {
		return nil, 0, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, models.Errorf(models.NotFound, "the file's contents are gone").WithRemedy("Ask an administrator to bring them back from a backup.")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open file: %w", err), file.Close())
	}
	return file, info.Size(), nil
}

// Has tells whether contents are kept.
func (c *Contents) Has(_ context.Context, sha string) (bool, error) {
	path, err := c.path(sha)
	if err != nil {
		return false, nil //nolint:nilerr // no hash, no contents
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Remove takes contents away; what is not there is no error.
func (c *Contents) Remove(_ context.Context, sha string) error {
	path, err := c.path(sha)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove file: %w", err)
	}
	return nil
}

// EachBefore visits what was kept before an instant, and takes away halves that are as old.
func (c *Contents) EachBefore(ctx context.Context, before time.Time, fn func(sha string) error) error {
	return filepath.WalkDir(c.directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
			return nil
		}
		if err != nil {
			return err
		}
		folder := filepath.Base(filepath.Dir(path))
		if folder == arriving {
			return os.Remove(path) //nolint:gosec // the folder is Canopy's own, and nobody else writes links into it
		}
		if sha := folder + entry.Name(); hexHash.MatchString(sha) {
			return fn(sha)
		}
		return nil
	})
}
