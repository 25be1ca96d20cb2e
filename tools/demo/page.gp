# SPDX-License-Identifier: GPL-2.0
#
# When each group of the page is complete, one bar per sender.  Left out are the
# senders that differ from another one by less than can be seen.
# Wants: dir (of this file), tsv, form, target.
load dir . "/chart.gp"

set xlabel "group of the page, most urgent first" offset 0,-1
set bmargin 5
set ylabel "complete after (ms)"
set xtics ("P0\n8 kB" 0, "P1\n25 kB" 1, "P2\n40 kB" 2, "P3\n60 kB" 3, "P4\n150 kB" 4) scale 0
set xrange [-0.5:4.5]
set yrange [0:1500]

# Rows of the table.
array shown[6] = [1, 2, 4, 5, 7, 8]

width = 0.145
set boxwidth width * 0.94

x(group, i) = group + (i - 3.5) * width

# Row s of the table, column of group g; the title only once for each sender.
plot for [i = 1:6] for [g = 0:4] tsv skip 1 every ::shown[i]-1::shown[i]-1 \
		using (x(g, i)):(column(g + 2)) with boxes \
		linecolor rgb colour[shown[i]] title (g == 0 ? title_of[shown[i]] : ""), \
	for [i = 1:6] for [g = 0:4] tsv skip 1 every ::shown[i]-1::shown[i]-1 \
		using (x(g, i)):(column(g + 2)):(sprintf("%.0f", column(g + 2))) \
		with labels rotate by 90 left offset 0,0.3 font ",11" notitle
