#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# judge.sh DIR: what guest.sh left in DIR as results, "ok - NAME" or "not ok - NAME",
# with a diff of what it should have been.

set -euo pipefail
shopt -s inherit_errexit

dir=$1
tools="catslat catspick catsinv catsdebt catsnoop"

# same NAME WANTED GOT
same()
{
	if [[ $2 == "$3" ]]; then
		echo "ok - $1"
	else
		diff <(echo "$2") <(echo "$3") | sed 's/^/# /' || :
		echo "not ok - $1"
	fi
}

# counter NAME FILE
counter()
{
	awk -v name="$1" '$1 == name { sum += $2 } END { print sum + 0 }' "$dir/$2.stat"
}


# histogram URGENCY FILE: messages in all lines of the histograms; of urgencies that match
histogram()
{
	awk -v head="^@us\\[$1\\]" '/^@/ { on = $0 ~ head }
		on && /\|/ { sub(/^.*[)\]]/, ""); sum += $1 } END { print sum + 0 }' "$dir/$2.txt"
}

judge_catslat()
{
	same "catslat: queued messages that begun" "$(counter CatsPicks catslat)" \
		"$(histogram '[0-7]' catslat)"
	same "catslat: direct writes" "@direct[3]: $(counter CatsDirect catslat)" \
		"$(grep '^@direct\[' "$dir/catslat.txt")"
	same "catslat: by urgency" "1 0 1 1 1 0 0" "$(for u in 0 1 2 3 4 5 6; do
		histogram $u catslat; done | tr '\n' ' ' | sed 's/ $//')"
	same "catslat 0: this one only" "@us[0]: " \
		"$(grep -o '^@[a-z]*\[.*\]: *' "$dir/catslat-0.txt" | sort | tr -d '\n')"
}

# Columns of lines with a decision.
picks()
{
	awk 'NR > 1 && NF == 11 { print $4, $5, $8, $9, $10 }' "$dir/catspick.txt" |
		grep "$@" || :
}

judge_catspick()
{
	same "catspick: a line per decision, and direct write" \
		"$(($(counter CatsPicks catspick) + $(counter CatsDirect catspick)))" \
		"$(picks -c .)"
	same "catspick: decisions while others waited, in order" \
"0 0..34..7 urgent 200 1
3 ...34..7 urgent 500 0
4 ....4..7 urgent 400 0" "$(picks ' urgent ')"
	same "catspick: the counter of these" "$(counter CatsPicksUrgent catspick)" \
		"$(picks -c ' urgent ')"
	same "catspick: the direct write" "3 ...3.... direct 150 0" "$(picks direct)"
}

fates()
{
	awk 'NR > 1 { print $NF }' "$dir/catsnoop.txt" | grep -c "^$1\$" || :
}

# Sequence numbers that do not go on where the last message of the port ended.
gaps()
{
	awk 'NR > 1 && $11 ~ /^(sent|direct)$/ {
			length_is = $10 - $9
			if (length_is < 0)
				length_is += 4294967296
			if (length_is != $7 || $2 in next_seq && next_seq[$2] != $9)
				print
			next_seq[$2] = $10
		}' "$dir/catsnoop.txt"
}

