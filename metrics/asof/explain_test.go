package asof

import (
	"testing"

	"canopy/metrics/roomtest"
)

// Every SQL file of the room is understood by the engine as it stands.
func TestFilesAreExplained(t *testing.T) {
	t.Parallel()
	roomtest.Explain(t, roomtest.Warehouse(t, "deal", "user"), "asof")
}
