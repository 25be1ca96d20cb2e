#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# "make check": runs every suite and reports in KTAP, each suite a subtest.  A
# table sums up, and what failed is repeated; the last line counts the leaves: N passed,
# N failed, N skipped.
#
# Usage: run.sh [JOB...]	all jobs, or these; run.sh --list names them
#
# A job (jobs.sh) builds something, runs it, and records the suites that came of
# it; as many jobs run at once as there are processors.  A suite fails as a whole
# if it printed fewer results than it planned, or ended with an error that no result
# explains: a crash must not look like a pass.
#
# Environment:
#	STRICT=1	a test that was skipped counts as failed
#	FUZZ_CALLS=N	calls of the operation fuzzer in all (default 1000000)

set -euo pipefail
shopt -s inherit_errexit

top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/out/check
strict=${STRICT:-0}

# shellcheck source-path=SCRIPTDIR source=jobs.sh
. "$top/selftests/jobs.sh"

passed=0 failed=0 skipped=0 suite_no=0
declare -A job_of=() start_of=()

# The output of a job goes to its log; what people shall see goes here.
exec 3>&1

progress()
{
	echo "# $(date +%H:%M:%S) $*" >&3
}

# report SUITE LOG STATUS SECONDS: one suite as a KTAP subtest
report()
{
	local suite=$1 log=$2 status=$3 seconds=$4 ok bad skip verdict=ok

	suite_no=$((suite_no + 1))
	read -r ok bad skip < <(awk -v status="$status" -v strict="$strict" \
		-v suite="$suite" -v failures="$out/failures" \
		-f "$top/selftests/count.awk" "$log")
	[[ $bad -eq 0 ]] || verdict="not ok"
	echo "    # Subtest: $suite"
	sed 's/^/    /' "$log"
	echo "$verdict $suite_no $suite # $ok passed, $bad failed, $skip skipped"
	printf '%s\t%s\t%s\t%s\t%s\n' "$suite" "$ok" "$bad" "$skip" "$seconds" \
		>>"$out/summary.tsv"
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

# record SUITE LOG STATUS: called by jobs; the report is made when the job ends.
record()
{
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/$job.suites"
}

start_job()
{
	local job=$1

	rm -f "$out/$job.suites" "$out/$job.log"
	progress "$job starts"
	"job_$job" >"$out/$job.log" 2>&1 </dev/null &
	job_of[$!]=$job
	start_of[$!]=$SECONDS
}

# A job that died before it recorded anything is a failed suite by its own name.
end_job()
{
	local job=$1 status=$2 seconds=$3 suite log result

	progress "$job ends after $seconds s"
	if [[ $status -ne 0 || ! -s $out/$job.suites ]]; then
		tail -n 40 "$out/$job.log" | sed 's/^/# /' >"$out/$job.died"
		printf '%s\t%s\t%s\n' "$job" "$out/$job.died" 1 >>"$out/$job.suites"
	fi
	while IFS=$'\t' read -r suite log result; do
		report "$suite" "$log" "$result" "$seconds"
		seconds=-
	done <"$out/$job.suites"
}

wait_for_a_job()
{
	local pid status=0

	wait -n -p pid || status=$?
	end_job "${job_of[$pid]}" "$status" $((SECONDS - start_of[$pid]))
	unset "job_of[$pid]"
}

# run_jobs JOB...: as many at once as there are processors
run_jobs()
{
	local job

	for job in "$@"; do
		while [[ ${#job_of[@]} -ge $(nproc) ]]; do
			wait_for_a_job
		done
		start_job "$job"
	done
	while [[ ${#job_of[@]} -gt 0 ]]; do
		wait_for_a_job
	done
}

# Each job has a process group of its own (set -m): with it go its children.
cleanup()
{
	local pid

	trap - EXIT INT TERM HUP
	for pid in "${!job_of[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || :
	done
	wait
}

summary()
{
	echo "# suite, results, seconds of its job"
	{
		printf 'suite\tpassed\tfailed\tskipped\tseconds\n'
		cat "$out/summary.tsv"
		printf 'total\t%s\t%s\t%s\t%s\n' "$passed" "$failed" "$skipped" "$SECONDS"
	} | column -t -s $'\t' | sed 's/^/# /'
	cat "$out/failures"
}

# Sets first and last: those that were asked for, in our order.
choose_jobs()
{
	local job

	for job in "$@"; do
		[[ " ${jobs[*]} ${last_jobs[*]} " == *" $job "* ]] || {
			echo "run.sh: no such job: $job (see run.sh --list)" >&2
			exit 2
		}
	done
	first=() last=()
	for job in "${jobs[@]}"; do
		[[ $# -gt 0 && " $* " != *" $job "* ]] || first+=("$job")
	done
	for job in "${last_jobs[@]}"; do
		[[ $# -gt 0 && " $* " != *" $job "* ]] || last+=("$job")
	done
}

main()
{
	if [[ ${1:-} == --list ]]; then
		printf '%s\n' "${jobs[@]}" "${last_jobs[@]}"
		return
	fi
	choose_jobs "$@"
	echo "KTAP version 1"
	mkdir -p "$out"
	rm -f "$out"/*.tap "$out/summary.tsv"
	: >"$out/failures"
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	set -m
	prepare >&3 2>&1
	run_jobs "${first[@]}"
	run_jobs "${last[@]}"
	echo "1..$suite_no"
	summary
	echo "$passed passed, $failed failed, $skipped skipped"
	[[ $failed -eq 0 ]]
}

main "$@"
