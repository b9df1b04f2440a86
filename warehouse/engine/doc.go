// Package engine runs the real ClickHouse as a child of this process, from a library that npm installs.
//
// The library (libchdb.so) is the program "clickhouse local", and that program can listen. So the binary starts itself
// again under the hidden sub-command [ChildCommand]; that child loads the library without cgo, opens the native and the
// HTTP protocol on loopback and serves until its parent closes the pipe that is its standard input, in whatever way that
// happens. The parent ([Start]) keeps the data directory locked, restarts a child that died, and ends it in [Engine.Close].
//
// What is inside the data directory:
//
//	lock        held by flock by the parent and its child; names the holder
//	password    of the user "canopy", made once, mode 0600
//	config.xml  written at every start, like users.xml
//	users.xml   holds the password's SHA-256 only
//	data/       ClickHouse's own directory
//	backups/    where BACKUP … TO File('…') may write
//
// Three things are known about this mode and shape the package:
//
//   - A process of "clickhouse local" lives as long as its last query, so a query that sleeps holds it.
//   - Without a terminal it ends itself when a connection breaks a protocol's rules (one stray packet from a port scanner
//     is enough); with a terminal it logs the error and serves on. So the child gives it one: a pseudo-terminal that
//     nobody sees, whose only input is Ctrl-D, for the day on which the holding query is gone.
//   - Its session user "default" needs no password. That user may do one thing (open the listeners) and hold one session,
//     which is taken before the first port opens, so that nobody can connect as "default".
package engine
