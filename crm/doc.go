// Package crm is what the business may do: the record engine and one file a noun for behaviour that is more than fields.
//
// Every write - from the screen, the API, a batch, an import, the demo, an undo - is a models.Command and goes through
// Engine.Batch: one transaction that changes the record and appends its change. There is no other way to write.
package crm
