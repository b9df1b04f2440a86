#!/bin/sh
# Looks at everything before it says what is wrong.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
export CGO_ENABLED=0 # as the build: what it compiled is not compiled again

# step WHAT COMMAND…: runs the command; output on a command that only lists counts as a finding, too (list).
step() {
	what=$1
	shift
	"$@" || { echo "lint: $what"; status=1; }
}
list() {
	found=$("$@" 2>&1) || { echo "$found"; return 1; }
	[ -z "$found" ] || { echo "$found"; return 1; }
}

step "not formatted as gofmt does" list gofmt -l cmd crm dashboards ingest metrics models sql warehouse ./*.go web/*.go
step "go vet" go vet ./...
step "go.mod does not say what the code needs: go mod tidy" go mod tidy -diff
step "the settings of golangci-lint" bin/golangci-lint config verify
step "golangci-lint" bin/golangci-lint run ./...
step "the types of the pages" npm --prefix web run check
step "docs/openapi.json is not what the program serves: make generate" sh -c 'bin/canopy openapi | cmp - docs/openapi.json'

[ $status -eq 0 ] && echo "lint: nothing found"
exit $status
