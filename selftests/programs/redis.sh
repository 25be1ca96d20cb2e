# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of guest.sh

cases="c50-SET c50-GET pipeline-LPUSH list-LPUSH list-LRANGE_100 large-SET large-GET"

prepare()
{
	:
}

serve()
{
	start 0:0 6379 redis-server --bind 0.0.0.0 --protected-mode no --save '' \
		--enable-debug-command yes --dir /tmp
}

# cli COMMAND...
cli()
{
	client redis-cli -h "$address" "$@"
}

# benchmark CASE OPTION...: one line per test, "NAME","REQUESTS PER SECOND",...
benchmark()
{
	local name=$1 test rate rest content

	shift
	cli flushall
	client redis-benchmark -h "$address" --csv "$@" >/tmp/redis.csv
	status=$?
	cat /tmp/redis.csv
	# The digest is of all keys and values.
	content="keys $(cli dbsize) digest $(cli debug digest)"
	while IFS=, read -r test rate rest; do
		[[ $test != '"test"' ]] || continue
		test=${test//\"/}
		result "$name-${test%% *}" "${rate//\"/}" req/s 0 "$content"
	done </tmp/redis.csv
}

# A second and more of each over the path: rates differ by single round trips.
measure()
{
	benchmark c50 -c 50 -n 4000 -t set,get
	benchmark pipeline -c 10 -P 16 -n 16000 -t lpush
	benchmark list -c 10 -n 800 -t lrange_100
	benchmark large -c 4 -d 100000 -n 320 -t set,get
}
