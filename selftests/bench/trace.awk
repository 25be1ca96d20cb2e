# SPDX-License-Identifier: GPL-2.0
#
# For trace.sh: the table, and what is asserted, of the rows of trace-guest.sh.  Variables:
# table, the file to write it to; scale, virtual ns per instruction.
#
#	msg_bytes	of a message
#	Minsn		median, 10^6 instructions
#	throughput	of the side that is off, as 1
#	events		that were written, median
#	insn_event	instructions that one costs
#	insn_msg	instructions that tracing costs per message
BEGIN {
	FS = OFS = "\t"
	# Off: as if there were none.
	off_tolerance = 0.005
	least_throughput = 0.95
	# A ring buffer's record, and a wide margin.  Less is not an event.
	least_insn = 100
	most_insn = 1500
	# Of fewer the cost is not told from what two runs differ by, 0.2 %.
	least_events = 2000
}

{
	key = $1 FS $2
	if (!(key in runs))
		order[++keys] = key
	n = ++runs[key]
	insn[key, n] = $4 / scale
	events[key, n] = $6
	msg_bytes[$1] = $3
	msgs[$1] = $5 / $3
}

# median(VALUES, KEY)
function median(values, key,	i, j, n, v, x)
{
	n = runs[key]
	for (i = 1; i <= n; i++) {
		x = values[key, i]
		for (j = i - 1; j >= 1 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function check(good, text)
{
	print (good ? "" : "not ") "ok - " text
}

# What "off" has of the throughput of "notrace".
function check_off(load,	r)
{
	r = ratio[load FS "notrace"]
	r = r > 0 ? 1 / r : 0
	check(r >= 1 - off_tolerance && r <= 1 + off_tolerance,
	      sprintf("%s: off costs nothing # %.4f of notrace", load, r))
}

function per(cost, n)
{
	return n > 0 ? sprintf("%.0f", cost / n) : "-"
}

function row(load, side,	key, all, off, n, cost)
{
	key = load FS side
	all = median(insn, key)
	off = median(insn, load FS "off")
	n = median(events, key)
	cost = all - off
	ratio[key] = off / all
	event_cost[key] = side ~ /^cats_/ ? per(cost, n) : "-"
	event_count[key] = n
	print load, msg_bytes[load], side, sprintf("%.2f", all / 1e6),
	      sprintf("%.4f", ratio[key]), n, event_cost[key],
	      side == "off" ? "-" : per(cost, msgs[load]) >table
}

END {
	print "load", "msg_bytes", "side", "Minsn", "throughput", "events", "insn_event",
	      "insn_msg" >table
	for (i = 1; i <= keys; i++) {
		split(order[i], part, FS)
		row(part[1], part[2])
	}
	check_off("bulk")
	check_off("large")
	r = ratio["large" FS "all+catslat"]
	check(r >= least_throughput,
	      sprintf("throughput with all of it # %.4f of off", r))
	for (i = 1; i <= keys; i++) {
		split(order[i], part, FS)
		if (part[2] !~ /^cats_/ || part[1] == "large")
			continue
		cost = event_cost[order[i]] + 0
		n = event_count[order[i]]
		check(n >= least_events && cost >= least_insn && cost <= most_insn,
		      sprintf("%s %s # %s instructions per event", part[1], part[2], cost))
	}
}
