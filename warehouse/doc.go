// Package warehouse is ClickHouse as Canopy uses it: opened and checked (Open), its fixed tables made by numbered steps
// (Migrate), the tables and views of each object made from the registry (EnsureObjects), asked through typed questions
// (Query), and proven (Audit). It knows tables, not what they mean; the relay fills them, the rooms ask them.
package warehouse
