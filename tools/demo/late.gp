# SPDX-License-Identifier: GPL-2.0
#
# How long an urgent message takes under bulk: median and 99th percentile.
# Wants: dir (of this file), tsv, form, target.
load dir . "/chart.gp"

path_ms = 60

set xlabel "sender"
set ylabel "an urgent message has arrived after (ms)"
set xtics (title_of[1] 0, title_of[2] 1, title_of[3] 2, title_of[4] 3, \
	title_of[5] 4) scale 0
set xrange [-0.55:4.55]
# A logarithmic scale, since 60 and 4000 have to be readable on it.
set logscale y
set yrange [20:10000]
set ytics (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)

width = 0.36
set boxwidth width * 0.94

plot for [s = 1:5] tsv skip 1 every ::s-1::s-1 using (s - 1 - width / 2):2 with boxes \
		linecolor rgb colour[s] notitle, \
	for [s = 1:5] tsv skip 1 every ::s-1::s-1 using (s - 1 + width / 2):3 with boxes \
		fill solid 0.55 linecolor rgb colour[s] notitle, \
	tsv skip 1 using ($0 - width / 2):2:(sprintf("median\n%.0f", $2)) \
		with labels offset 0,1.2 font ",12" notitle, \
	tsv skip 1 using ($0 + width / 2):3:(sprintf("p99\n%.0f", $3)) \
		with labels offset 0,1.2 font ",12" notitle, \
	path_ms with lines linecolor rgb "#000000" linewidth 1.5 dashtype (8, 5) \
		title sprintf("the path alone takes %d ms, whatever the sender does", path_ms)
