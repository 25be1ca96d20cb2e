// SPDX-License-Identifier: GPL-2.0
/*
 * Tags: from control messages, and the checks that tags from anywhere share.
 */
#include <linux/string.h>

#include "cats_sock.h"

#define TAG_FLAGS	(CATS_F_INCREMENTAL | CATS_F_REPLACE)

/**
 * cats_tag_check() - is a tag valid?
 * @tag: tag
 *
 * Return: 0, or why not.
 */
enum cats_reason cats_tag_check(const struct cats_tag *tag)
{
	if (tag->urgency > CATS_URGENCY_MAX)
		return CATS_REASON_TAG_URGENCY;
	if (tag->flags & ~TAG_FLAGS)
		return CATS_REASON_TAG_FLAG;
	if (tag->flags & CATS_F_INCREMENTAL && !tag->stream)
		return CATS_REASON_TAG_INCREMENTAL;
	if (tag->flags & CATS_F_REPLACE && !tag->cookie)
		return CATS_REASON_TAG_REPLACE;
	if (tag->notify & ~CATS_NOTIFY_ALL)
		return CATS_REASON_TAG_NOTIFY;
	if (tag->reserved)
		return CATS_REASON_TAG_RESERVED;
	return CATS_REASON_NONE;
}

/**
 * cats_tag_check_default() - may it be the default tag of a socket?
 * @tag: tag
 *
 * Messages without a tag of their own follow TCP, part by part: they cannot be
 * dropped whole, and nobody could name one of them.
 *
 * Return: 0, or why not.
 */
enum cats_reason cats_tag_check_default(const struct cats_tag *tag)
{
	struct cats_tag rest = *tag;

	rest.urgency = 0;
	if (memchr_inv(&rest, 0, sizeof(rest)))
		return CATS_REASON_TAG_DEFAULT;
	return cats_tag_check(tag);
}

/* Sizes as in copy_struct_from_user(), but the source is in the kernel. */
static int tag_from_cmsg(struct cats_sock *cs, struct cmsghdr *cmsg,
			 struct cats_tag *tag)
{
	size_t len = cmsg->cmsg_len - sizeof(*cmsg);
	enum cats_reason why;

	if (cmsg->cmsg_type != CATS_TAG)
		return cats_refuse(cs, CATS_REASON_CMSG_TYPE);
	if (len < sizeof(tag->urgency))
		return cats_refuse(cs, CATS_REASON_TAG_SHORT);
	if (len > sizeof(*tag) &&
	    memchr_inv(CMSG_DATA(cmsg) + sizeof(*tag), 0, len - sizeof(*tag)))
		return cats_refuse(cs, CATS_REASON_TAG_LONG);
	memset(tag, 0, sizeof(*tag));
	memcpy(tag, CMSG_DATA(cmsg), min(len, sizeof(*tag)));
	why = cats_tag_check(tag);
	return why ? cats_refuse(cs, why) : 0;
}

/**
 * cats_tag_from_msg() - find the tag among the control messages of a write
 * @cs: CATS socket
 * @msg: message; control messages of other levels are not looked at
 * @tag: filled if there is one
 *
 * Return: 1 with a tag, 0 without one; -EINVAL or -E2BIG with the reason set.
 */
int cats_tag_from_msg(struct cats_sock *cs, struct msghdr *msg,
		      struct cats_tag *tag)
{
	struct cmsghdr *cmsg;
	int err, found = 0;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return cats_refuse(cs, CATS_REASON_CMSG_LENGTH);
		if (cmsg->cmsg_level != SOL_CATS)
			continue;
		if (found)
			return cats_refuse(cs, CATS_REASON_CMSG_TAGS);
		err = tag_from_cmsg(cs, cmsg, tag);
		if (err)
			return err;
		found = 1;
	}
	return found;
}
