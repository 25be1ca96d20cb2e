#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The programs of these tests and all that they need, as a small root file system in
# the cache: packages of the distribution that apt has checked, unpacked.  Nothing is
# installed: a server must not start on the user's machine.  No root needed, and once
# they are in the cache no network and no package lists.
#
# Usage: packages.sh	print the directory: root.tar, and packages.tsv (name, version)
#
# Environment: CATS_CACHE (cache directory).

set -euo pipefail
shopt -s inherit_errexit
umask 022

here=$(dirname "$(readlink -f "$0")")

# shellcheck source-path=SCRIPTDIR source=../vm/kernel.sh
. "$here/../vm/kernel.sh"

# Package and reason, one per line.
wanted='iperf3	bulk in one direction, in the other, and on parallel connections
redis-server	a server of many small replies
redis-tools	redis-benchmark, its load
nginx-light	a server of large files, by sendfile()
curl	downloads from it
postgresql-15	a database server
postgresql-client-15	pgbench, its load, and psql
openssh-server	interactive and bulk data in one connection
openssh-client	ssh and scp
openssh-sftp-server	the far end of scp
dash	the shell that ssh starts commands in, and initdb too'

# Dependencies that nothing here calls; the first two are a third of it all.
unwanted_packages='^(libllvm[0-9]+|libz3-[0-9]+|locales|libc-l10n|iproute2|debconf|.*-perl|perl.*)$'
unwanted_paths=(
	usr/share/{doc,man,locale,info,lintian,bash-completion,zoneinfo/right}
	usr/lib/postgresql/15/lib/{llvmjit.so,bitcode}
	'usr/lib/*-linux-*/gconv'
)

die()
{
	echo "packages.sh: $*" >&2
	exit 1
}

names()
{
	cut -f 1 <<<"$wanted"
}

# resolve DIR: PACKAGE=VERSION of all that a machine without any package would need
resolve()
{
	local -a packages

	mapfile -t packages < <(names)
	: >"$1/status"
	# Without the cache of apt: it does not print what it has there.
	mkdir -p "$1/empty/partial"
	kernel_apt "$1/lists" -o Dir::State::status="$1/status" \
		-o Dir::Cache::archives="$1/empty" --no-install-recommends \
		--print-uris install "${packages[@]}" |
		awk '{ print $2 }' | sed 's/_[^_]*$//; s/%3a/:/g; s/_/=/' |
		grep -vE "${unwanted_packages%\$}=" | sort
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
	# The names that its package's scripts make of it.
	ln -sf dash "$dir/usr/bin/sh"
	tar -c -C "$dir" --owner=0 --group=0 --sort=name --mtime=@0 \
		-f "$1/root/root.tar" .
}

# make_root DIR
make_root()
{
	mkdir -p "$1/root"
	kernel_say "downloading the programs of the tests (once, 60 MB)"
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
	echo "$codename-$(kernel_hash "$0")"
}

kernel_cached "$kernel_cache/programs/$(key)" make_root
