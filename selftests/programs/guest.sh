#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the VM: each program on plain TCP and on CATS, over two paths.  Client and
# server are each in a network namespace, and in a root of their own (packages).
#
#	client                       router                       server
#	[ c0 ]---------------------[ r0   r1 ]---------------------[ s0 ]
#	10.1.0.1           10.1.0.2       10.2.0.2           10.2.0.1
#	[ c1 ]------------------------------------------------------[ s1 ]
#	10.3.0.1                                              10.3.0.2
#
#	path	through the router: 20 Mbit/s, RTT 20 ms; the link is the bottleneck
#	veth	the direct one: no limit, so the guest's processor is the bottleneck
#
# Results go to /out:
#	plan.tsv	program, its cases: CASE[:[LINK][:varies]], on both links or that
#			one; of which the throughput varies on plain TCP, too
#	results.tsv	program, case, link, sockets (tcp or cats), throughput, its unit,
#			exit status or "expected", and what must be the same on both
#	sockets.tsv	program, lines of the preload library
#	log		what the programs said
# shellcheck disable=SC2034 # variables of the scripts of the programs
set -u

here=/test/programs
root=/root-fs
preload=/lib/cats_preload.so
sockets_log=/tmp/sockets
servers=()
sockets=tcp link=path program='' address='' cases=''

say()
{
	echo "# $*" >&3
}

die()
{
	tail -n 20 /out/log >&3
	say "$*"
	exit 1
}

# pair NS1 DEV1 ADDR1 NS2 DEV2 ADDR2
pair()
{
	/sbin/ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	/sbin/ip -n "$1" addr add "$3/24" dev "$2"
	/sbin/ip -n "$4" addr add "$6/24" dev "$5"
	/sbin/ip -n "$1" link set "$2" up
	/sbin/ip -n "$4" link set "$5" up
}

# bottleneck DEV: how fast it sends, and how far that goes; 1000 packets of room
bottleneck()
{
	/sbin/tc -n router qdisc add dev "$1" root handle 1: \
		tbf rate 20mbit burst 4k limit 4k
	/sbin/tc -n router qdisc add dev "$1" parent 1: handle 2: netem delay 10ms limit 1000
}

# What one connection learned is not for the next.
network()
{
	local ns

	for ns in client router server; do
		/sbin/ip netns add "$ns"
		/sbin/ip -n "$ns" link set lo up
		/sbin/ip netns exec "$ns" sysctl -qw net.ipv4.tcp_no_metrics_save=1 \
			net.ipv4.ip_forward=1 net.ipv4.tcp_congestion_control=bbr
	done
	pair client c0 10.1.0.1 router r0 10.1.0.2
	pair router r1 10.2.0.2 server s0 10.2.0.1
	pair client c1 10.3.0.1 server s1 10.3.0.2
	/sbin/ip -n client route add 10.2.0.0/24 via 10.1.0.2
	/sbin/ip -n server route add 10.1.0.0/24 via 10.2.0.2
	bottleneck r0
	bottleneck r1
}

make_root()
{
	mkdir -p "$root"
	tar -x -f /test/root.tar -C "$root"
	rm /test/root.tar
	cp "$preload" "$root$preload"
	{
		echo 'root:x:0:0:root:/root:/bin/sh'
		echo 'postgres:x:70:70::/tmp:/bin/sh'
		echo 'sshd:x:71:71::/run/sshd:/bin/false'
		echo 'nobody:x:65534:65534::/:/bin/false'
	} >"$root/etc/passwd"
	printf '%s\n' root:x:0: postgres:x:70: sshd:x:71: nogroup:x:65534: >"$root/etc/group"
	mkdir -p "$root/run/sshd" "$root/root"
	mount --bind /tmp "$root/tmp"
	mount --bind /dev "$root/dev"
	mount --bind /dev/shm "$root/dev/shm"
	mount --bind /proc "$root/proc"
}

# on NS USER COMMAND...: in its root, with the preload library if sockets are CATS.
on()
{
	local ns=$1 user=$2
	local -a environment=(PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin HOME=/root
			      LC_ALL=C)

	shift 2
	[[ $sockets == tcp ]] ||
		environment+=("LD_PRELOAD=$preload" "CATS_PRELOAD_LOG=$sockets_log")
	# exec: so that $! of a server is the server.
	exec env -i "${environment[@]}" \
		/sbin/ip netns exec "$ns" /sbin/chroot --userspec="$user" "$root" "$@"
}

client()
(
	on client 0:0 "$@"
)

listening()
{
	local port

	printf -v port ':%04X' "$1"
	/sbin/ip netns exec server cat /proc/net/tcp /proc/net/tcp6 |
		awk -v port="$port" '$2 ~ port "$" && $4 == "0A" { found = 1 }
			END { exit !found }'
}

# start USER PORT COMMAND...: a server, until it listens
start()
{
	local port=$2

	(on server "$1" "${@:3}") &
	servers+=($!)
	until listening "$port"; do
		kill -0 $! 2>/dev/null || die "$program: the server has ended"
		usleep 20000
	done
}

# By SIGTERM, which all of them understand.
stop_servers()
{
	local pid

	for pid in "${servers[@]}"; do
		kill "$pid"
		wait "$pid"
	done
	servers=()
}

now()
{
	echo "${EPOCHREALTIME/./}"
}

# result CASE THROUGHPUT UNIT EXPECTED RESULT...: the status must be as expected
result()
{
	[[ $status != "$4" ]] || status=expected
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$program" "$1" "$link" "$sockets" \
		"$2" "$3" "$status" "${*:5}" >>/out/results.tsv
	say "$program $1 $link $sockets: $2 $3, status $status, ${*:5}"
}

# timed BYTES COMMAND...: sets mbit, and status to that of the command.
timed()
{
	local bytes=$1 start

	shift
	start=$(now)
	"$@"
	status=$?
	mbit=$(awk -v bytes="$bytes" -v us=$(($(now) - start)) \
		'BEGIN { printf "%.3f", bytes * 8 / us }')
}

# BLAKE2b: of the cryptographic ones the cheapest here, a fifth of SHA-256.
hash()
{
	b2sum -l 128 | head -c 32
}

# intact FILE HASH: else the case has failed; sets found
intact()
{
	found=$(hash <"$1")
	[[ $found == "$2" ]] || status="$status, damaged"
}

# file BYTES NAME: random bytes that repeat after a prime number of them
file()
{
	head -c 1000003 /dev/urandom >/tmp/piece
	while cat /tmp/piece 2>/dev/null; do
		:
	done | head -c "$1" >"$2"
}

# Each program's script names its cases, and defines "prepare", once, "serve", and
# "measure".
run_program()
{
	program=$1
	say "$program"
	# shellcheck source=/dev/null
	. "$here/$program.sh"
	printf '%s\t%s\n' "$program" "$cases" >>/out/plan.tsv
	prepare
	for sockets in tcp cats; do
		rm -f "$sockets_log"
		: >"$sockets_log"
		chmod 666 "$sockets_log"
		serve
		for link in path veth; do
			case $link in
			path) address=10.2.0.1 ;;
			veth) address=10.3.0.2 ;;
			esac
			measure
		done
		stop_servers
	done
	sed "s/^/$program\t/" "$sockets_log" >>/out/sockets.tsv
}

main()
{
	make_root
	network
	insmod /lib/cats/cats.ko || die "cannot load the module"
	for name in "$@"; do
		run_program "$name"
	done
}

exec 3>&1 >/out/log 2>&1
main "$@"
