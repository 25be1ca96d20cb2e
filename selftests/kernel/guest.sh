#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: every case of /kernel/list that has a command, first on plain TCP and
# then with CATS on every TCP socket, each in a network namespace of its own.
#
# Usage: guest.sh [CASE...]	all cases, or these
#	 guest.sh --case COMMAND	inside the namespace: one command of the list
#
# /out/plain/CASE.* and /out/cats/CASE.*:
#	status	exit status
#	out	what the program printed, standard error too
#	result	the part of it that must not depend on time
#	sockets	(cats) what the preloaded library counted

set -u
PATH=/kernel:$PATH
cd /kernel || exit

# What a case may take, in virtual seconds.
limit=150

# -- helpers of the list's commands ---------------------------------------------

# Other numbers than these are times, rates, and ports.
say()
{
	echo "= $*"
}

# wait_listen PORT PID: until the server listens, or has died
wait_listen()
{
	until ss -Htln "sport = :$1" | grep -q . || ! kill -0 "$2" 2>/dev/null; do
		usleep 1000
	done
}

# served PORT 'SERVER ARGS' 'CLIENT ARGS': a server that ends when its client does
served()
{
	local port=$1 server client=0 status=0

	$2 &
	server=$!
	wait_listen "$port" "$server"
	$3 || client=$?
	wait "$server" || status=$?
	say "client $client server $status"
}

# The server never ends.  What it received is in its last line but one.
mmap_transfer()
{
	local server log=/tmp/tcp_mmap.$$

	tcp_mmap "$1" -s "${@:2}" >"$log" 2>&1 &
	server=$!
	wait_listen 8787 "$server"
	tcp_mmap "$1" -H "$([ "$1" = -4 ] && echo 127.0.0.1 || echo ::1)" "${@:2}"
	say "client $?"
	until ss -Htn state connected "sport = :8787" | awk 'END { exit NR > 0 }'; do
		usleep 10000
	done
	usleep 100000
	kill "$server"
	wait "$server" 2>/dev/null
	cat "$log"
}

# transfer OPTION...: both directions at once, files of uneven size, with mptcp_connect
transfer()
{
	local server status

	[[ -e /tmp/up ]] || head -c 3000017 /dev/urandom >/tmp/up
	[[ -e /tmp/down ]] || head -c 2000003 /dev/urandom >/tmp/down
	mptcp_connect -t 30000 -l -p 10000 -s TCP "$@" :: </tmp/down >/tmp/up.got &
	server=$!
	wait_listen 10000 "$server"
	mptcp_connect -t 30000 -p 10000 -s TCP "$@" ::1 </tmp/up >/tmp/down.got
	say "client $?"
	wait "$server"
	say "server $?"
	cmp /tmp/up /tmp/up.got && say "up identical"
	cmp /tmp/down /tmp/down.got && say "down identical"
}

# fastopen OPTION: no connection may fail to use its cookie
fastopen()
{
	local failed

	sysctl -qw net.ipv4.tcp_fastopen=3
	ip tcp_metrics flush
	tcp_fastopen_backup_key "$1" || return
	failed=$(nstat -asz TcpExtTCPFastOpenPassiveFail | awk '/PassiveFail/ { print $2 }')
	say "failed $failed, opened $(nstat -asz TcpExtTCPFastOpenActive |
		awk '/Active / { print $2 }')"
}

# -- one case -------------------------------------------------------------------

run_case()
{
	ulimit -n 40000
	eval "$1"
}

# What is compared: verdicts of the harness, and what programs say of themselves,
# there without numbers.
result()
{
	grep -aE -e '^(not )?ok |^= |PASS|FAIL|^OK|OK\.|[Ff]ail|missing|unexpected' \
		-e 'ERROR|zc=|error|received|^ +(ENQ|SND|ACK): ' |
		sed -E -e 's/^ *(ENQ|SND|ACK): .* \((seq=[0-9]+, len=[0-9]+)\).*/= \1 \2/' \
		    -e 's/^(received [0-9.]+ MB).*/= \1/' \
		    -e '/^((not )?ok |= )/!s/[0-9.]+/N/g' -e 's/^# +//'
}

fresh_netns()
{
	ip netns del "$ns" 2>/dev/null
	ip netns add "$ns"
	ip -n "$ns" link set lo up
}

# one ROUND NAME COMMAND
one()
{
	local base=/out/$1/$2 status=0 from
	local -a preload=() inside=(ip netns exec "$ns")

	echo "# $1 $2" >&2
	fresh_netns
	if [[ $1 == cats ]]; then
		preload=(LD_PRELOAD=/kernel/cats_preload.so CATS_PRELOAD_LOG=/out/cats/"$2".sockets)
	fi
	# The kernel's scripts make namespaces themselves, and set what is not per namespace.
	[[ $3 != *.sh* ]] || inside=()
	from=${EPOCHREALTIME/./}
	env "${preload[@]}" timeout -s KILL "$limit" "${inside[@]}" \
		"$0" --case "$3" >"$base.out" 2>&1 || status=$?
	echo "$status" >"$base.status"
	echo $(((${EPOCHREALTIME/./} - from) / 1000)) >"$base.ms"
	result <"$base.out" >"$base.result"
	wait_closed
}

# A socket whose FIN is not acknowledged would keep the module.
wait_closed()
{
	local tries

	for ((tries = 0; tries < 1000; tries++)); do
		ip netns exec "$ns" ss -Htan | grep -qv '^TIME-WAIT' || break
		usleep 10000
	done
	ip netns del "$ns"
}

# round ROUND CASE...
round()
{
	local name command wanted=" ${*:2} "

	mkdir -p "/out/$1"
	while IFS=$'\t' read -r _ name command _; do
		[[ $name != - && -n $command ]] || continue
		[[ $# -eq 1 || $wanted == *" $name "* ]] || continue
		one "$1" "$name" "$command"
	done < <(grep -v '^#' /kernel/list)
}

if [[ ${1:-} == --case ]]; then
	run_case "$2"
	exit
fi
ns=cats-kernel
insmod /lib/cats/cats.ko || exit
round plain "$@"
round cats "$@"
rmmod cats
