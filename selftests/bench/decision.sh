#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# decision.sh [OUT]: does a decision of the Conductor cost the same whatever is queued?
# Measures it in the VM, in virtual time, and prints TAP: per policy and backlog, the
# ratio to a backlog of 10 messages of as many or no streams.  OUT/decision.tsv has the figures.
set -euo pipefail
shopt -s inherit_errexit

top=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
out=${1:-$top/out/bench}
# More would mean that it depends on what is queued.
tolerance=1.05

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$out"
make -s -C "$top/selftests/unit" OUT="$tmp" "$tmp/decision"
cat >"$tmp/guest.sh" <<'EOF'
#!/bin/sh
/decision >/out/decision.tsv
EOF
chmod +x "$tmp/guest.sh"
"$top/selftests/vm/run" --mem 1024 --add "$tmp/decision:/decision" --out "$out" \
	"$tmp/guest.sh" >"$tmp/log" 2>&1 || {
	cat "$tmp/log" >&2
	exit 1
}
awk -F '\t' -v tolerance="$tolerance" '
NR == 1 { next }
$2 == 10 { few[$1, $3 > 0] = $4; next }
{
	ratio = $4 / few[$1, $3 > 0]
	ok = ratio <= tolerance
	failed += !ok
	name = sprintf("%s/%d-messages/%d-streams", $1, $2, $3)
	lines[++n] = sprintf("%s %d %s # %.1f ns, %.3f of %.1f with 10 messages",
			     ok ? "ok" : "not ok", n, name, $4, ratio, few[$1, $3 > 0])
}
END {
	print "TAP version 13"
	print "1.." n
	for (i = 1; i <= n; i++)
		print lines[i]
	exit failed > 0 || !n
}' "$out/decision.tsv"
