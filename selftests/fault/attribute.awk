# SPDX-License-Identifier: GPL-2.0
#
# Finds the place in the source of each fault.
#
# Usage: awk -F'\t' -v wrappers="NAME..." -f attribute.awk OFFSETS LINES FAULTS
#
#	OFFSETS	return addresses in the module's text, one a line
#	LINES	what addr2line -a -i -f says of the calls before them, in that order
#	FAULTS	what the driver wrote
#
# An address stands for several functions, each inlined in the next.  With them the
# stack is a list from the innermost function out; the site is the first call in it
# from one of the module's own files, or the call of a wrapper.  Prints: file, line,
# function, what it calls, the module's function that TCP or the socket layer called,
# context, kind, scenario, n, what the caller saw.

# own FILE: is it one of the module's?
function own(file)
{
	return file ~ /\/module\/[a-z_]+\.[ch]:/
}

# Appends a function of the stack.
function push_frame(name, place)
{
	names[++depth] = name
	places[depth] = place
}

function expand(offset, i, parts, n, fields)
{
	n = split(lines[offset], parts, "\n")
	for (i = 1; i <= n; i++) {
		split(parts[i], fields, "\t")
		push_frame(fields[1], fields[2])
	}
}

# Sets site to the index of the calling function.
function find_site()
{
	for (site = 2; site <= depth; site++)
		if (own(places[site]))
			break
	while (site <= depth && names[site] in wrapper)
		site++
}

# GCC names clones of functions: charge.isra.0.
function plain(name)
{
	sub(/\..*/, "", name)
	return name
}

BEGIN {
	OFS = "\t"
	split(wrappers, list, " ")
	for (i in list)
		wrapper[list[i]] = 1
}

FNR == 1 { file_no++ }

file_no == 1 { offsets[++nr_offsets] = $1; next }

file_no == 2 && /^0x/ { current = offsets[++nr_seen]; function_line = 1; next }
file_no == 2 && function_line { name = plain($0); function_line = 0; next }
file_no == 2 {
	sub(/ \(discriminator.*/, "")
	lines[current] = lines[current] (lines[current] ? "\n" : "") name "\t" $0
	function_line = 1
	next
}

{
	depth = 0
	push_frame($6, "")
	if ($7 == "init") {
		print "init", 0, "init", $6, "init", $5, $4, $1, $2, $8
		next
	}
	n = split($7, stack, ",")
	for (i = 1; i < n; i++)
		expand(stack[i])
	find_site()
	place = site <= depth ? places[site] : "?:0"
	sub(/.*\/module\//, "module/", place)
	split(place, parts, ":")
	print parts[1], parts[2], names[site], names[site - 1], names[depth], $5, $4, \
		$1, $2, $8
}
