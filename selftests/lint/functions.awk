# SPDX-License-Identifier: GPL-2.0
#
# Finds functions of more than max lines, braces included, in C and in shell: the
# body is what lies between braces in the first column, the name is in the lines
# before.  -v except= names the file of exceptions: file, function and reason,
# separated by tabs.  Exit status 1 if something was printed.

BEGIN {
	FS = "\t"
	while ((getline <except) > 0)
		if (NF == 3 && !/^#/)
			excused[$1 "\t" $2] = 1
}

FNR == 1 {
	start = 0
	name = ""
}

# The last line of the first column that may declare a function.
/^[A-Za-z_].*\(/ && !start {
	name = $0
	sub(/ *\(.*/, "", name)
	sub(/.*[ *]/, "", name)
}

/^\{/ {
	start = FNR
}

/^\}/ && start {
	lines = FNR - start + 1
	start = 0
	key = FILENAME "\t" name
	if (lines <= max)
		next
	if (key in excused) {
		needed[key] = 1
		next
	}
	printf "%s:%d: %s() has %d lines\n", FILENAME, FNR, name, lines
	found = 1
}

END {
	for (key in excused) {
		if (key in needed)
			continue
		printf "%s: not needed any more: %s\n", except, key
		found = 1
	}
	exit found
}
