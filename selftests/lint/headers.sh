#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every header compiles alone, and twice in one file: in any order of includes
# it brings what it needs, and its guard works.
. "$(dirname "$0")/lib.sh"

need gcc gcc
tree=$(kernel_build_tree)

# twice HEADER
twice()
{
	printf '#include "%s"\n#include "%s"\n' "$1" "$1"
}

# In the module's own build: its flags, its include path.
module_headers()
{
	local dir=$out/headers header name
	local -a objects=()

	module_copy "$dir"
	while read -r header; do
		name=header_$(basename "$header" .h)
		twice "$(basename "$header")" >"$dir/module/$name.c"
		echo "cats-y += module/$name.o" >>"$dir/Kbuild"
		objects+=("module/$name.o")
	done < <(files 'module/*.h')
	build_module "$dir" "$tree" KCFLAGS=-Werror "${objects[@]}"
}

# Those that stand in for kernel headers go by the kernel's names.
program_headers()
{
	local header bad=0 kernel=selftests/unit/include/ harness tools

	harness=$(source_tree)/tools/testing/selftests
	tools=$(source_tree)/tools/include
	while read -r header; do
		twice "${header#"$kernel"}" |
			gcc -fsyntax-only -D_GNU_SOURCE -Wall -Wextra -Werror -Iuapi \
				-I"$kernel" -Imodule -I. -isystem "$harness" \
				-idirafter "$tools" \
				-x c - || bad=1
	done < <(files '*.h' ':!module')
	return "$bad"
}

status=0
module_headers || status=1
program_headers || status=1
exit "$status"
