# SPDX-License-Identifier: GPL-2.0
#
# What both charts have in common.  Wants: form ("svg" or "png"), target.
#
# The colours are Okabe and Ito's, which colour-blind readers can tell apart;
# each sender has the same one in both charts.
c_tcp     = "#999999"
c_userq   = "#E69F00"
c_strict  = "#56B4E9"
c_debt    = "#0072B2"
c_bounded = "#D55E00"
c_nohold  = "#F0E442"
c_batch   = "#CC79A7"
c_perfect = "#009E73"

# In the order of the tables' rows.
array colour[8] = [c_tcp, c_userq, c_strict, c_debt, c_bounded, c_nohold, c_batch, c_perfect]
array title_of[8] = ["TCP, FIFO", "user-space queue", "CATS strict", "CATS debt", \
	"CATS bounded", "... nothing held", "... one sendmmsg", "perfect order"]

if (form eq "svg") {
	set terminal svg size 960,540 font "DejaVu Sans,15" background "white" name "demo"
} else {
	set terminal pngcairo size 1920,1080 font "DejaVu Sans,15" \
		fontscale 2 linewidth 2 background "white"
}
set output target
set datafile separator "\t"
set border 3 linecolor "#444444"
set tics nomirror out
set grid ytics linecolor "#DDDDDD" linewidth 1 dashtype 1
set style fill solid 1.0 noborder
set key outside top center horizontal maxrows 1 samplen 1.2 width -1 font ",13"
