# SPDX-License-Identifier: GPL-2.0
#
# Counts the results in TAP or KTAP: prints "passed failed skipped".  -v status=
# is the exit status of the program that printed it.  -v strict=1 counts skipped
# ones as failed.  Of nested results only the leaves count: a result line that
# follows a deeper one sums that up.
#
# What failed goes to -v failures=FILE, with what was said before it (-v suite= is its
# name): who sees the end of a log only shall see that.

function failed(what)
{
	print "# " suite ": " what >>failures
	printf "%s", said >>failures
}

# The last of it: the reason is near the result, a debug kernel has much to say.
function say(line)
{
	if (++says > 10)
		sub(/^[^\n]*\n/, "", said)
	said = said "#     " line "\n"
}

function forget()
{
	said = ""
	says = 0
}

{
	match($0, /^ */)
	depth = RLENGTH
	line = substr($0, depth + 1)
}

line ~ /^#/ {
	say(line)
}

line ~ /^1\.\.[0-9]+/ {
	plan[depth] = substr(line, 4) + 0
	seen[depth] = 0
	forget()
}

line ~ /^(not )?ok [0-9]+/ {
	seen[depth]++
	if (depth < deepest) {
		missing += plan[deepest] - seen[deepest]
		delete plan[deepest]
		deepest = depth
		forget()
		next
	}
	deepest = depth
	if (line ~ /# *SKIP/)
		skip++
	else if (line ~ /^not/)
		bad++
	else
		ok++
	if (strict ? line ~ /# *SKIP|^not/ : line ~ /^not/ && line !~ /# *SKIP/)
		failed(line)
	forget()
}

END {
	if (strict) {
		bad += skip
		skip = 0
	}
	for (depth in plan)
		missing += plan[depth] - seen[depth]
	if (missing > 0) {
		bad += missing
		failed(missing " planned results are missing")
	}
	if (!bad && (status || !ok)) {
		bad = 1
		failed("ended with status " status ", and no result says why")
	}
	print ok + 0, bad + 0, skip + 0
}
