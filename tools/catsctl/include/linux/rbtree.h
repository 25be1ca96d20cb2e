/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Red-black trees as far as the Conductor's structures and types need them.
 *
 * catsctl asks policies for bounds and never queues a message, so nothing is ever in a
 * tree.  The functions have no body here: the linker drops the code that calls them
 * (--gc-sections), and would refuse catsctl if something that it uses did.
 */
#ifndef _CATSCTL_LINUX_RBTREE_H
#define _CATSCTL_LINUX_RBTREE_H

#include <linux/kernel.h>

struct rb_node {
	unsigned long	__rb_parent_color;
	struct rb_node	*rb_right;
	struct rb_node	*rb_left;
};

struct rb_root {
	struct rb_node	*rb_node;
};

struct rb_root_cached {
	struct rb_root	rb_root;
	struct rb_node	*rb_leftmost;
};

#define RB_ROOT_CACHED		((struct rb_root_cached) { { NULL, }, NULL })
#define RB_CLEAR_NODE(node)	((node)->__rb_parent_color = (unsigned long)(node))
#define RB_EMPTY_NODE(node)	((node)->__rb_parent_color == (unsigned long)(node))

#define rb_entry(ptr, type, member)	container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member) \
	({ typeof(ptr) _p = (ptr); _p ? rb_entry(_p, type, member) : NULL; })
#define rb_first_cached(root)		((root)->rb_leftmost)

struct rb_node *rb_add_cached(struct rb_node *node, struct rb_root_cached *tree,
			      bool (*less)(struct rb_node *, const struct rb_node *));
struct rb_node *rb_erase_cached(struct rb_node *node, struct rb_root_cached *root);

#endif /* _CATSCTL_LINUX_RBTREE_H */