judge_catsnoop()
{
	local fate

	same "catsnoop: each message and its fate, in order" "$(cat "$dir/catsnoop.expect")" \
		"$(awk 'NR > 1 && $4 == "refused" { print $4, $5, $6 }
			NR > 1 && $4 != "refused" && NF && ($6 || $11 == "direct") {
				print $6, $4, $5, $7, $11 }' "$dir/catsnoop.txt")"
	for fate in SentMsgs:sent Direct:direct Expired:expired Cancelled:cancelled \
		    Replaced:replaced Shed:shed Purged:purged; do
		same "catsnoop: as many as Cats${fate%:*}" \
			"$(counter "Cats${fate%:*}" catsnoop)" "$(fates "${fate#*:}")"
	done
	same "catsnoop: as many as CatsRefused" "$(counter CatsRefused catsnoop)" \
		"$(grep -c ' refused ' "$dir/catsnoop.txt")"
	same "catsnoop: sequence numbers without gaps" "" "$(gaps)"
}

judge_catsdebt()
{
	same "catsdebt: in debt and out of it" \
"enter 3000
leave 0
enter 3000
leave 0" "$(awk '$4 == 0 && $5 ~ /enter|leave/ { print $5, $6 }' "$dir/catsdebt.txt")"
	# A message may be committed in parts; the debt after each whole one is known.
	same "catsdebt: the debt after each message" \
		"1000 2000 3000 2000 1000 0 1000 2000 3000 2000 1000 0 " \
		"$(awk '$4 == "debt" && $5 % 1000 == 0 { printf "%s ", $5 }' "$dir/catsdebt.txt")"
	same "catsdebt: nobody else has any" "" \
		"$(awk '$4 == "debt" && $6 + $7 + $8 + $9 + $10 + $11' "$dir/catsdebt.txt")"
	same "catsdebt: how often in debt" "@in_debt_us[0]: count 2" \
		"$(grep -o '^@in_debt_us.*count [0-9]*' "$dir/catsdebt.txt")"
}

# inversion COOKIE COLUMN LAYER: that layer is named, and had nearly all of the time
inversion()
{
	same "catsinv: held by $3" "0 1 $3 yes" "$(awk -v cookie="$1" -v column="$2" '
		$6 == cookie && NF == 15 {
			rest = $7 + $8 + $9 + $10 - $11 - $column
			print $4, $5, $15, ($column > 90000 && rest < 20000 ? "yes" : $0)
		}' "$dir/catsinv.txt")"
}

judge_catsinv()
{
	local layer

	inversion 99 7 conductor
	inversion 116 8 tcp
	inversion 113 9 qdisc
	inversion 112 10 path
	same "catsinv: and it says behind what" "5.77" \
		"$(awk '$6 == 99 && $12 >= 190000 && $12 < 205000 { print $14 }' \
			"$dir/catsinv.txt")"
	same "catsinv: what was written before CATS was attached" "yes" \
		"$(awk '$6 == 116 && $12 > 150000 && $12 <= 200000 { print "yes" }' \
			"$dir/catsinv.txt")"
	for layer in conductor tcp qdisc path; do
		same "catsinv: the sum of $layer" "@held_us[$layer]: count 1" \
			"$(sed -n "s/^\(@held_us\[$layer\) *\(\]: count [0-9]*\).*/\1\2/p" \
				"$dir/catsinv.txt")"
	done
}

# said CASE STATUS REGEX: what was said, and what could be done
said()
{
	same "$1: status $2, $3" "yes" "$(awk -F '\t' -v name="$1" -v status="$2" \
		-v regex="$3" '$1 == name { print $2 == status && $3 ~ regex ? "yes" : $0 }' \
		"$dir/bad.tsv")"
}

judge_usage()
{
	local tool

	for tool in $tools; do
		same "$tool --help" "Usage: $tool" \
			"$(grep -o "^Usage: $tool" "$dir/$tool.help")"
		said "$tool-option" 2 "no such option: -x; try $tool --help"
		said "$tool-word" 2 "is 0 to [0-9]+, not 'often'; try $tool --help"
		said "$tool-large" 2 "is 0 to [0-9]+, not '9999999'; try $tool --help"
		said "$tool-many" 2 "too many arguments: 0; try $tool --help"
		same "$tool: no errors, no warnings" "" "$(cat "$dir/$tool.err")"
	done
	said no-tool 3 "no catsnone.bt in .*make install"
	said path 2 "^Usage: cats-trace catslat"
	said not-loaded 3 "cats is not loaded.*modprobe cats"
	said not-root 3 "needs root, or CAP_BPF.*sudo catslat"
	said too-old 3 "bpftrace is 0.16.0.*install 0.17 or newer"
	said no-bpftrace 3 "bpftrace is not installed.*apt-get install bpftrace"
}

for part in catslat catspick catsnoop catsdebt catsinv usage; do
	"judge_$part"
done
