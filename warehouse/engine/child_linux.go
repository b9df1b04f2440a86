package engine

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func replaceInput(fd int) error { return unix.Dup3(fd, 0, 0) }

// childAttributes: a process group of its own, so that a terminal's Ctrl-C reaches only the parent, which then ends the
// child in order; and the kernel's word that it dies with the thread that made it, as a second wall behind the pipe.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// self is the running binary, even if its file was replaced or deleted meanwhile.
func self() (string, error) {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		return os.Executable()
	}
	return "/proc/self/exe", nil
}

// trim gives back the pages of the library that only loading and starting needed (relocations, registries, XML: some
// 150 MB of clean file pages). They stay in the page cache, so one that is needed again costs a minor fault. A mapping
// with a page of its own (Anonymous) is left alone: dropping it would undo relocations.
func trim(library string) {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	var from, to uintptr
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 6 && strings.Contains(fields[0], "-"):
			from, to = 0, 0
			if fields[5] == library && (fields[1] == "r--p" || fields[1] == "r-xp") {
				from, to = addresses(fields[0])
			}
		case len(fields) >= 2 && fields[0] == "Anonymous:" && fields[1] == "0" && to > from:
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
		}
	}
}

// addresses reads "7f00-7fff", hexadecimal; zeros where it is something else.
func addresses(s string) (from, to uintptr) {
	a, b, _ := strings.Cut(s, "-")
	x, err1 := strconv.ParseUint(a, 16, 64)
	y, err2 := strconv.ParseUint(b, 16, 64)
	if err1 != nil || err2 != nil {
		return 0, 0
	}
	return uintptr(x), uintptr(y)
}
