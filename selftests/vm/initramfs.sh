#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Functions that build the root file system of the virtual machine: a cpio
# archive that the kernel unpacks into memory.  Sourced by `run`.
#
# It has two parts, which the kernel unpacks one after the other:
#   base	busybox, ip, tc, kernel modules, init; cached
#   own		the script, its files and its configuration; made for each run
#
# The same inputs give the same archive, byte for byte: names are sorted, and
# owner, time stamps, inode numbers and modes do not depend on the host.  A
# different archive would be unpacked in a different time, and from there on
# nothing in the machine would be quite the same.
#
# No root needed: there are no device nodes, and the owner is given to cpio.

initramfs_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Programs of the host that go into the base part.  Besides ip and tc, these
# are the ones that start others: busybox would prefer its applets to them, and
# `timeout 5 tc` would not be the tc that the user means.
initramfs_programs=(ip tc bash dash chroot env nice nohup setsid timeout xargs)

initramfs_die()
{
	echo "run: $*" >&2
	exit 125
}

# initramfs_pack DIR: DIR as an archive, on stdout.
initramfs_pack()
(
	cd "$1" || exit
	chmod -R u=rwX,go=rX .
	find . -exec touch -h -d @0 {} +
	find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --null -o -H newc --quiet --reproducible -R 0:0
)

# Shared libraries and the loader of a program, one path per line; nothing if
# it is static, a script, or a kernel module.
initramfs_libraries()
{
	local out missing

	out=$(ldd "$1" 2>/dev/null) || return 0
	missing=$(awk '/not found/ { print $1 }' <<<"$out")
	[[ -z $missing ]] || initramfs_die "$1 needs $missing, not found"
	awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }' <<<"$out"
}

# initramfs_add_libraries ROOT FILE: to the places where the loader will look,
# which are those where it found them here.
initramfs_add_libraries()
{
	local root=$1 file=$2 library

	[[ $(head -c 4 "$file" | tr -d '\0') == $'\x7fELF' ]] || return 0
	while read -r library; do
		[[ -e $root$library ]] ||
			install -D -m 755 "$library" "$root$library"
	done < <(initramfs_libraries "$file")
}

