#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: catsctl with the module and without.  Results go to /out/results, as
# TAP without numbers, and what is JSON to /out/*.json, where the host reads it.
set -u

ko=/lib/cats/cats.ko
modules=/lib/modules/$(uname -r)
ns=tools
results=/out/results
# Another user, with --userspec=USER / COMMAND...
as=(/sbin/chroot --groups=)
output=/tmp/output
errors=/tmp/errors

# check NAME COMMAND...: its success is a result
check()
{
	local name=$1

	shift
	if "$@" >/tmp/check.log 2>&1; then
		echo "ok - $name"
	else
		sed 's/^/# /' /tmp/check.log "$output" "$errors"
		echo "not ok - $name"
	fi >>"$results"
}

# gives STATUS COMMAND...: in the namespace; its output is for says and complains
gives()
{
	local expected=$1 status=0

	shift
	/sbin/ip netns exec "$ns" "$@" >"$output" 2>"$errors" </dev/null || status=$?
	echo "$*: status $status, not $expected"
	[[ $status -eq $expected ]]
}

# Without privilege.
nobody()
{
	local expected=$1

	shift
	gives "$expected" "${as[@]}" --userspec=nobody / "$@"
}

says()
{
	grep -qE -- "$1" "$output"
}

complains()
{
	grep -qE -- "$1" "$errors"
}

silent()
{
	[[ ! -s $output ]]
}

# tells STATUS PATTERN ARGUMENT...: catsctl ends with that and prints that
tells()
{
	local status=$1 pattern=$2

	shift 2
	gives "$status" catsctl "$@" && says "$pattern"
}

# Without the module: each reason.
absent()
{
	gives 1 catsctl status && says "$1" && says "$2" &&
		gives 1 catsctl ss && complains "$1" && gives 1 catsctl stat && complains "$1" &&
		gives 1 catsctl policy list && complains "$1"
}

not_loaded()
{
	check "not installed" absent 'not installed for kernel' 'make install'
	mkdir -p "$modules/extra" /lib/modules/6.1.0-other
	cp "$ko" /lib/modules/6.1.0-other/
	check "for another kernel" absent 'for another kernel .*6\.1\.0-other' 'make install'
	sed "s/vermagic=[^ ]*/vermagic=6.1.0-other/" "$ko" >"$modules/extra/cats.ko"
	check "built for another kernel" absent 'was built for kernel 6\.1\.0-other' 'make install'
	cp "$ko" "$modules/extra/"
	check "unknown to modprobe" absent 'is there, but not loaded' 'depmod -a'
	echo "extra/cats.ko:" >>"$modules/modules.dep"
	check "not loaded" absent 'is there, but not loaded' 'as root: modprobe cats'
	gives 1 catsctl status -j
	cp "$output" /out/absent.json
}

# start_holder NAME USER: sets holder, and the ports of what it made
start_holder()
{
	/sbin/ip netns exec "$ns" "${as[@]}" --userspec="$2" / /test/holder \
		>"/out/$1.holder" 2>&1 &
	holder=$!
	holders+=("$holder")
	until grep -qx end "/out/$1.holder"; do
		kill -0 "$holder" || return
		usleep 1000
	done
	read -r _ port peer listener <"/out/$1.holder"
}

has_row()
{
	awk -v want="$1" '$1 " " $2 " " $3 == want { found = 1 } END { exit !found }' "$output"
}

table()
{
	gives 0 catsctl ss "sport = :$port" &&
		says '^  bbr: bandwidth [0-9.]+ .bit/s, min RTT [0-9.]+ ms' &&
		says "^established  127.0.0.1:$port > 127.0.0.1:$peer  bounded  urgency 3  uid 0" &&
		has_row "0 2000 2" && has_row "5 6000 3" && says 'cwnd [0-9]+$' &&
		says 'last refusal: EINVAL TAG_URGENCY: tag: urgency is above 7' &&
		[[ $(grep -c '^established' "$output") -eq 1 ]] &&
		[[ $(awk '{ if (length > n) n = length } END { print n }' "$output") -le 120 ]]
}

# Names of results are the same each time.
name_of()
{
	echo "${1//[0-9][0-9][0-9][0-9]*([0-9])/PORT}"
}

filters()
{
	local yes='^established' filter

	for filter in "sport = :$port" "sport $port" "src 127.0.0.1:$port" \
		"( dport = :1 or sport = :$port )" "sport = :$port state established" \
		"sport = :$port and not dst 10.0.0.1" "sport = :$port src 127.0.0.0/8" \
		"sport >= :$port and sport <= :$port" "! sport != $port"; do
		check "filter: $(name_of "$filter")" tells 0 "$yes" ss "$filter"
	done
	for filter in "sport = :$peer" "sport = :$port dst 10.0.0.1" \
		"sport = :$port not state all" "sport = :$port and src 128.0.0.0/1" \
		"sport < :$port and sport > :$port" \
		"sport = :$port src [::1]"; do
		check "filter that nothing passes: $(name_of "$filter")" nothing "$filter"
	done
	for filter in "sport" "( sport = :1" "state nowhere" "src 1.2.3" "nonsense" "sport = :1 )" \
		"src = 10.0.0.0/33" "not"; do
		check "no filter: $filter" gives 2 catsctl ss "$filter"
	done
}

