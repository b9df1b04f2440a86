package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"

	"canopy/models"
)

// child is this program serving a data directory, as a person would start it.
type child struct {
	cmd *exec.Cmd
	*control
	ready time.Duration // from start to the first yes of /readyz
}

// benchPassword is the administrator's in scratch directories that live for seconds on loopback.
const benchPassword = "scratch directory only"

func startChild(ctx context.Context, data string, args ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	c := &child{control: &control{URL: "http://" + address}}
	c.cmd = exec.CommandContext(ctx, program, append([]string{"serve", "--data", data, "--listen", address, "--admin-password", benchPassword, "--log-level", "error"}, args...)...)
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	started := time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for c.call(ctx, http.MethodGet, "/readyz", nil, nil) != nil {
		if ctx.Err() != nil || time.Since(started) > time.Minute {
			return nil, errors.Join(fmt.Errorf("the server was not ready in a minute"), ctx.Err(), c.stop())
		}
		pause(ctx, 2*time.Millisecond)
	}
	c.ready = time.Since(started)
	for c.Token == "" { // the control file follows
		server, err := running(ctx, data)
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		if server != nil {
			c.control = server
		}
	}
	return c, nil
}

func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return c.cmd.Wait()
}

// memory is what the server and its engine hold resident, in MiB.
func (c *child) memory() (float64, error) {
	pids := []int{c.cmd.Process.Pid}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[0]))
	if err != nil {
		return 0, err
	}
	for _, task := range tasks { // each thread has its own
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	total := 0.0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(text)) {
			var kib float64
			if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
				total += kib / 1024
			}
		}
	}
	return total, nil
}

// benchStart starts the server anew on a workspace of about the size of the real set, and looks at its memory and at a
// stored tree.
func benchStart(ctx context.Context, c *benchCommand) (out []measurement, err error) {
	b, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer b.remove()
	if _, err := b.importSynthetic(ctx, c.size(8_800)); err != nil {
		return nil, errors.Join(err, b.close())
	}
	data := b.config.Data
	if err := errors.Join(b.back.close(), b.db.Close()); err != nil {
		return nil, err
	}
	first, err := startChild(ctx, data)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(first.settled(ctx), first.stop()); err != nil {
		return nil, err
	}
	next, err := startChild(ctx, data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, next.stop()) }()
	idle, err := next.memory()
	if err != nil {
		return nil, err
	}
	if err := next.backfill(ctx); err != nil {
		return nil, err
	}
	after, err := next.memory()
	if err != nil {
		return nil, err
	}
	tree, err := next.benchTree(ctx)
	return append([]measurement{
		{name: "start.ready", value: next.ready.Seconds(), unit: "s", ratio: next.ready.Seconds() / 3, of: "of the limit of 3 s (at most 1)"},
		{name: "memory.idle", value: idle, unit: "MiB", ratio: idle / 400, of: "of the limit of 400 MB, Canopy and engine (at most 1)"},
		{name: "memory.after_schedule", value: after, unit: "MiB", ratio: after / 400, of: "of the same, after every week was computed"},
	}, tree...), err
}

// settled waits until the relay has caught up.
func (c *child) settled(ctx context.Context) error {
	for ctx.Err() == nil {
		var status models.RelayStatus
		if err := c.call(ctx, http.MethodGet, "/api/v1/relay", nil, &status); err != nil {
			return err
		}
		if status.State == models.RelayCaughtUp {
			return nil
		}
		pause(ctx, 20*time.Millisecond)
	}
	return ctx.Err()
}

// weeksOf lists the weeks that have numbers.
func (c *child) weeksOf(ctx context.Context) ([]string, error) {
	var weeks struct {
		Weeks []struct {
			WeekOf string   `json:"week_of"`
			Value  *float64 `json:"value"`
		} `json:"weeks"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/v1/trees/b2b_pipeline/weeks", nil, &weeks); err != nil {
		return nil, err
	}
	var list []string
	for _, w := range weeks.Weeks {
		if w.Value != nil {
			list = append(list, w.WeekOf)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no week has numbers")
	}
	return list, nil
}

// backfill computes every week again and waits for it.
func (c *child) backfill(ctx context.Context) error {
	weeks, err := c.weeksOf(ctx)
	if err != nil {
		return err
	}
	var run struct {
		ID     int64  `json:"id"`
		Status string `json:"status"`
	}
	ask := map[string]string{"room": "kpi", "from": weeks[0], "to": weeks[len(weeks)-1]}
	if err := c.call(ctx, http.MethodPost, "/api/v1/runs", ask, &run); err != nil {
		return err
	}
	for run.Status != "done" {
		if run.Status == "failed" || run.Status == "cancelled" {
			return fmt.Errorf("the run ended as %s", run.Status)
		}
		pause(ctx, 20*time.Millisecond)
		if err := c.call(ctx, http.MethodGet, fmt.Sprintf("/api/v1/runs/%d", run.ID), nil, &run); err != nil {
			return err
		}
	}
	return nil
}

// benchTree asks for a stored tree many times, in turn with a bare Fiber server that answers the same bytes.
func (c *child) benchTree(ctx context.Context) ([]measurement, error) {
	weeks, err := c.weeksOf(ctx)
	if err != nil {
		return nil, err
	}
	path := "/api/v1/trees/b2b_pipeline?week_of=" + weeks[len(weeks)/2]
	body := &strings.Builder{}
	if err := c.call(ctx, http.MethodGet, path, nil, body); err != nil {
		return nil, err
	}
	bare, stop, err := bareFiber(ctx, []byte(body.String()))
	if err != nil {
		return nil, err
	}
	defer stop()
	const rounds = 400
	ours, theirs := make([]time.Duration, 0, rounds), make([]time.Duration, 0, rounds)
	for range rounds {
		for _, s := range []struct {
			c    *control
			into *[]time.Duration
		}{{c.control, &ours}, {bare, &theirs}} {
			started := time.Now()
			if err := s.c.call(ctx, http.MethodGet, path, nil, io.Discard); err != nil {
				return nil, err
			}
			*s.into = append(*s.into, time.Since(started))
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	over := float64((ours[rounds/2] - theirs[rounds/2]).Microseconds()) / 1000
	return []measurement{{name: "tree.stored", value: over, unit: "ms", ratio: over / 1.5, of: "of the limit of 1.5 ms over a bare Fiber answer of the same bytes (at most 1)"}}, nil
}

func bareFiber(ctx context.Context, body []byte) (*control, func(), error) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(body)
	})
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	go app.Listener(l)                                                                  //nolint:errcheck // it ends with Shutdown
	return &control{URL: "http://" + l.Addr().String()}, func() { app.Shutdown() }, nil //nolint:errcheck // the process ends soon
}

// pause waits between two looks at another process.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
