package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"canopy/models"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// maxArrow bounds the memory, in bytes, that the batches of an Arrow file may take at once: a batch is unpacked as a whole.
const maxArrow = 512 << 20

// arrowFile reads an Arrow IPC file batch by batch. Cells become text in Canopy's own notation, as those of a Parquet file.
type arrowFile struct {
	handle   *os.File
	file     *ipc.FileReader
	names    []string
	native   []bool
	upcoming int // batch
	batch    arrow.Record
	place    int // in batch
	count    int64
	size     int64
}

// errArrowMemory is thrown by bounded and caught by whoever reads.
var errArrowMemory = models.FieldError("file", "a batch of the Arrow file takes more than %d MiB of memory", maxArrow>>20).WithRemedy("Write it in smaller batches, or as Parquet or CSV.")

// bounded is an allocator that stops a file whose batches unpack to more than a server can hold.
type bounded struct {
	memory.Allocator
	left int
}

// Allocate panics with errArrowMemory past the bound.
func (b *bounded) Allocate(size int) []byte {
	b.spend(size)
	return b.Allocator.Allocate(size)
}

// Reallocate panics with errArrowMemory past the bound.
func (b *bounded) Reallocate(size int, p []byte) []byte {
	b.spend(size - len(p))
	return b.Allocator.Reallocate(size, p)
}

// Free gives memory back.
func (b *bounded) Free(p []byte) {
	b.left += len(p)
	b.Allocator.Free(p)
}

func (b *bounded) spend(size int) {
	if b.left -= size; b.left < 0 {
		panic(errArrowMemory)
	}
}

// damagedArrow tells a file that is too large from one that is damaged.
func damagedArrow(thrown any, after int64) error {
	if err, ok := thrown.(error); ok && errors.Is(err, errArrowMemory) {
		return errArrowMemory
	}
	return models.FieldError("file", "the Arrow file is damaged after row %d: %v", after, thrown).WithRemedy("Write the file again, or export it as CSV.")
}

func openArrow(path string, allocator memory.Allocator) (s source, err error) {
	handle, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { // the library panics on some damaged files
		if thrown := recover(); thrown != nil {
			s, err = nil, damagedArrow(thrown, 0)
		}
		if err != nil {
			err = errors.Join(err, handle.Close())
		}
	}()
	info, err := handle.Stat()
	if err != nil {
		return nil, err
	}
	file, err := ipc.NewFileReader(handle, ipc.WithAllocator(&bounded{allocator, maxArrow}))
	if err != nil {
		return nil, damagedArrow(err, 0)
	}
	a := &arrowFile{handle: handle, file: file, size: info.Size()}
	for _, field := range file.Schema().Fields() {
		a.names = append(a.names, strings.TrimSpace(field.Name))
		a.native = append(a.native, isNative(field.Type))
	}
	return a, nil
}

func (a *arrowFile) header() []string      { return a.names }
func (a *arrowFile) total() int64          { return -1 } // only the batches say
func (a *arrowFile) typed(column int) bool { return a.native[column] }

func (a *arrowFile) close() error {
	if a.batch != nil {
		a.batch.Release()
	}
	return errors.Join(a.file.Close(), a.handle.Close())
}

func (a *arrowFile) next() (r row, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = damagedArrow(thrown, a.count)
		}
	}()
	for a.batch == nil || a.place >= int(a.batch.NumRows()) {
		if a.upcoming == a.file.NumRecords() {
			return row{}, io.EOF
		}
		if a.batch != nil {
			a.batch.Release()
			a.batch = nil
		}
		batch, err := a.file.RecordAt(a.upcoming)
		if err != nil {
			return row{}, damagedArrow(fmt.Errorf("batch %d: %w", a.upcoming+1, err), a.count)
		}
		a.batch, a.place = batch, 0
		a.upcoming++
	}
	a.count++
	r = row{number: a.count + 1, cells: make([]string, len(a.names)), bytes: int64(float64(a.size) * float64(a.upcoming) / float64(a.file.NumRecords()))}
	r.fill(a.batch, a.place, a.names)
	a.place++
	return r, nil
}
