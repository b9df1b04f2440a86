package postgrestest_test

import (
	"context"
	"testing"

	"canopy/crm/store/postgrestest"

	"github.com/jackc/pgx/v5"
)

func TestDatabasesAreFreshAndTheServerIsStrange(t *testing.T) {
	t.Parallel()
	for range 2 {
		dsn := postgrestest.Database(t)
		connection, err := pgx.Connect(context.Background(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Exec(context.Background(), `create table only_once (x int)`); err != nil {
			t.Fatal(err)
		}
		var linguistic bool
		var zone string
		if err := connection.QueryRow(context.Background(), `select 'a' < 'B', current_setting('timezone')`).Scan(&linguistic, &zone); err != nil {
			t.Fatal(err)
		}
		if !linguistic || zone == "UTC" {
			t.Errorf("default collation linguistic: %t, zone %s", linguistic, zone)
		}
		if err := connection.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
