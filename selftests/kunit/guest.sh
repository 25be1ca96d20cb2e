#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: loads the module with the KUnit suites inside, and prints what they
# found as KTAP, a subtest per suite.  Then unloads it, looks for leaks, and brings
# back the line counts of the module.
#
# Usage: guest.sh SUITE...
#
# SUITEs are those that there must be; a suite that did not run is a failed one.
#
# The results are read from the kernel log: what KUnit keeps in debugfs ends after
# 512 bytes per case, and with it the result of a case that fails with many words.
set -eu

begin="cats-kunit: suites begin"
end="cats-kunit: suites end"

# The kernel's log of the time in between, without its time stamps.
log()
{
	dmesg | sed 's/^<[0-9]*>//; s/^\[ *[0-9.]*\] \{0,1\}//' |
		awk -v begin="$begin" -v end="$end" '
			$0 == end { inside = 0 }
			inside
			$0 == begin { inside = 1 }'
}

# KUnit's lines as they are, all others as comments.  Its plan lines of the top
# level, if any, would repeat ours.
ktap()
{
	awk '
		/^ *(not )?ok [0-9]+ / || /^ +(KTAP version|# |1\.\.)/ { print; next }
		/^(KTAP version|1\.\.)/ { next }
		/^# / { print "    " $0; next }
		NF { print "    # " $0 }'
}

# Results of the top level so far.
results()
{
	grep -cE '^(not )?ok [0-9]+ ' /tmp/results || :
}

# result NAME STATUS LOG
result()
{
	sed 's/^/# /' "$3"
	if [ "$2" -eq 0 ]; then
		echo "ok $(($(results) + 1)) $1"
	else
		echo "not ok $(($(results) + 1)) $1"
	fi | tee -a /tmp/results
}

has_run()
{
	grep -qE "^(not )?ok [0-9]+ $1( |\$)" /tmp/results
}

# try NAME COMMAND...: the command's success as a result
try()
{
	name=$1 failed=0
	shift
	"$@" >/tmp/log 2>&1 || failed=1
	result "$name" "$failed" /tmp/log
}

echo "KTAP version 1"
echo "1..$(($# + 3))"
echo "$begin" >/dev/kmsg
insmod /lib/cats/cats_kunit.ko >/tmp/insmod 2>&1 && loaded=0 || loaded=1
echo "$end" >/dev/kmsg
log | ktap | tee /tmp/results
echo "there is no result of this suite" >/tmp/log
for suite in "$@"; do
	has_run "$suite" || result "$suite" 1 /tmp/log
done
result load "$loaded" /tmp/insmod
try unload rmmod cats_kunit
try no-leak kmemleak.sh
collect.sh /out/gcov
! grep -qE '^ *not ok ' /tmp/results
