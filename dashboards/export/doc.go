// Package export writes records into files that others read: CSV, Parquet and Arrow.
//
// An export is a long job of crm/job. It reads all its records in one snapshot of the store, so that a file stands as of one position of
// the change log and nothing in it contradicts itself. An export that was interrupted begins anew with a new snapshot: it has no
// effects that would have to be kept, and half a file of yesterday with half a file of today would be none.
package export
