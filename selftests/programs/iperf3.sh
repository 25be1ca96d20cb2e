# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of guest.sh

bytes=10485760
cases="up down up-8 down-8 both:path"

prepare()
{
	:
}

serve()
{
	start 0:0 5201 iperf3 -s
}

# iperf CASE OPTION...: bulk, counted by the receivers
iperf()
{
	client iperf3 -c "$address" -J "${@:2}" >/tmp/iperf3.json
	status=$?
	cat /tmp/iperf3.json
}

# end_sum NAME FIELD: of the objects of that name at the end, which sum up all streams;
# with --bidir, a second name has those of the other direction
end_sum()
{
	awk -v name="$1" -v field="\"$2\":" '
		$1 ~ "^\"" name "(_bidir_reverse)?\":$" { object = $1 }
		object && $1 == field { value[object] = $2 + 0; object = "" }
		END { for (object in value) sum += value[object]; printf "%.0f\n", sum }
		' /tmp/iperf3.json
}

mbit()
{
	awk -v bits="$(end_sum sum_received bits_per_second)" \
		'BEGIN { printf "%.3f", bits / 1e6 }'
}

# one CASE OPTION...: a stream, which sends so many bytes
one()
{
	iperf "$@" -n $bytes
	result "$1" "$(mbit)" Mbit/s 0 "$(end_sum sum_sent bytes) bytes"
}

# several CASE OPTION...: they stop as soon as they have sent it all together; that takes
# more of it, for how they share the link until then is chance
several()
{
	local all=$((bytes * 3))

	iperf "$@" -n $all
	[[ $(end_sum sum_sent bytes) -ge $all ]] || status="$status, incomplete"
	result "$1" "$(mbit)" Mbit/s 0 "$all bytes or more"
}

# In both directions at once it has no end but by time.
both()
{
	iperf both --bidir -t 15
	result both "$(mbit)" Mbit/s 0 "15 s"
}

measure()
{
	one up
	one down -R
	several up-8 -P 8
	several down-8 -R -P 8
	[[ $link != path ]] || both
}
