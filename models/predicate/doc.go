// Package predicate is the one language in which Canopy asks for some of an object's records: filters, segments, drill-downs, conditions
// of automations, and row scope. A predicate is a small tree written as JSON (Node), checked against the registry (Bound), and then
// compiled for SQLite, PostgreSQL and ClickHouse or evaluated in Go; all four choose the same records.
//
//	{"and":[…]}  {"or":[…]}  {"not":{…}}
//	{"field":"amount","op":"gte","value":{"amount":"1000","currency":"USD"}}
//	{"field":"account","op":"related","where":{"field":"country","op":"in","value":["DE","AT"]}}
//
// The logic has two values. A comparison with an empty field is false, is_empty alone is true for it, and not turns either around; ne
// and not_in are the opposites of eq and in, so they hold for an empty field. Text is compared byte by byte; contains and starts_with
// make A–Z and a–z equal and nothing else. Money compares with money of the same currency and is false against any other. A date
// given for an instant means that day on the workspace's clock.
//
// Beside an object's own fields a predicate may name id (or number: the public id), version, created_at, updated_at and happened_at.
// Whether deleted records are meant is the caller's business; a deleted record that is only referred to never matches.
//
// It is the only package that writes query text: names come from the registry and are quoted, values are bound.
package predicate
