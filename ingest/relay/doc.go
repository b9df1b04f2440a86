// Package relay takes the change log over into ClickHouse: in order, in frozen batches, each change exactly once.
//
// A batch is a range of positions, written down in the transactional store before the first try (Freeze). Each of its tables gets
// one block with the token incarnation:batch:table, so that a repeated try adds nothing; the position moves on once all stand
// (Acknowledge). After a crash on either side the frozen batch goes first, unchanged. Reading and decoding the next batch goes on
// while ClickHouse takes the last one; ClickHouse being away stops neither the writers nor the log, it only grows the lag.
package relay
