package dashboards_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

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

func (w *wire) ask() int64 {
	if _, err := w.conn.Write(w.request); err != nil {
		w.Fatal(err)
	}
	response, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		w.Fatal(err)
	}
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		w.Fatalf("%d, %v", response.StatusCode, err)
	}
	return n
}

// BenchmarkStoredTree compares a stored tree, with all that a request goes through, to the fastest Fiber answer of the same bytes.
// The goal is at most 1.5 ms between the two.
func BenchmarkStoredTree(b *testing.B) {
	var tree, plain atomic.Int64
	t := &testing.T{}
	_ = t
	b.Run("tree", func(b *testing.B) { tree.Store(benchTree(b)) })
	b.Run("same bytes", func(b *testing.B) { plain.Store(benchBytes(b)) })
	b.Logf("tree %.3f ms, same bytes %.3f ms, between them %.3f ms", ms(&tree), ms(&plain), ms(&tree)-ms(&plain))
}
