package engine

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// endOfInput is Ctrl-D: it ends the prompt whether the terminal hands out lines or single keys.
const endOfInput = 0x04

// attachTerminal makes standard input a pseudo-terminal (see the package comment). The C library's functions are used, so
// that Linux and macOS go the same way. The other end says Ctrl-D for ever: the writes stand still as soon as the
// terminal's buffer is full, and go on only when something reads, which is the prompt that follows the holding query.
func attachTerminal() error {
	master, err := cInt("posix_openpt", uintptr(unix.O_RDWR|unix.O_NOCTTY))
	if err != nil {
		return err
	}
	unix.CloseOnExec(master)
	for _, step := range []string{"grantpt", "unlockpt"} {
		if _, err := cInt(step, uintptr(master)); err != nil {
			return err
		}
	}
	f, err := purego.Dlsym(purego.RTLD_DEFAULT, "ptsname")
	if err != nil {
		return err
	}
	name, _, _ := purego.SyscallN(f, uintptr(master))
	if name == 0 {
		return fmt.Errorf("ptsname: no name")
	}
	path := unix.BytePtrToString(*(**byte)(unsafe.Pointer(&name)))
	slave, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := replaceInput(slave); err != nil {
		return fmt.Errorf("take %s as standard input: %w", path, err)
	}
	_ = unix.Close(slave)
	_ = unix.SetNonblock(master, true) // both goroutines below wait in Go's poller

	say, hear := os.NewFile(uintptr(master), "terminal"), make([]byte, 256)
	go func() {
		for {
			if _, err := say.Write([]byte{endOfInput}); err != nil {
				return
			}
		}
	}()
	// What is echoed or shown there is read away, or a full buffer would stop ClickHouse.
	go func() {
		for {
			if _, err := say.Read(hear); err != nil {
				return
			}
		}
	}()
	return nil
}

// cInt calls a C function that answers a negative int where it fails.
func cInt(name string, arg uintptr) (int, error) {
	f, err := purego.Dlsym(purego.RTLD_DEFAULT, name)
	if err != nil {
		return 0, err
	}
	r, _, errno := purego.SyscallN(f, arg)
	if int32(r) < 0 { //nolint:gosec // C's int
		return 0, fmt.Errorf("%s: %w", name, syscall.Errno(errno))
	}
	return int(int32(r)), nil //nolint:gosec // C's int
}
