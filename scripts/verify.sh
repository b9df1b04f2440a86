#!/bin/sh
# Makes each target in turn, goes on after a failure, and ends with how each went and how long it took.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
summary=
for target in "$@"; do
	echo
	echo "== $target"
	from=$(date +%s)
	if make "$target"; then word=ok; else word=FAILED; status=1; fi
	summary="$summary
$(printf '%-8s %-6s %4d s' "$target" "$word" "$(($(date +%s) - from))")"
done
echo "$summary"
exit $status
