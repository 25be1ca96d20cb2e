#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Find the Debian kernel to test on, and unpack it into a cache; build the debug
# kernel from its source.
#
# The kernel image is never installed: that would run boot loader and
# initramfs hooks on the user's machine.  It is downloaded and checked by apt,
# and unpacked below the cache directory.  No root needed.
#
# Usage:
#   kernel.sh version	print the kernel release, e.g. 6.1.0-56-amd64
#   kernel.sh fetch	unpack the kernel, print its directory:
#			boot/vmlinuz, boot/vmlinux, boot/config,
#			lib/modules/<release>/
#   kernel.sh source	unpack the source of that kernel (without most drivers),
#			with the patches of patches/, print its directory
#   kernel.sh debug	build the debug kernel of debug.config, print its
#			directory:
#			boot/vmlinux, and build/ to build modules against
#
# Environment: KVER (kernel release), CATS_CACHE (cache directory).
# Can also be sourced: the functions are then kernel_version etc.

# depmod is there, and users need not have it in their PATH.
PATH=$PATH:/usr/sbin:/sbin

kernel_cache="${CATS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cats}"

# Drivers for hardware that the virtual machine does not have: three quarters
# of the package.
kernel_unwanted=(
	sound
	drivers/{bluetooth,comedi,gpu,hid,hwmon,iio,input,media,mfd}
	drivers/infiniband/{hw,sw,ulp}
	drivers/{misc,mmc,mtd,platform,power,scsi,soundwire,staging,usb,video}
	drivers/net/{can,ethernet,phy,usb,wireless,wwan}
)

# What no configuration of ours compiles, half of the source.  The Kconfig files
# among it are needed.
kernel_source_unwanted=(
	'drivers/gpu/drm/*.[ch]'
	'drivers/net/ethernet/*.[ch]'
	'drivers/net/wireless/*.[ch]'
	'drivers/media/*.[ch]'
	'drivers/staging/*.[ch]'
	'sound/*.[ch]'
	'tools/perf/*'
	'*.dts'
	'*.dtsi'
)

kernel_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

kernel_say()
{
	echo "kernel.sh: $*" >&2
}

kernel_die()
{
	kernel_say "$@"
	exit 1
}

# Version of an installed package; empty if it is not installed.
kernel_installed_version()
{
	local state

	state=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" \
		2>/dev/null) || return 0
	[[ $state == "installed "* ]] && echo "${state#* }"
	return 0
}

