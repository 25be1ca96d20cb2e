/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User-space stand-in for the kernel's doubly linked lists: the few operations
 * that the Conductor uses, with the kernel's names.
 */
#ifndef _UNIT_LINUX_LIST_H
#define _UNIT_LINUX_LIST_H

#include <linux/kernel.h>

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	node->next = head;
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_move_tail(struct list_head *node, struct list_head *head)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_add_tail(node, head);
}

static inline void list_del_init(struct list_head *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	INIT_LIST_HEAD(node);
}

#define list_first_entry(head, type, member) \
	container_of((head)->next, type, member)

#define list_for_each_entry(pos, head, member)				\
	for ((pos) = list_first_entry(head, typeof(*(pos)), member);	\
	     &(pos)->member != (head);					\
	     (pos) = list_first_entry(&(pos)->member, typeof(*(pos)), member))

#endif
