# SPDX-License-Identifier: GPL-2.0
#
# Counts the results in TAP or KTAP: prints "passed failed skipped".  -v status=
# is the exit status of the program that printed it.  -v strict=1 counts skipped
# ones as failed.  Of nested results only the leaves count: a result line that
# follows a deeper one sums that up.

{
	match($0, /^ */)
	depth = RLENGTH
	line = substr($0, depth + 1)
}

line ~ /^1\.\.[0-9]+/ {
	plan[depth] = substr(line, 4) + 0
	seen[depth] = 0
}

line ~ /^(not )?ok [0-9]+/ {
	seen[depth]++
	if (depth < deepest) {
		missing += plan[deepest] - seen[deepest]
		delete plan[deepest]
		deepest = depth
		next
	}
	deepest = depth
	if (line ~ /# *SKIP/)
		skip++
	else if (line ~ /^not/)
		bad++
	else
		ok++
}

END {
	if (strict) {
		bad += skip
		skip = 0
	}
	for (depth in plan)
		missing += plan[depth] - seen[depth]
	if (missing > 0)
		bad += missing
	if (!bad && (status || !ok))
		bad = 1
	print ok + 0, bad + 0, skip + 0
}
