#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packages of the distribution and all that they need, as a small root file system in the
# cache, for the virtual machine.  apt has checked them; they are unpacked and nothing is
# installed: a server must not start on the user's machine.  No root needed, and once
# they are in the cache no network and no package lists.
#
# Usage: packages.sh LIST
#
# Prints a directory: root.tar, and packages.tsv (name, version).
#
# A line of LIST, with a reason behind a tab:
#	NAME	a package
#	-REGEX	a dependency that nothing there calls
#	/PATH	a file or directory to leave out
#	# ...	a comment
#
# Environment: CATS_CACHE (cache directory).

set -euo pipefail
shopt -s inherit_errexit
umask 022

here=$(dirname "$(readlink -f "$0")")

# shellcheck source-path=SCRIPTDIR source=kernel.sh
. "$here/kernel.sh"

# Dependencies and files that nothing in a machine calls.
unwanted_packages='locales|libc-l10n|iproute2|debconf|.*-perl|perl.*'
unwanted_paths=(
	usr/share/{doc,man,locale,info,lintian,bash-completion,zoneinfo/right}
	'usr/lib/*-linux-*/gconv'
)

die()
{
	echo "packages.sh: $*" >&2
	exit 1
}

# read_list FILE: sets wanted, and adds to what is unwanted
read_list()
{
	local item reason

	while IFS=$'\t' read -r item reason; do
		[[ -n $item && $item != '#'* ]] || continue
		[[ -n $reason ]] || die "$1: no reason for $item"
		case $item in
		-*)	unwanted_packages+="|${item#-}" ;;
		/*)	unwanted_paths+=("${item#/}") ;;
		*)	wanted+=("$item") ;;
		esac
	done <"$1"
	[[ ${#wanted[@]} -gt 0 ]] || die "$1: no package in it"
}

# resolve DIR: PACKAGE=VERSION of all that a machine without any package would need
resolve()
{
	: >"$1/status"
	# Without the cache of apt: it does not print what it has there.
	mkdir -p "$1/empty/partial"
	kernel_apt "$1/lists" -o Dir::State::status="$1/status" \
		-o Dir::Cache::archives="$1/empty" --no-install-recommends \
		--print-uris install "${wanted[@]}" |
		awk '{ print $2 }' | sed 's/_[^_]*$//; s/%3a/:/g; s/_/=/' |
		grep -vE "^($unwanted_packages)=" | sort
}

# download DIR: fails if apt's lists do not know all of it
download()
(
	local list

	list=$(resolve "$1")
	[[ -n $list ]] || exit
	tr '=' '\t' <<<"$list" >"$1/root/packages.tsv"
	mapfile -t packages <<<"$list"
	mkdir -p "$1/debs"
	cd "$1/debs" && kernel_apt "$1/lists" download "${packages[@]}"
)

# The names at the top are links in Debian, but no package has them.
skeleton()
{
	local name

	for name in bin sbin lib lib64; do
		mkdir -p "$1/usr/$name"
		ln -s "usr/$name" "$1/$name"
	done
	mkdir -p "$1"/{dev,proc,run,tmp,root,etc,var/lib,var/log}
}

unpack()
{
	local deb dir=$1/tree

	mkdir "$dir"
	skeleton "$dir"
	for deb in "$1"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --no-same-owner \
			--keep-directory-symlink "${unwanted_paths[@]/#/--exclude=./}"
	done
	# The name that its package's scripts make of it.
	[[ ! -e $dir/usr/bin/dash ]] || ln -sf dash "$dir/usr/bin/sh"
	tar -c -C "$dir" --owner=0 --group=0 --sort=name --mtime=@0 \
		-f "$1/root/root.tar" .
}

# make_root DIR
make_root()
{
	mkdir -p "$1/root"
	kernel_say "downloading ${wanted[*]} and what they need (once)"
	if ! download "$1" 2>/dev/null; then
		kernel_say "some are unknown or outdated here, updating package lists"
		mkdir -p "$1"/lists/lists/partial "$1"/lists/cache/archives/partial
		kernel_apt "$1/lists" update >&2 || die "cannot update the package lists"
		download "$1" || die "apt cannot download the programs (see above)"
	fi
	kernel_say "unpacking (once)"
	unpack "$1"
}

# By the release and by what is wanted: packages of one release work together, and
# a newer version in the archive is no reason to fail without a network.
key()
{
	local codename

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
	echo "$codename-$(kernel_hash "$0" "$1")"
}

if [[ $# -ne 1 ]]; then
	sed -n '/^# Usage:/,/^# Environment/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
[[ -r $1 ]] || die "cannot read $1"
wanted=()
read_list "$1"
kernel_cached "$kernel_cache/packages/$(key "$1")" make_root
