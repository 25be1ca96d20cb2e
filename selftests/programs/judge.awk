# SPDX-License-Identifier: GPL-2.0
#
# Judges what guest.sh wrote: for plan.tsv, results.tsv and sockets.tsv, in this order,
# prints results as TAP without numbers, and writes a table to the file "table".  The
# throughput on CATS must be at least "least" of that on plain TCP where the network is
# the bottleneck, and "least_varying" of it for the cases that vary.

function verdict(good, name, why)
{
	print (good ? "ok" : "not ok") " - " name (good ? "" : " # " why)
}

function check_case(name, tcp, cats)
{
	if (status[tcp] != "expected" || status[cats] != "expected")
		verdict(0, name "-result", "tcp: status " status[tcp] ", cats: " status[cats])
	else
		verdict(result[tcp] == result[cats], name "-result",
			"tcp: " result[tcp] ", cats: " result[cats])
}

function check_throughput(name, tcp, cats, floor,	ratio)
{
	ratio = throughput[tcp] > 0 ? throughput[cats] / throughput[tcp] : 0
	printf "%s\t%s\t%s\t%s\t%.3f\n", name, unit[tcp], throughput[tcp], throughput[cats],
		ratio >table
	if (floor) {
		gsub("\t", "-", name)
		verdict(ratio >= floor, name "-throughput",
			sprintf("%.4f of plain TCP, not %s", ratio, floor))
	}
}

BEGIN {
	FS = "\t"
	print "program\tcase\tlink\tunit\ttcp\tcats\tratio" >table
}

FILENAME ~ /plan.tsv$/ {
	programs[++nr_programs] = $1
	nr_cases[$1] = split($2, names, " ")
	for (i in names)
		case_of[$1, i] = names[i]
}

FILENAME ~ /results.tsv$/ {
	key = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4
	throughput[key] = $5
	unit[key] = $6
	status[key] = $7
	result[key] = $8
}

FILENAME ~ /sockets.tsv$/ {
	n = split($2, words, " ")
	for (i = 1; i < n; i++) {
		if (words[i] ~ /^(attached|inherited|plain|refused)$/)
			count[$1, words[i]] += words[i + 1]
	}
}

END {
	split("path veth", links, " ")
	for (p = 1; p <= nr_programs; p++) {
		program = programs[p]
		for (i = 1; i <= nr_cases[program]; i++) {
			split(case_of[program, i], words, ":")
			for (l = 1; l <= 2; l++) {
				if (words[2] && words[2] != links[l])
					continue
				name = words[1]
				key = program SUBSEP name SUBSEP links[l] SUBSEP
				floor = words[3] == "varies" ? least_varying : least
				check_case(program "-" name "-" links[l], key "tcp", key "cats")
				check_throughput(program "\t" name "\t" links[l],
						 key "tcp", key "cats",
						 links[l] == "path" ? floor : 0)
			}
		}
		verdict(count[program, "attached"] && count[program, "inherited"] &&
			!count[program, "plain"] && !count[program, "refused"],
			program "-sockets", sprintf("%d attached, %d inherited, " \
				"%d plain, %d refused",
				count[program, "attached"], count[program, "inherited"],
				count[program, "plain"], count[program, "refused"]))
	}
}
