#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# vm.sh EXPERIMENT SENDER...: runs in the VM, with itself and the programs of the
# demo in one directory.  Every row gets a network of its own.  Raw results go to
# /out, a file per row: run.sh makes tables of them.
set -u

# Where the host put what this needs.
here=$(cd "$(dirname "$0")" && pwd)
out=/out

die() {
	echo "demo: $*" >&2
	exit 1
}

groups_of() {
	case $1 in
	page) echo 01234 ;;
	late) echo 04 ;;
	*) die "no experiment \"$1\"" ;;
	esac
}

# row EXPERIMENT SENDER: the receiver starts the sender as soon as it listens.
row() {
	"$here/topology.sh" up || die "no network for $1 $2, see above"
	case $2 in
	*-nohold)
		/sbin/ip netns exec client sh -c 'echo 0 >/proc/sys/net/cats/first_flight' ||
			die "net.cats.first_flight cannot be set"
		;;
	esac
	/sbin/ip netns exec server "$here/demo-recv" -g "$(groups_of "$1")" -o "$out/$2.tsv" -- \
		/sbin/ip netns exec client "$here/demo-send" -e "$1" -s "$2" -b 7001 -p 7000 \
		-i "$out/samples-$2.tsv" 10.0.2.2 ||
		die "$1: sender $2 failed, see above"
	"$here/topology.sh" down || die "$1 $2: the network did not go away"
}

[ $# -ge 2 ] || die "usage: vm.sh page|late SENDER..."
experiment=$1
shift
case " $* " in
*" cats-"*)
	insmod /lib/cats/cats.ko || die "insmod cats.ko failed"
	;;
esac
for sender; do
	row "$experiment" "$sender"
done
