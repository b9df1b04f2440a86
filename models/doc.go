// Package models holds the words of Canopy: what every other package means by them.
//
// # Glossary
//
//	object       one kind of record (deal, account), described once in the registry: its fields, keys, scope and rules.
//	             Not "entity", "table" or "type".
//	record       one thing of an object, with a version that counts its writes. Not "row", which is a line of a file or of a result.
//	number       a record's dense 64-bit number within its object, the same in all stores; its public id is <object>_<number>.
//	field, kind  one value of a record and what values it takes. Empty is nil, never "" or 0.
//	command      a wish to write: create, update, delete, restore. The only way to change a record.
//	change       what a command did: one row of the log, with the fields before and after and the record's whole image.
//	image        all values of a record as of an instant.
//	position     a change's place in the log's order, from 1, without gaps.
//	happened     when a fact was so in the world (happened_at); recorded: when Canopy was told (recorded_at).
//	restated     an image that a back-dated change appends again for a later instant which it affects.
//	cutoff       as of when a question is asked: happened before an instant, known up to a position.
//	reader       who reads or writes, with role and scope; every call carries one.
//	scope        which rows a reader sees: a predicate like any other.
//	predicate    a filter as data: one tree, compiled for each database and evaluated in Go (package predicate).
//	window       half-open, [from, to); weeks and days are cut on the workspace's calendar.
//	cause        why a change was made: screen, api, import:7, undo:7, demo:1, rule:lines.
//	port         a small interface that a package declares over what it needs from another layer.
//	relay        what takes the log over into the warehouse, in frozen batches; incarnation: one copy of the log there.
//	room         one analytic: definition, SQL, pure computation, stored runs.
//	run          one computation of a room over some weeks; split: the dimension by which a tree's sum is opened.
package models
