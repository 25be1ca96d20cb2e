# SPDX-License-Identifier: GPL-2.0
#
# Finds in the module's source what can fail for want of memory or for a bad
# address: calls of functions from outside whose names say that they allocate, charge
# or copy.  A name is enough: what is called so and does not fail is noticed, because
# no fault is ever seen there.
#
# Usage: awk -v wrappers="NAME..." -f sites.awk FILE... FILE...
#
# The files are given twice: first to learn which functions are the module's own.
# Their calls are no sites, but for those of wrappers: functions whose failure is
# their caller's.  Prints file, line, function and what it calls, separated by tabs.

BEGIN {
	suspect = "alloc([^a]|$)|dup|clone|refill|mem_schedule|KMEM_CACHE|_create"
	# load.c fails it with all else that is allocated as the module is loaded, but the
	# stack does not tell it from what the kernel allocates there.
	elsewhere["register_sysctls", "kmemdup"] = 1
	elsewhere["cats_mib_init", "alloc_percpu"] = 1
	elsewhere["cats_mib_init", "proc_create_net_single"] = 1
	suspect = suspect "|copy_(page_)?(from|to)_(user|iter|sockptr)"
	# What TCP allocates for a write that goes to it directly.
	inside["pass", "tcp_sendmsg_locked"] = "sk_page_frag_refill"
	split(wrappers, list, " ")
	for (i in list)
		wrapper[list[i]] = 1
}

FNR == 1 {
	if (FILENAME in seen)
		second = 1
	seen[FILENAME] = 1
	comment = 0
	function_name = ""
}

# Comments; none of the kernel's style begins behind code and goes on.
{
	line = $0
	gsub(/\/\*.*\*\//, "", line)
	gsub(/"([^"\\]|\\.)*"/, "", line)
	if (comment) {
		if (line !~ /\*\//)
			next
		sub(/.*\*\//, "", line)
		comment = 0
	}
	if (line ~ /\/\*/) {
		sub(/\/\*.*/, "", line)
		comment = 1
	}
}

# The head of a function starts in the first column, and so does its brace.
line ~ /^[a-z].*[a-z0-9_]+\(/ && line !~ /;[ \t]*$/ {
	match(line, /[A-Za-z0-9_]+\(/)
	head = substr(line, RSTART, RLENGTH - 1)
}

line ~ /^\{/ {
	function_name = head
	own[head] = 1
}

line ~ /^\}/ {
	function_name = ""
}

second && function_name && line ~ /^[ \t]/ {
	rest = line
	while (match(rest, /[A-Za-z_][A-Za-z0-9_]*\(/)) {
		name = substr(rest, RSTART, RLENGTH - 1)
		rest = substr(rest, RSTART + RLENGTH)
		if ((function_name, name) in inside) {
			print FILENAME "\t" FNR "\t" function_name "\t" name
			print FILENAME "\t" FNR "\t" function_name "\t" \
				inside[function_name, name]
		}
		if (function_name in wrapper || (function_name, name) in elsewhere)
			continue
		if ((name in wrapper) || (name ~ suspect && !(name in own)))
			print FILENAME "\t" FNR "\t" function_name "\t" name
	}
}
