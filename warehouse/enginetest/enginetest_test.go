package enginetest

import (
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := Database(t), Database(t)
	if a == b {
		t.Fatal("one name for two: ", a)
	}
	conn := Connect(t, a)
	if err := conn.Exec(t.Context(), "create table x (n UInt8) engine = MergeTree order by n"); err != nil {
		t.Fatal(err)
	}
	var n uint64
	if err := Connect(t, b).QueryRow(t.Context(), "select count() from system.tables where database = currentDatabase()").Scan(&n); err != nil || n != 0 {
		t.Fatal(n, err)
	}
}

func TestDatabaseGoesWithItsTest(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("A test with spaces, ünd a name that is much longer than a database's name may reasonably be", func(t *testing.T) {
		name = Database(t)
	})
	var n uint64
	if err := Connect(t, "system").QueryRow(t.Context(), "select count() from databases where name = ?", name).Scan(&n); err != nil || n != 0 || name == "" {
		t.Fatal(name, n, err)
	}
}

func TestEngineIsShared(t *testing.T) {
	t.Parallel()
	if first, second := Start(t), Start(t); first != second {
		t.Fatal("two engines")
	}
}
