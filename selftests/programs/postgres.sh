# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of guest.sh

rows=100000
clients=8
transactions=20
cases="load:path tpc-b copy"

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

# The load takes long, and is made once for both links: the second one's transactions
# follow those of the first.
measure()
{
	local tps

	[[ $link != path ]] || load
	client pgbench -h "$address" -U postgres -c $clients -t $transactions -n \
		--random-seed=1 postgres >/tmp/pgbench
	status=$?
	cat /tmp/pgbench
	tps=$(awk '/^tps/ { print $3 }' /tmp/pgbench)
	result tpc-b "$tps" tps 0 "$(balances)" \
		"$(grep -E '^number of (transactions|failed)' /tmp/pgbench | tr '\n' ' ')"
	timed $((rows * 100)) psql 'copy (select * from pgbench_accounts order by aid) to stdout' \
		>/tmp/copy
	result copy "$mbit" Mbit/s 0 "$(hash </tmp/copy)"
}
