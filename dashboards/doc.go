// Package dashboards is the HTTP API: operational and analytic routes, and the place where a request becomes a reader.
//
// It does no arithmetic and knows no SQL. Each file is one noun: its wire types, its routes, its handlers. What it needs of the
// ingest side, of the rooms and of the web's files comes in through small interfaces (ports.go); the record engine and access
// it uses directly.
//
// Routes are described with huma, so that validation and the OpenAPI document come from the same Go types. Uploads and
// downloads stream over plain Fiber routes, described by hand in openapi.go. Fiber runs with Immutable set: no string of a
// request is shared with its buffers, and handlers get the user context, never Fiber's.
package dashboards
