# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion of catsctl in bash: commands, options, policies, errnos and reasons.

# Long options and their short ones, as catsctl itself has them.
_catsctl_options()
{
	catsctl "$@" --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-z0-9][a-z-]*' | tr -d ' ,'
}

_catsctl_policies()
{
	catsctl policy list 2>/dev/null | cut -d ' ' -f 1 | grep . ||
		echo "bounded strict wfq edf debt debt-paper debt-refcode"
}

_catsctl_reasons()
{
	catsctl explain --all 2>/dev/null | sed -nE \
		's/^(E[A-Z0-9]+) .*CATS_REASON_([A-Z0-9_]+) .*/\1 \2/p; s/^(E[A-Z0-9]+) .*/\1/p'
}

_catsctl_words()
{
	local command=$1 previous=$2

	case $command:$previous in
	catsctl:*)	echo "status ss stat policy bound explain --help --version" ;;
	policy:policy)	echo "list show set --json --help" ;;
	policy:set)	_catsctl_policies ;;
	bound:--*)	;;
	bound:bound)	_catsctl_policies; _catsctl_options bound ;;
	explain:*)	_catsctl_reasons; _catsctl_options explain ;;
	ss:state)	echo "established listening close-wait fin-wait-1 all" ;;
	ss:*)		_catsctl_options ss; echo "src dst sport dport state and or not" ;;
	*)		_catsctl_options "$command" ;;
	esac
}

_catsctl()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=catsctl

	[[ $COMP_CWORD -lt 2 ]] || command=${COMP_WORDS[1]}
	if [[ $command == bound && $previous == @(-p|--params) ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$(_catsctl_words "$command" "$previous")" \
		-- "$current")
}

complete -F _catsctl catsctl
