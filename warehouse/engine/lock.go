package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"canopy/models"
)

// orphanPatience is how long a lock is waited for whose holder has died: its child is about to follow it.
const orphanPatience = 5 * time.Second

// lockDirectory takes the exclusive lock of a data directory and writes its name into it. The lock belongs to the open
// file, so a child that inherits it holds it too: it is free only when both are gone.
// Errors: conflict, naming the holder.
func lockDirectory(ctx context.Context, dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	deadline := time.Now().Add(orphanPatience)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		holder, alive := readHolder(path)
		if alive || time.Now().After(deadline) || ctx.Err() != nil {
			f.Close()
			return nil, models.Errorf(models.Conflict, "the data directory %s is in use by %s", dir, holder).
				WithRemedy("Stop that process, or give this one a data directory of its own.")
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := writeHolder(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("write the lock: %w", err)
	}
	return f, nil
}

// writeHolder: first the process id, then words for people. Arguments are left out: they may hold a secret.
func writeHolder(f *os.File) error {
	host, _ := os.Hostname()
	text := fmt.Sprintf("%d\n%s on %s since %s\n", os.Getpid(), filepath.Base(os.Args[0]), host, time.Now().UTC().Format(time.RFC3339))
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// readHolder says who holds the lock, and whether that process lives (true where it cannot be known).
func readHolder(path string) (holder string, alive bool) {
	text, err := os.ReadFile(path)
	var pid int
	if err != nil {
		return "another process", true
	}
	if n, _ := fmt.Sscanf(string(text), "%d", &pid); n != 1 || pid <= 0 {
		return "another process", true
	}
	_, about, _ := strings.Cut(string(text), "\n")
	holder = strings.TrimSpace(fmt.Sprintf("process %d (%s)", pid, strings.TrimSpace(about)))
	return holder, !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}
