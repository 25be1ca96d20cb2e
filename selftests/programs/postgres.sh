# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of guest.sh

rows=100000
clients=8
transactions=40
cases="load:path simple-update:path tpc-b::varies copy"

# Not over the network, so once for both.
prepare()
{
	mkdir -p /tmp/pg
	chown 70:70 /tmp/pg
	(on server 70:70 initdb -N -A trust -U postgres --locale=C -D /tmp/pg) || die "initdb"
	echo 'host all all 0.0.0.0/0 trust' >>/tmp/pg/pg_hba.conf
	cat >>/tmp/pg/postgresql.conf <<-END
	listen_addresses = '*'
	unix_socket_directories = ''
	fsync = off
	autovacuum = off
	checkpoint_timeout = 1h
	END
}

serve()
{
	start 70:70 5432 postgres -D /tmp/pg
}

psql()
{
	client psql -h "$address" -U postgres -qAt -c "$1" postgres
}

# Sums and rows do not depend on which client came first.
balances()
{
	psql 'select (select sum(abalance) from pgbench_accounts),
		(select sum(tbalance) from pgbench_tellers),
		(select sum(bbalance) from pgbench_branches),
		(select sum(delta) from pgbench_history),
		(select count(*) from pgbench_history)'
}

load()
{
	timed $((rows * 100)) client pgbench -h "$address" -U postgres -i -s 1 -q postgres
	result load "$mbit" Mbit/s 0 "rows $(psql 'select count(*) from pgbench_accounts')"
}

# transactions CASE SCRIPT: one that is built into pgbench
transactions()
{
	local tps

	client pgbench -h "$address" -U postgres -b "$2" -c $clients -t $transactions -n \
		--random-seed=1 postgres >/tmp/pgbench
	status=$?
	cat /tmp/pgbench
	tps=$(awk '/^tps/ { print $3 }' /tmp/pgbench)
	result "$1" "$tps" tps 0 "$(balances)" \
		"$(grep -E '^number of (transactions|failed)' /tmp/pgbench | tr '\n' ' ')"
}

# The load takes long, and is made once for both links.  The clients of TPC-B all update
# the one branch and wait for each other, and their order decides how long the last of
# them is alone: throughput varies by 3 % either way with the seed.  Those of
# "simple-update" do not wait.
measure()
{
	if [[ $link == path ]]; then
		load
		transactions simple-update simple-update
	fi
	transactions tpc-b tpcb-like
	timed $((rows * 100)) psql 'copy (select * from pgbench_accounts order by aid) to stdout' \
		>/tmp/copy
	result copy "$mbit" Mbit/s 0 "$(hash </tmp/copy)"
}
