#!/bin/sh
# All tests but those in a browser. What could not run here is listed at the end; with CANOPY_REQUIRE=all it fails instead.
set -u
cd "$(dirname "$0")/.." || exit 1

# A file of its own each time: a test that reads this variable is one that did not run, and must not be taken from Go's test cache.
CANOPY_NOT_RUN=$(mktemp "${TMPDIR:-/tmp}/canopy-not-run-XXXXXX") || exit 1
export CANOPY_NOT_RUN
trap 'rm -f "$CANOPY_NOT_RUN"' EXIT
trap 'exit 130' INT TERM

status=0

# The race detector needs a C compiler; Canopy itself does not.
compiler=$(go env CC)
compiler=${compiler%% *}
if command -v "${compiler:-gcc}" >/dev/null 2>&1; then
	CGO_ENABLED=1 go test -race -p 2 -timeout 40m ./... || status=1
else
	missing="race detector: there is no C compiler (${compiler:-gcc}); the tests ran without it"
	CGO_ENABLED=0 go test -p 2 -timeout 40m ./... || status=1
	echo "$missing" >>"$CANOPY_NOT_RUN"
	if [ "${CANOPY_REQUIRE:-}" = all ]; then
		echo "FAIL: $missing"
		status=1
	fi
fi

(cd web && npm test) || status=1

if [ -s "$CANOPY_NOT_RUN" ]; then
	echo
	sort -u "$CANOPY_NOT_RUN" | sed -e 's/^NOT RUN: //' -e 's/^/NOT RUN: /'
fi
exit $status