nothing()
{
	gives 1 catsctl ss "$1" && silent
}

# Not that it sees its own only.
none_of_root()
{
	gives 1 catsctl ss -6 && silent && [[ ! -s $errors ]]
}

ss_command()
{
	check "table" table
	gives 0 catsctl ss -j "sport = :$port"
	cp "$output" /out/ss.json
	check "-l" tells 0 "^listening .*:$listener" ss -l
	check "-a" tells 0 "^listening .*:$listener" ss -a
	check "-4" tells 0 "^established" ss -4
	check "-6: none, and root is told nothing else" none_of_root
	check "-w" twice ss -w 0.1 -n 2
	check "-n without -w" twice ss -n 2
	check "ss of the distribution" distribution
	filters
}

twice()
{
	gives 0 catsctl "$@" && [[ $(grep -c '^established' "$output") -eq 2 ]] &&
		[[ $(grep -cE '^# [0-9:]{8}$' "$output") -eq 2 ]]
}

distribution()
{
	gives 0 ss -tie "sport = :$port" && says 'tcp-ulp-cats'
}

# Somebody without privilege sees his own and nothing of others.
privilege()
{
	local scope=/proc/sys/kernel/yama/ptrace_scope roots=$port

	check "other users' sockets are not shown" nobody_sees_nothing
	start_holder nobody nobody
	check "own sockets are shown" nobody 0 catsctl ss
	check "with all that is known" own_table "$roots"
	check "and one is told that these are not all" complains 'your own sockets only'
	nobody 0 catsctl ss -j
	cp "$output" /out/own.json
	if [[ -e $scope ]]; then
		echo 2 >"$scope"
		check "those that may not be traced are not" nobody 1 catsctl ss
		check "and one is told why" complains '2 of your own .*ptrace_scope is 2'
		echo 0 >"$scope"
	else
		echo "ok - ptrace scope # SKIP this kernel has no Yama" >>"$results"
	fi
	check "no policy is set" denied
	check "status, without privilege" nobody 0 catsctl status
	check "stat, without privilege" nobody 0 catsctl stat
}

nobody_sees_nothing()
{
	nobody 1 catsctl ss -a && silent && complains 'your own sockets only'
}

own_table()
{
	says "^established .*:$port > .* uid 65534" && ! says ":$1 " && has_row "5 6000 3"
}

denied()
{
	nobody 3 catsctl policy set strict && complains 'CATS_CONDUCTOR' &&
		tells 0 '^bounded$' policy show
}

policy()
{
	check "policy list" tells 0 '^bounded \(of new sockets\)$' policy list
	check "policy list has the rest" says '^debt-paper$'
	check "policy set" gives 0 catsctl policy set wfq
	check "it is set" tells 0 '^wfq$' policy show
	check "bound takes it" tells 0 '^wfq, ' bound
	check "an unknown one" gives 2 catsctl policy set nosuch
	check "is refused with a list" complains 'there are: bounded '
	check "an empty name" gives 2 catsctl policy set ""
	gives 0 catsctl policy set bounded
	gives 0 catsctl policy list -j
	cp "$output" /out/policy.json
}

# The counters of a second in which one holder starts.
stat()
{
	local watcher

	/sbin/ip netns exec "$ns" catsctl stat -i 1 -n 1 -j >/out/stat.json &
	watcher=$!
	until [[ -s /out/stat.json ]]; do
		usleep 1000
	done
	start_holder stat root
	wait "$watcher"
	check "stat" tells 0 '^CatsAttached +4$' stat
	check "no zeroes" eval '! says " 0$"'
	check "stat -a" tells 0 '^CatsShed +0$' stat -a
	check "stat -n" tells 0 '^CatsCurrSockets +4 +now$' stat -n 1 -i 0.01
}

loaded()
{
	check "status" tells 0 '^CATS +loaded$' status
	check "status has a version" says '^module +[0-9.]+$'
	check "status has sysctls" says '^  first_flight +1000$'
	gives 0 catsctl status -j
	cp "$output" /out/status.json
	start_holder root root
	ss_command
	stat
	privilege
	policy
}

# The last thing: there is no way back.
disabled()
{
	kill "${holders[@]}"
	for _ in $(seq 100); do
		! rmmod cats 2>/dev/null || break
		usleep 20000
	done
	echo 1 >/proc/sys/kernel/modules_disabled
	check "modules are disabled" absent 'kernel.modules_disabled is 1' 'modules-load.d'
}

shopt -s extglob
holders=()
/sbin/ip netns add "$ns"
/sbin/ip -n "$ns" link set lo mtu 1500 up
/sbin/ip netns exec "$ns" sysctl -qw net.ipv4.tcp_tso_rtt_log=0
not_loaded
insmod "$ko"
loaded
disabled
echo "done" >/out/done
