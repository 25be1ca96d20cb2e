#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the VM, as "bpftrace": the distribution's, in a root of its own, made of
# /test/root.tar (see packages) at the first call.  That wants --mem 1500.  It sees
# /test, /tmp and /out of the machine.
#
# To have it there: run --mem 1500 --add "$(packages.sh packages)/root.tar:/test/root.tar" \
#	--add bpftrace.sh:/test/bpftrace
set -eu

root=/root-fs

make_root()
{
	local dir

	mkdir "$root"
	tar -x -f /test/root.tar -C "$root"
	rm /test/root.tar
	for dir in dev proc sys tmp test out; do
		mkdir -p "$root/$dir"
		mount --rbind "/$dir" "$root/$dir"
	done
}

[[ -d $root ]] || make_root
cd /
exec env PATH=/usr/sbin:/usr/bin /sbin/chroot "$root" /usr/bin/bpftrace "$@"
