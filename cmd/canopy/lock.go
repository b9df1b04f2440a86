package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"canopy/models"
)

// lockData takes the data directory for this process, making it if it is not there. SQLite has one writer, and the files
// of imports and the engine belong to one server; so a second process is refused and told so.
func lockData(ctx context.Context, data string) (release func() error, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, models.FieldError("data", "%v", err).WithRemedy("Name a directory that this user may write.")
	}
	lock := flock.New(filepath.Join(data, "canopy.lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if held {
		return lock.Unlock, nil
	}
	said := models.Errorf(models.Conflict, "another Canopy works on the data directory %s", data).
		WithRemedy("Stop it, or give this one a data directory of its own (--data).")
	if server, err := running(ctx, data); err == nil && server != nil {
		said.Message = fmt.Sprintf("the Canopy at %s works on the data directory %s", server.URL, data)
	}
	return nil, said
}