# initramfs_add ROOT HOSTPATH GUESTPATH: a file or a directory.
initramfs_add()
{
	local root=$1 from=$2 to=$3 file

	[[ -e $from ]] || initramfs_die "$from does not exist"
	[[ $to != *..* ]] || initramfs_die "no .. in guest paths: $to"
	[[ $to != */ ]] || to+=$(basename "$from")
	to=$root/${to#/}
	mkdir -p "$(dirname "$to")"
	if [[ -d $from ]]; then
		mkdir -p "$to"
		cp -R "$from/." "$to/"
		while IFS= read -r -d '' file; do
			initramfs_add_libraries "$root" "$file"
		done < <(find "$to" -type f -size +3c -print0)
	else
		cp "$from" "$to"
		initramfs_add_libraries "$root" "$to"
	fi
}

# initramfs_module_files DIR RELEASE MODULE...: the files of the modules and of
# all they depend on; nothing for what is built in.
initramfs_module_files()
{
	local dir=$1 release=$2

	shift 2
	[[ $# -gt 0 ]] || return 0
	# Without the host's configuration, which may blacklist or replace.
	modprobe -C /dev/null -d "$dir" -S "$release" -D -a "$@" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# initramfs_add_modules ROOT DIR RELEASE MODULE...: so that modprobe, and the
# kernel's own requests for modules, work in the machine.
initramfs_add_modules()
{
	local root=$1 dir=$2 release=$3 file to
	local -a files

	shift 3
	mapfile -t files < <(initramfs_module_files "$dir" "$release" "$@")
	for file in "${files[@]}"; do
		to=$root/lib/modules/$release/${file#*/lib/modules/"$release"/}
		mkdir -p "$(dirname "$to")"
		case $file in
		*.xz)	xz -dc "$file" >"${to%.xz}" ;;
		*)	cp "$file" "$to" ;;
		esac
	done
	mkdir -p "$root/lib/modules/$release"
	for file in modules.builtin modules.builtin.modinfo modules.order; do
		cp "$dir/lib/modules/$release/$file" \
			"$root/lib/modules/$release/" 2>/dev/null || :
	done
	depmod -b "$root" "$release"
}

# All applets in /bin, except those whose real program is in /sbin.
initramfs_add_busybox()
{
	local root=$1 applet

	initramfs_add "$root" "$(command -v busybox)" /bin/busybox
	while read -r applet; do
		[[ " ${initramfs_programs[*]} busybox sh " == *" $applet "* ]] ||
			ln -s busybox "$root/bin/$applet"
	done < <(busybox --list)
	ln -s ../sbin/dash "$root/bin/sh"
	ln -s ../sbin/bash "$root/bin/bash"
	ln -s ../../sbin/env "$root/usr/bin/env"
	rm "$root/bin/time"
	printf '#!/bin/bash\ntime "$@"\n' >"$root/bin/time"
	chmod 755 "$root/bin/time"
	# The kernel starts this one by its full name.
	ln -s ../bin/busybox "$root/sbin/modprobe"
}

initramfs_add_etc()
{
	local root=$1

	mkdir -p "$root/etc"
	echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
	echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo 'nogroup:x:65534:' >>"$root/etc/group"
	echo '127.0.0.1 localhost cats-vm' >"$root/etc/hosts"
}

# tc's own shared objects and delay distributions.
initramfs_tc_files()
{
	local dir

	for dir in /usr/lib/tc /usr/lib/*-linux-*/tc; do
		[[ ! -d $dir ]] || echo "$dir"
	done
}

# initramfs_make_base ROOT DIR RELEASE MODULE...
initramfs_make_base()
{
	local root=$1 name path

	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin}
	initramfs_add_busybox "$root"
	initramfs_add_etc "$root"
	for name in "${initramfs_programs[@]}"; do
		initramfs_add "$root" "$(command -v "$name")" "/sbin/$name"
	done
	while read -r path; do
		initramfs_add "$root" "$path" "$path"
	done < <(initramfs_tc_files)
	initramfs_add "$root" "$initramfs_here/init" /init
	chmod 755 "$root/init"
	[[ -z $2 ]] || initramfs_add_modules "$@"
}

# What goes into the base part, as a hash.  Kernel modules by name: their
# directory is named after the package's version, or is the user's own, and
# then time stamps tell.
initramfs_base_key()
{
	local dir=$1 release=$2 name

	shift
	{
		printf '%s\n' "$@"
		for name in busybox "${initramfs_programs[@]}"; do
			name=$(command -v "$name")
			echo "$name"
			initramfs_libraries "$name"
		done | sort -u | xargs sha256sum
		sha256sum <"$initramfs_here/init"
		sha256sum <"$initramfs_here/initramfs.sh"
		if [[ -n $dir ]]; then
			echo "$dir"
			stat -c %y "$dir/lib/modules/$release/modules.dep"
		fi
	} | sha256sum | head -c 32
}

# initramfs_base CACHE SCRATCH DIR RELEASE MODULE...: print the path of the
# base part.
initramfs_base()
{
	local cache=$1 scratch=$2 key archive

	shift 2
	key=$(initramfs_base_key "$@")
	archive=$cache/initramfs/$key.cpio
	if [[ ! -e $archive ]]; then
		mkdir -p "$cache/initramfs" "$scratch/base"
		initramfs_make_base "$scratch/base" "$@"
		initramfs_pack "$scratch/base" >"$scratch/base.cpio"
		rm -rf "$scratch/base"
		# Two runs may do this at once: a rename replaces all at once,
		# and both bring the same.
		cp "$scratch/base.cpio" "$archive.$$"
		mv "$archive.$$" "$archive"
		find "$cache/initramfs" -name '*.cpio*' -mtime +30 -delete
	fi
	touch -c "$archive" 2>/dev/null || :
	echo "$archive"
}
