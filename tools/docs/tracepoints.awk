# SPDX-License-Identifier: GPL-2.0
#
# The events of module/trace.h with their fields, for observe.rst.
function wrap(name, fields,	n, word, i, line)
{
	n = split(fields, word, " ")
	line = sprintf("    %-18s", name)
	for (i = 1; i <= n; i++) {
		if (length(line word[i]) > 96) {
			print line
			line = sprintf("    %-18s", "")
		}
		line = line " " word[i]
	}
	print line
}

/^#define CATS_SOCK_FIELDS/	{ macro = "CATS_SOCK_FIELDS" }
/^#define CATS_MSG_FIELDS/	{ macro = "CATS_MSG_FIELDS" }
/^#define/ && !/_FIELDS/	{ macro = "" }

/^(TRACE_EVENT|DECLARE_EVENT_CLASS)\(/ {
	macro = ""
	kind = $1
	split($0, part, /[(,]/)
	name = part[2]
	fields = ""
	is_event = kind ~ /^TRACE/
}

/^DEFINE_EVENT\(/ {
	split($0, part, /[(,] */)
	wrap(part[3], class_fields[part[2]])
}

/^\t\tCATS_(SOCK|MSG)_FIELDS/ {
	add($1)
}

function add(what)
{
	what = what in macro_fields ? macro_fields[what] : what
	if (macro != "")
		macro_fields[macro] = macro_fields[macro] " " what
	else
		fields = fields " " what
}

/^\t\t__(field|array)\(/ {
	split($0, part, /[(,)] */)
	add(part[3])
}

/^\tTP_fast_assign/ {
	if (is_event)
		wrap(name, fields)
	else
		class_fields[name] = fields
}
