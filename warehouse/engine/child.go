package engine

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ChildCommand is the first argument by which a binary knows that it is to be the engine: its main (or TestMain) then
// calls [Main] with the arguments after it, before anything else.
const ChildCommand = "engine-child"

// childMark stands in the child's environment. Start refuses to work there: a binary whose main does not know ChildCommand
// would otherwise start itself without end.
const childMark = "CANOPY_ENGINE_CHILD"

// What the parent says on the control pipe; its end says more than any word: the parent is gone, or wants the child gone.
const wordTrim = 't'

// The exit codes of the child; the reason stands on its standard error.
const (
	exitNotRead  = 3 // arguments, pipe or terminal
	exitNoLoad   = 4 // the library, or the function in it
	exitReturned = 5 // ClickHouse came back by itself
)

// Main is the life of the child; it does not return. args: the library's path, then the arguments of "clickhouse local".
//
// It does as little as possible, because two run-time systems share this process. Go's thread of this goroutine becomes
// ClickHouse's main thread; one more goroutine waits for the control pipe. ClickHouse installs no signal handlers: its
// handler of a crash takes 4 s to end the process and says nothing here, while Go's ends it at once and says where it was.
// The exit goes straight to the kernel, past destructors that would run under the feet of a hundred live threads.
func Main(args []string) {
	runtime.LockOSThread()
	if len(args) < 2 {
		leave(exitNotRead, "usage: %s LIBRARY ARGUMENTS…", ChildCommand)
	}
	// A terminal's Ctrl-C and a broken socket are the parent's affair; SIGTERM keeps ending the process.
	signal.Ignore(syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE)

	control, err := detachControl()
	if err != nil {
		leave(exitNotRead, "take the control pipe: %v", err)
	}
	library, err := purego.Dlopen(args[0], purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		leave(exitNoLoad, "load the library: %v", err)
	}
	entry, err := purego.Dlsym(library, "chdb_query_cmdline")
	if err != nil {
		leave(exitNoLoad, "find the entry: %v", err)
	}
	if f, err := purego.Dlsym(library, "chdb_set_signal_handlers_enabled"); err == nil {
		purego.SyscallN(f, 0)
	}
	if err := attachTerminal(); err != nil {
		leave(exitNotRead, "open a terminal: %v", err)
	}
	go obey(control, args[0])

	argv := cStrings(append([]string{"clickhouse"}, args[1:]...))
	result, _, _ := purego.SyscallN(entry, uintptr(len(argv)-1), uintptr(unsafe.Pointer(&argv[0])))
	runtime.KeepAlive(argv)
	leave(exitReturned, "clickhouse came back: %s", resultError(library, result))
}

// obey reads the control pipe to its end, which ends the process. Acknowledged data are on disk by then: an insert is
// answered after its fsync, so leaving at once loses what kill -9 would lose, nothing.
func obey(control io.Reader, library string) {
	word := make([]byte, 1)
	for {
		n, err := control.Read(word)
		if n == 1 && word[0] == wordTrim {
			debug.FreeOSMemory()
			trim(library)
		}
		if err != nil {
			syscall.Exit(0)
		}
	}
}

// detachControl moves standard input away from where ClickHouse would read it.
func detachControl() (*os.File, error) {
	fd, err := syscall.Dup(0)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	_ = syscall.SetNonblock(fd, true) // waits in Go's poller instead of holding a thread
	return os.NewFile(uintptr(fd), "control"), nil
}

// cStrings makes argv: NUL-terminated strings and a nil at the end, so its length is argc+1.
func cStrings(list []string) []*byte {
	argv := make([]*byte, len(list)+1)
	for i, s := range list {
		b := append([]byte(s), 0)
		argv[i] = &b[0]
	}
	return argv
}

// resultError is what ClickHouse said of its end; it has written the same to standard error where it was an exception.
func resultError(library, result uintptr) string {
	f, err := purego.Dlsym(library, "chdb_result_error")
	if result == 0 || err != nil {
		return "no result"
	}
	text, _, _ := purego.SyscallN(f, result)
	if text == 0 {
		return "no error"
	}
	var b []byte
	for p := *(*unsafe.Pointer)(unsafe.Pointer(&text)); *(*byte)(p) != 0 && len(b) < 2000; p = unsafe.Add(p, 1) {
		b = append(b, *(*byte)(p))
	}
	return string(b)
}

func leave(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, ChildCommand+": "+format+"\n", args...)
	syscall.Exit(code)
}
