// Package job runs long work on records that people ask for: bulk edits here, exports through the same runner, and the undoing of both
// imports and bulk edits.
//
// A job is kept in the store. A bulk edit writes its progress in the transaction of the records that it counts, so that a process killed at
// any moment goes on, at the next start, exactly where the last commit left it. A job has the rights of whoever asked for it, as they
// are when each chunk is written.
package job
