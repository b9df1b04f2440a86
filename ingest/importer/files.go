package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"canopy/models"
)

// files keeps imported files in the data directory under the hash of their bytes, so that a resumed import reads exactly what the first
// try read, whatever has become of the original.
type files struct {
	directory string
	mu        sync.Mutex
	held      map[string]int // files whose imports are being added: they are not dropped
}

func (f *files) has(hash string) bool {
	_, err := os.Stat(f.path(hash))
	return err == nil
}

func (f *files) path(hash string) string { return filepath.Join(f.directory, hash) }

// store copies a file and takes the census of its bytes. It is durable on return, and held until release. Reading stops when ctx ends.
func (f *files) store(ctx context.Context, body io.Reader) (hash string, size int64, census *byteCensus, err error) {
	if err := os.MkdirAll(f.directory, 0o700); err != nil {
		return "", 0, nil, fmt.Errorf("make directory of imports: %w", err)
	}
	partial, err := os.CreateTemp(f.directory, "upload-*")
	if err != nil {
		return "", 0, nil, fmt.Errorf("store file: %w", err)
	}
	defer os.Remove(partial.Name()) //nolint:errcheck // renamed away where all went well
	sum := sha256.New()
	census = &byteCensus{}
	size, err = io.Copy(io.MultiWriter(partial, sum, census), contextReader{ctx, body})
	if err == nil {
		err = partial.Sync()
	}
	if err = errors.Join(err, partial.Close()); err != nil {
		return "", 0, nil, fmt.Errorf("store file: %w", err)
	}
	if size == 0 {
		return "", 0, nil, models.FieldError("file", "the file is empty").WithRemedy("Choose a file with a header and rows.")
	}
	hash = hex.EncodeToString(sum.Sum(nil))
	if err := f.keep(partial.Name(), hash); err != nil {
		return "", 0, nil, fmt.Errorf("store file: %w", err)
	}
	return hash, size, census, nil
}

// keep gives a stored file its name and holds it against dropping until release.
func (f *files) keep(partial, hash string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.Rename(partial, f.path(hash)); err != nil {
		return err
	}
	if err := syncDirectory(f.directory); err != nil {
		return err
	}
	if f.held == nil {
		f.held = map[string]int{}
	}
	f.held[hash]++
	return nil
}

func (f *files) release(hash string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held[hash]--; f.held[hash] == 0 {
		delete(f.held, hash)
	}
}

func syncDirectory(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type contextReader struct {
	ctx context.Context //nolint:containedctx // it lives within one call
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// drop removes a stored file that no import needs any more.
func (f *files) drop(ctx context.Context, jobs Progress, hash string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held[hash] > 0 {
		return nil
	}
	used, err := jobs.InUse(ctx, hash)
	if err != nil || used {
		return err
	}
	if err := os.Remove(f.path(hash)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// sweep removes what killed processes left: uploads that were never whole, and files that no import needs.
func (f *files) sweep(ctx context.Context, jobs Progress) error {
	entries, err := os.ReadDir(f.directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "upload-") {
			err = os.Remove(f.path(e.Name()))
		} else {
			err = f.drop(ctx, jobs, e.Name())
		}
		if err != nil {
			return fmt.Errorf("tidy imported files: %w", err)
		}
	}
	return nil
}
