package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"canopy/models"
)

// holdQueries open the listeners and then hold the process: 4·10⁹ naps of 3 s, one row a block, shown to nobody.
const holdQueries = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; " +
	"SELECT sleepEachRow(3) FROM numbers(4000000000) FORMAT Null SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1"

// ports are the two that a child listens on, on loopback.
type ports struct{ tcp, http int }

func (p ports) addr() string     { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.tcp)) }
func (p ports) httpAddr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.http)) }

// choose fills the zero ports with free ones. Another process may take one before the child does; then the child ends with
// errPortTaken and the next try chooses again.
func (p ports) choose() (ports, error) {
	for _, port := range []*int{&p.tcp, &p.http} {
		if *port != 0 {
			continue
		}
		l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // it does not wait
		if err != nil {
			return p, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() //nolint:gocritic // of two: closed after both are chosen, so that they differ
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

var errPortTaken = errors.New("a port of the engine is taken by another process")

// process is one life of the child.
type process struct {
	cmd      *exec.Cmd
	control  *os.File // the write end of the child's standard input
	log      *stderrLog
	ports    ports
	password string
	client   *http.Client
	exited   chan struct{} // closed when the child is gone and reaped
}

// spawn starts a child; it is not yet ready. The child gets no environment of ours, which may hold secrets, and the lock,
// which must outlive us as long as it does.
func (e *Engine) spawn(at ports) (*process, error) {
	if err := e.layout.clean(); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the control pipe: %w", err)
	}
	defer read.Close()
	cmd := exec.Command(e.config.Executable, ChildCommand, e.library, //nolint:noctx // it outlives every context: its end is the pipe's
		"--config-file="+e.layout.config(), "--path="+e.layout.data(), "--log-level=warning",
		"--listen_host=127.0.0.1", "--tcp_port="+strconv.Itoa(at.tcp), "--http_port="+strconv.Itoa(at.http),
		"--interactive", "--disable_suggestion", "--progress=off", "--progress-table=off", "--highlight=0",
		"--query", holdQueries)
	cmd.Args[0] = os.Args[0]
	cmd.Dir = e.layout.dir
	cmd.Env = []string{"TZ=UTC", "LANG=C.UTF-8", "TERM=dumb", "HOME=" + e.layout.dir,
		// Go's part of the child has one thing to do, and no signal is to wake ClickHouse's threads for it.
		"GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1",
		childMark + "=1"}
	cmd.Stdin, cmd.ExtraFiles = read, []*os.File{e.lock}
	p := &process{cmd: cmd, control: write, ports: at, password: e.password, exited: make(chan struct{}), client: loopbackClient(),
		log: &stderrLog{logger: e.log, password: e.password}}
	cmd.Stderr = p.log
	cmd.SysProcAttr = childAttributes()
	cmd.WaitDelay = time.Second

	started := make(chan error)
	go func() {
		// The kernel ends the child with the thread that made it, so that thread is kept until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in ProcessState
			write.Close()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		write.Close()
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	return p, nil
}

// await returns nil when the child answers the user's question on HTTP; the native port was opened before that one.
func (p *process) await(ctx context.Context) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := p.ask(ctx, "SELECT 1")
		if err == nil {
			p.log.serve()
			_, _ = p.control.Write([]byte{wordTrim})
			return nil
		}
		select {
		case <-p.exited:
			return p.exitError()
		case <-ctx.Done():
			return models.Errorf(models.Unavailable, "the engine does not answer: %v", err)
		case <-time.After(pause):
		}
	}
}

// exitError says how the child ended, with its last words.
func (p *process) exitError() error {
	last := p.log.last()
	if strings.Contains(last, "Address already in use") {
		return errPortTaken
	}
	if last != "" {
		last = ": " + last
	}
	return models.Errorf(models.Unavailable, "the engine ended (%s)%s", p.cmd.ProcessState, last)
}

// alive says whether the child answers anything at all on HTTP; an error of ClickHouse, as "out of memory", is an answer.
func (p *process) alive(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.ports.httpAddr()+"/ping", nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body) // to its end, or ClickHouse logs a broken pipe
	return err
}

// ask runs a statement over HTTP and drops its answer.
func (p *process) ask(ctx context.Context, statement string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.ports.httpAddr()+"/", strings.NewReader(statement))
	if err != nil {
		return err
	}
	request.Header.Set("X-ClickHouse-User", User)
	request.Header.Set("X-ClickHouse-Key", p.password)
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 2000))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", response.StatusCode, strings.TrimSpace(string(text)))
	}
	return err
}

// stop ends the child and returns when it is gone: it cancels the holding query, upon which ClickHouse closes its tables
// in order; then it closes the pipe; then it kills.
func (p *process) stop(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	p.log.end()
	// The session's own query is the one without a user. The answer may be cut off by the end that it asks for.
	_ = p.ask(ctx, "KILL QUERY WHERE user = ''")
	for _, next := range []func(){func() { p.control.Close() }, p.kill} {
		select {
		case <-p.exited:
			return
		case <-ctx.Done():
		}
		next()
		ctx, cancel = context.WithTimeout(context.Background(), time.Second) //nolint:fatcontext // each begins anew
		defer cancel()                                                       //nolint:gocritic // two at most
	}
	<-p.exited
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// loopbackClient asks nobody's proxy and keeps no connection, so that it never meets a dead one.
func loopbackClient() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil}}
}
