// Package demo simulates Fernhill, a company that never was and sells business software by subscription, so that there is
// something to look at: two years of leads and touches, deals, quotes, orders, renewals, tickets and everything that people
// write down about them. Everything is written through the same commands as everyone's, at the instants at which it is said
// to have happened, and with the dirt of real life.
//
// The same seed, end and size give the same company, byte by byte. What drives it is written down beside it (Truths), so
// that an analysis can be proved to find what is there.
//
// One file a noun: each says when something of it happens and what is written then. A later noun adds a file, a stream of
// chance of its own (company.stream) and the hooks where it begins, and moves nothing of the others.
package demo
