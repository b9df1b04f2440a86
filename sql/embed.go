// Package sql holds every SQL text that runs on ClickHouse, as files that run as they are in a console:
// migrations (fixed tables, in order), staging (the tables and views that the registry makes for each object, with the
// marked places {object} and {columns}) and metrics (one folder a room).
package sql

import (
	"embed"
	"io/fs"
)

//go:embed migrations staging metrics
var files embed.FS

// Migrations holds the numbered steps that make the fixed tables.
func Migrations() fs.FS { return sub("migrations") }

// Staging holds the texts from which the tables and views of each object are made.
func Staging() fs.FS { return sub("staging") }

// Metrics holds one folder a room, one file a policy: "kpi/b2b_week.sql".
func Metrics() fs.FS { return sub("metrics") }

func sub(folder string) fs.FS {
	tree, err := fs.Sub(files, folder)
	if err != nil {
		panic("sql: " + err.Error()) // the folder's name is a constant above
	}
	return tree
}
