package dashboards_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// wire asks one path over one kept connection, with as little work on the asking side as can be.
type wire struct {
	testing.TB
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
}

func newWire(t testing.TB, address, path, token string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{t, conn, bufio.NewReaderSize(conn, 256<<10), []byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + token + "\r\n\r\n")}
}

func (w *wire) ask() {
	if _, err := w.conn.Write(w.request); err != nil {
		w.Fatal(err)
	}
	response, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	if _, err = io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		w.Fatalf("%d, %v", response.StatusCode, err)
	}
}

// BenchmarkStoredTree compares a stored tree, with all that a request goes through, to the fastest Fiber answer of the same bytes.
// The goal is at most 1.5 ms between the two.
func BenchmarkStoredTree(b *testing.B) {
	a, analysed := analytic(b)
	h := scoped(sqliteHouse(b, analysed))
	for i := range 40 {
		h.wonDeal(fmt.Sprintf("Win %d", i), `,"owner":"{olga}","source":"inbound"`, "250.00")
	}
	h.settled(a)
	path := api + "/trees/b2b_pipeline?" + week
	told := h.send(ask{as: "vic", method: "GET", path: path})
	if told.status != http.StatusOK {
		b.Fatalf("%d %s", told.status, told.body)
	}
	bytes := []byte(told.body)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/*", func(c *fiber.Ctx) error { return c.Send(bytes) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = app.Listener(listener) }()
	b.Cleanup(func() { _ = app.Shutdown() })

	tree := newWire(b, strings.TrimPrefix(h.url, "http://"), path, h.tokens["vic"])
	plain := newWire(b, listener.Addr().String(), path, h.tokens["vic"])
	var treeTime, plainTime time.Duration
	for b.Loop() { // by turns, so that both meet the same machine
		started := time.Now()
		tree.ask()
		between := time.Now()
		plain.ask()
		treeTime, plainTime = treeTime+between.Sub(started), plainTime+time.Since(between)
	}
	perTree, perPlain := treeTime/time.Duration(b.N), plainTime/time.Duration(b.N)
	b.ReportMetric(float64((perTree-perPlain).Microseconds())/1000, "ms-over-plain/op")
	b.ReportMetric(float64(perPlain.Microseconds())/1000, "ms-plain/op")
	b.ReportMetric(float64(len(bytes)), "bytes/op")
}
