# SPDX-License-Identifier: GPL-2.0
#
# Compares the sites of the source with those where faults were seen.
#
# Usage: awk -F'\t' -v table=FILE -f judge.awk SITES ATTRIBUTED
#
# Prints a result for each site of the source, and a failure for each fault at another
# place.  FILE gets the table of who saw what.
#
# The line decides only between equal calls in one function: that of a call over several
# lines is a matter of taste.  What runs when the module is loaded is gone when its
# addresses are looked at, and is known by what it calls alone.

# The sweep of loading fails each cache in turn, and its trace does not say which.
function hit_caches(i)
{
	for (i = 1; i < nr_caches; i++)
		hits[caches[i]]++
}

function key_of(file, line, name, callee)
{
	if (callee == "kmem_cache_create")
		return caches[nr_caches]
	if (nr[name, callee] == 1)
		return only[name, callee]
	return file ":" line ":" name ":" callee
}

BEGIN { OFS = "\t" }

FNR == 1 { file_no++ }

file_no == 1 {
	key = $1 ":" $2 ":" $3 ":" $4
	order[++nr_sites] = key
	label[key] = $1 ":" $2 " " $3 "() " $4 "()"
	nr[$3, $4]++
	only[$3, $4] = key
	if ($4 == "KMEM_CACHE" || $4 ~ /^kmem_cache_create/)
		caches[++nr_caches] = key
	next
}

{
	key = key_of($1, $2, $3, $4)
	if ($4 == "kmem_cache_create")
		hit_caches()
	if (!(key in label)) {
		unknown[$1 ":" $2 " " $3 "() " $4 "()"]++
		next
	}
	hits[key]++
	entry = $5 == "init" ? "cats_init" : $5
	row = key OFS entry OFS $6
	if (!((row, $10) in saw)) {
		saw[row, $10] = 1
		before = row in what ? what[row] ", " : ""
		what[row] = before $10
	}
	if (!(row in tries))
		rows[++nr_rows] = row
	tries[row]++
}

END {
	for (i = 1; i <= nr_sites; i++) {
		key = order[i]
		print (hits[key] ? "ok" : "not ok") " - site " label[key] " # failed " \
			hits[key] + 0 " times"
	}
	for (place in unknown)
		print "not ok - site " place " is not one that the source was searched for"
	print "site", "calls", "below", "context", "faults", "the caller saw" >table
	for (i = 1; i <= nr_sites; i++)
		for (j = 1; j <= nr_rows; j++) {
			split(rows[j], part, OFS)
			if (part[1] != order[i])
				continue
			split(part[1], where, ":")
			print where[1] ":" where[3], where[4], part[2], part[3], \
				tries[rows[j]], what[rows[j]] >table
		}
}