# The newest release whose headers a linux-headers-*-amd64 package owns: what
# a module was built against is what it is tested on.
kernel_version()
{
	local dir release newest=

	if [[ -n ${KVER:-} ]]; then
		echo "$KVER"
		return
	fi
	while read -r dir; do
		release=${dir#/lib/modules/}
		release=${release%/build}
		if [[ $release != *-rt-* && $release != *-cloud-* &&
		      -n $(kernel_installed_version "linux-headers-$release") ]]; then
			newest=$release
		fi
	done < <(printf '%s\n' /lib/modules/*-amd64/build | sort -V)
	[[ -n $newest ]] ||
		kernel_die "no kernel headers found; install linux-headers-amd64"
	echo "$newest"
}

# apt, with package lists of its own in "$1" if that exists, so that an update
# needs no root and changes nothing on the machine.  As root, apt would warn
# that its sandbox user cannot write into our directory.
kernel_apt()
{
	local lists=$1
	local -a options=(-qq -o APT::Sandbox::User=root)

	shift
	if [[ -d $lists ]]; then
		options+=(-o "Dir::State=$lists" -o "Dir::Cache=$lists/cache"
			  -o Dir::State::status=/var/lib/dpkg/status)
	fi
	apt-get "${options[@]}" "$@"
}

# kernel_download_one DIR PACKAGE VERSION: VERSION may be empty or gone from
# the archive; the current one is then the best there is.
kernel_download_one()
{
	local dir=$1 package=$2 version=$3

	cd "$dir" || return
	if [[ -n $version ]] &&
	   kernel_apt "$dir/lists" download "$package=$version" 2>/dev/null; then
		return
	fi
	kernel_apt "$dir/lists" download "$package"
}

# kernel_download DIR PACKAGE VERSION
kernel_download()
{
	local dir=$1 package=$2 version=$3

	kernel_say "downloading $package${version:+ ($version)}"
	(kernel_download_one "$dir" "$package" "$version") 2>/dev/null && return
	kernel_say "$package is unknown or outdated here, updating package lists"
	mkdir -p "$dir"/lists/lists/partial "$dir"/lists/cache/archives/partial
	kernel_apt "$dir/lists" update >&2 ||
		kernel_die "cannot update the package lists (see above)"
	(kernel_download_one "$dir" "$package" "$version") ||
		kernel_die "apt cannot download $package (see above)"
}

# Debian 14 splits the image; the parts are named in its dependencies.
kernel_image_parts()
{
	dpkg-deb -f "$1" Depends | grep -oE 'linux-(binary|modules)-[^ ,(]+'
}

# kernel_unpack DEB DIR
kernel_unpack()
{
	local deb=$1 dir=$2 path
	local -a excludes=(--exclude='./usr/share')

	for path in "${kernel_unwanted[@]}"; do
		excludes+=(--exclude="*/lib/modules/*/kernel/$path")
	done
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$dir" --no-same-owner "${excludes[@]}"
}

# A number of "$3" bytes at offset "$2" of file "$1", little endian.
kernel_peek()
{
	od -A n -t "u$3" -j "$2" -N "$3" --endian=little "$1" | tr -d ' '
}

# kernel_vmlinux VMLINUZ VMLINUX: take the ELF image out of the bzImage.
# QEMU starts it directly (PVH), which saves the emulated CPU from unpacking
# it at every boot: half of the boot time.  Offsets: the kernel's
# Documentation/x86/boot.rst.
kernel_vmlinux()
{
	local image=$1 elf=$2 start length decompress

	start=$((($(kernel_peek "$image" $((0x1f1)) 1) + 1) * 512 +
		 $(kernel_peek "$image" $((0x248)) 4)))
	length=$(kernel_peek "$image" $((0x24c)) 4)
	for decompress in xz gzip zstd; do
		command -v "$decompress" >/dev/null || continue
		# Except for gzip, the unpacked size follows as 4 bytes.
		[[ $decompress == gzip ]] || length=$((length - 4))
		dd if="$image" iflag=skip_bytes,count_bytes skip="$start" \
			count="$length" bs=64K status=none |
			"$decompress" -dc >"$elf" 2>/dev/null && return
		[[ $decompress == gzip ]] || length=$((length + 4))
	done
	rm -f "$elf"
	return 1
}

# kernel_install DIR RELEASE: give everything its place, whatever the release
# of Debian.
kernel_install()
{
	local dir=$1 release=$2 file

	if [[ -d $dir/usr/lib/modules ]]; then
		mkdir -p "$dir/lib"
		cp -a "$dir/usr/lib/modules" "$dir/lib/"
		rm -rf "${dir:?}/usr"
	fi
	mkdir -p "$dir/boot"
	for file in vmlinuz config; do
		if [[ -e $dir/boot/$file-$release ]]; then
			mv "$dir/boot/$file-$release" "$dir/boot/$file"
		elif [[ -e $dir/lib/modules/$release/$file ]]; then
			mv "$dir/lib/modules/$release/$file" "$dir/boot/$file"
		fi
	done
	[[ -e $dir/boot/vmlinuz ]] ||
		kernel_die "no kernel image in linux-image-$release"
	kernel_vmlinux "$dir/boot/vmlinuz" "$dir/boot/vmlinux" ||
		kernel_say "cannot unpack vmlinuz, the slower boot it is"
	depmod -b "$dir" "$release"
}

# kernel_make_image DIR RELEASE VERSION
kernel_make_image()
{
	local dir=$1 release=$2 version=$3 deb part

	kernel_download "$dir" "linux-image-$release" "$version"
	deb=$(echo "$dir"/linux-image-*.deb)
	while read -r part; do
		kernel_download "$dir" "$part" "$version"
	done < <(kernel_image_parts "$deb")

	kernel_say "unpacking (once)"
	mkdir "$dir/root"
	for deb in "$dir"/*.deb; do
		kernel_unpack "$deb" "$dir/root"
	done
	kernel_install "$dir/root" "$release"
}

# kernel_make_source DIR MAJOR.MINOR VERSION
kernel_make_source()
{
	local dir=$1 series=$2 version=$3 deb patch
	local name=linux-source-$series

	kernel_download "$dir" "$name" "$version"
	deb=$(echo "$dir/$name"_*.deb)
	kernel_say "unpacking the source (once)"
	mkdir "$dir/root"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$name.tar.xz" |
		tar -xJ -C "$dir/root" --strip-components=1 --no-same-owner \
			"${kernel_source_unwanted[@]/#/--exclude=$name/}"
	for patch in "$kernel_here"/patches/*.patch; do
		patch -d "$dir/root" -p1 -s <"$patch"
	done
}

# Says how far a build has got: the number of files compiled, every 200.
kernel_progress()
{
	awk '/^  (CC|AS) / && ++n % 200 == 0 {
		print "kernel.sh: files compiled: " n
		fflush()
	}' >&2
}

# kernel_configure SOURCE BUILD: tinyconfig and debug.config, all of it.
kernel_configure()
{
	local source=$1 build=$2 option missing=

	make -s -C "$source" O="$build" tinyconfig
	"$source/scripts/kconfig/merge_config.sh" -m -O "$build" \
		"$build/.config" "$kernel_here/debug.config"
	make -s -C "$source" O="$build" olddefconfig
	while read -r option; do
		grep -qxF -- "$option" "$build/.config" || missing+=" $option;"
	done < <(grep -E '^(# )?CONFIG_' "$kernel_here/debug.config")
	[[ -z $missing ]] ||
		kernel_die "not in the debug kernel's configuration:$missing"
}

# What a module build reads of a kernel build; the rest is 20 times as large.
kernel_prune()
{
	find "$1" -type f \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \
		-o -name 'vmlinux*' -o -name 'bzImage' -o -name 'System.map' \) \
		! -path '*/scripts/*' ! -path '*/tools/objtool/objtool' -delete
}

# kernel_make_debug DIR SOURCE
kernel_make_debug()
{
	local dir=$1 source=$2 build=$1/root/build

	mkdir -p "$build" "$dir/root/boot"
	kernel_configure "$source" "$build" >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log" >&2
		kernel_die "cannot configure the debug kernel (see above)"
	}
	kernel_say "building the debug kernel (once, about 4 minutes on 2 cores)"
	# Not what a make that we run below was told: with -s there is nothing to count.
	env -u MAKEFLAGS make -C "$source" O="$build" -j "$(nproc)" vmlinux modules \
		2>&1 | tee "$dir/log" | kernel_progress || {
		sed '/^  [A-Z]/d' "$dir/log" | tail -n 20 >&2
		kernel_die "cannot build the debug kernel (see above)"
	}
	mv "$build/vmlinux" "$dir/root/boot/vmlinux"
	kernel_prune "$build"
}

# kernel_cached DIR MAKE ARG...: print DIR; if it does not exist, let
# "MAKE tmp ARG..." fill tmp/root and move that into place.  A rename is all or
# nothing, so an interrupted run leaves no half cache; the lock makes a second
# run wait for the first instead of doing the same again.
kernel_cached()
{
	local dir=$1 make=$2 parent=${1%/*} lock tmp

	shift 2
	if [[ ! -d $dir ]]; then
		mkdir -p "$parent"
		exec {lock}>"$parent/.lock"
		flock -n "$lock" || {
			kernel_say "waiting for another run that is fetching"
			flock "$lock"
		}
		if [[ ! -d $dir ]]; then
			rm -rf "$parent"/.tmp.*
			tmp=$(mktemp -d "$parent/.tmp.XXXXXX")
			# shellcheck disable=SC2064 # expand now
			trap "rm -rf '$tmp'" EXIT
			trap 'exit 1' INT TERM HUP
			"$make" "$tmp" "$@"
			mv -T "$tmp/root" "$dir"
			rm -rf "$tmp"
			trap - EXIT INT TERM HUP
		fi
		exec {lock}>&-
	fi
	echo "$dir"
}

# Version of the package of release "$1": that of its headers; without
# headers (KVER set by hand) that of a cached image, else what apt offers.
kernel_package_version()
{
	local release=$1 version dir

	version=$(kernel_installed_version "linux-headers-$release")
	if [[ -z $version ]]; then
		dir=$(printf '%s\n' "$kernel_cache/kernel"/*/"$release"-[0-9]* |
			sort -V | tail -n 1)
		[[ -d $dir ]] && version=${dir##*/"$release"-}
	fi
	if [[ -z $version ]]; then
		version=$(apt-cache policy "linux-image-$release" |
			sed -n 's/^  Candidate: //p')
	fi
	[[ -n $version && $version != "(none)" ]] ||
		kernel_die "no package linux-image-$release known to apt"
	echo "$version"
}

kernel_fetch()
{
	local release version unwanted

	release=$(kernel_version)
	version=$(kernel_package_version "$release")
	unwanted=$(kernel_hash <(printf '%s\n' "${kernel_unwanted[@]}"))
	(kernel_cached "$kernel_cache/kernel/$unwanted/$release-$version" \
		kernel_make_image "$release" "$version")
}

# kernel_hash FILE...: of what the files say
kernel_hash()
{
	cat "$@" | sha256sum | head -c 12
}

kernel_source()
{
	local release version series patches

	release=$(kernel_version)
	version=$(kernel_package_version "$release")
	series=$(grep -oE '^[0-9]+\.[0-9]+' <<<"$release")
	patches=$(kernel_hash "$kernel_here"/patches/*.patch)
	(kernel_cached "$kernel_cache/source/$version-$patches" \
		kernel_make_source "$series" "$version")
}

kernel_debug()
{
	local source key

	source=$(kernel_source)
	key=$(gcc -dumpfullversion)-$(kernel_hash "$kernel_here/debug.config")
	(kernel_cached "$kernel_cache/debug/${source##*/}-gcc-$key" \
		kernel_make_debug "$source")
}

kernel_main()
{
	set -euo pipefail
	shopt -s inherit_errexit
	umask 022
	case "${1:-}" in
	version)	kernel_version ;;
	fetch)		kernel_fetch ;;
	source)		kernel_source ;;
	debug)		kernel_debug ;;
	*)		sed -n '/^# Usage:/,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	kernel_main "$@"
fi
