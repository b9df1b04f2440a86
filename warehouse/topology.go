package warehouse

// Topology says over how many servers the rows of an object are spread and where a record's rows go, so that all of a record's
// changes lie on one server and a state is found without asking the others.
type Topology interface {
	// Shards is the number of servers that hold different rows; at least 1.
	Shards() int
	// ShardOf names the server, from 0, of the rows of one record.
	ShardOf(object string, number uint64) int
}

// Single is one server with everything: the embedded engine, or one clickhouse-server.
type Single struct{}

// Shards is 1.
func (Single) Shards() int { return 1 }

// ShardOf is 0.
func (Single) ShardOf(string, uint64) int { return 0 }
