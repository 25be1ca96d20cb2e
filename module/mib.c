// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: /proc/net/cats_stat, one line per counter, name and value, as the kernel's
 * tls_stat and xfrm_stat.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "mib.h"
#include "netns.h"

#define FILE_NAME(name, file_name, text)	file_name,

static const char *const names[CATS_NR_MIBS] = {
	CATS_MIBS(FILE_NAME)
};

/**
 * cats_net_mib() - counters of a network namespace
 * @net: namespace
 */
struct cats_mib __percpu *cats_net_mib(const struct net *net)
{
	return cats_net(net)->mib;
}

/* Of all processors: what one counted up another may have counted down. */
static unsigned long fold(const struct cats_mib __percpu *mib, unsigned int i)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(mib, cpu)->count[i]);
	/* They were not read at one moment, so a gauge may seem to be below 0. */
	if (i <= CATS_MIB_CURR_BLOCKED && (long)sum < 0)
		return 0;
	return sum;
}

/**
 * cats_mib_read() - a counter of a network namespace
 * @net: namespace
 * @i: which
 *
 * Sockets have a limit, so they are counted exactly, and only there.
 */
unsigned long cats_mib_read(const struct net *net, enum cats_mib_index i)
{
	const struct cats_net *cn = cats_net(net);

	if (i == CATS_MIB_CURR_SOCKETS)
		return atomic_long_read(&cn->nr_sockets);
	return fold(cn->mib, i);
}

static int show(struct seq_file *seq, void *v)
{
	const struct net *net = seq->private;
	unsigned int i;

	for (i = 0; i < CATS_NR_MIBS; i++)
		seq_printf(seq, "%-32s\t%lu\n", names[i], cats_mib_read(net, i));
	return 0;
}

/**
 * cats_mib_init() - set up the counters of a network namespace
 * @net: namespace
 *
 * Return: 0 or -ENOMEM.
 */
int cats_mib_init(struct net *net)
{
	struct cats_net *cn = cats_net(net);

	cn->mib = alloc_percpu(struct cats_mib);
	if (!cn->mib)
		return -ENOMEM;
	if (proc_create_net_single("cats_stat", 0444, net->proc_net, show, NULL))
		return 0;
	free_percpu(cn->mib);
	return -ENOMEM;
}

/**
 * cats_mib_exit() - undo that
 * @net: namespace, no CATS socket is left in it
 */
void cats_mib_exit(struct net *net)
{
	remove_proc_entry("cats_stat", net->proc_net);
	free_percpu(cats_net(net)->mib);
}
