#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who may do what, as TAP: using CATS needs no privilege; loading it, and changing the
# sysctls of the initial namespace, does.  Needs the module's file, as it is unloaded
# and loaded; the program that the kernel calls to load one is replaced by a recorder.
set -eu

ko=/lib/cats/cats.ko
calls=/tmp/privilege-$$.calls
loader=/tmp/privilege-$$.sh
saved=$(cat /proc/sys/kernel/modprobe)
n=0

cleanup()
{
	echo "$saved" >/proc/sys/kernel/modprobe
	[ -d /sys/module/cats ] || insmod "$ko"
	rm -f "$calls" "$loader"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# The recorder; loads the module if that is asked for with "yes".
set_loader()
{
	cat >"$loader" <<-END
		#!/bin/sh
		echo "\$*" >>$calls
		[ $1 = no ] || /bin/busybox insmod $ko
	END
	chmod 755 "$loader"
	echo "$loader" >/proc/sys/kernel/modprobe
	rm -f "$calls"
}

# check NAME COMMAND...: the command's success as a result
check()
{
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"/tmp/privilege-$$.log" 2>&1; then
		echo "ok $n $name"
	else
		sed 's/^/# /' "/tmp/privilege-$$.log"
		echo "not ok $n $name"
	fi
	rm -f "/tmp/privilege-$$.log"
}

# A socket is freed after a grace period, and with it the module's last reference.
unload()
{
	for _ in $(seq 100); do
		rmmod cats 2>/dev/null && return
		usleep 20000
	done
	return 1
}

not_called()
{
	[ ! -e "$calls" ] || { cat "$calls"; return 1; }
}

called_for_alias()
{
	cat "$calls"
	grep -q -- '-- tcp-ulp-cats$' "$calls"
}

not_loaded()
{
	[ ! -d /sys/module/cats ]
}

echo "TAP version 13"
echo "1..16"
check "every call, without privilege" privilege nobody use
check "every call, as root of a user namespace" privilege userns-netns use
check "the initial sysctls, without privilege" privilege nobody initial-sysctl
check "the initial sysctls, as root of a user namespace" privilege userns initial-sysctl
check "own sysctls, as root of a user namespace" privilege userns-netns own-sysctl
check "nothing of another's socket is visible" privilege nobody look

unload
set_loader yes
check "not loaded: ENOENT, without privilege" privilege nobody attach-enoent
check "and nobody was asked to load it" not_called
check "not loaded: ENOENT, as root of a user namespace" privilege userns-netns attach-enoent
check "and nobody was asked to load it" not_called
check "nor is it loaded" not_loaded
set_loader no
check "with CAP_NET_ADMIN, where there is no such file: ENOENT" privilege root attach-enoent
check "and it was asked for by its alias" called_for_alias
set_loader yes
check "with CAP_NET_ADMIN it is loaded" privilege root attach
check "asked for by its alias" called_for_alias
check "then others may use it" privilege nobody use
