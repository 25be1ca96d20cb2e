/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of the demo: what is in them, how a receiver finds their
 * borders, and how it knows that no byte is wrong.
 *
 * A message is a header and a payload that follows from the header, so the
 * receiver can check every byte without having seen the original.  The header
 * says how long the message is: were a message not contiguous in the byte
 * stream, the header after it would not be where it must be.
 */
#ifndef DEMO_FRAME_H
#define DEMO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC	0x43415453u
#define FRAME_MAX	1000		/* bytes of the longest message */
#define NR_GROUPS	5		/* P0 to P4 */

/* The last message of its group: how the receiver knows that none is missing. */
#define FRAME_LAST	1u

/* Host byte order: both ends of the demo run on one machine. */
struct frame {
	uint32_t magic;
	uint16_t group;			/* 0 to 4 for P0 to P4 */
	uint16_t flags;
	uint32_t seq;			/* counts from 0 in each group */
	uint32_t len;			/* header and payload */
	uint64_t want_ns;		/* CLOCK_MONOTONIC: the application wants to send it */
};

/* Fills in @buf, @f->len bytes, from @f. */
void frame_build(unsigned char *buf, const struct frame *f);

/*
 * Reads the header at @buf into @f.  Returns NULL, or what is wrong with it.
 */
const char *frame_parse(const unsigned char *buf, struct frame *f);

/*
 * Compares the payload at @buf + sizeof(*f) with what it must be.  Returns the
 * offset in the message of the first wrong byte, or 0.
 */
size_t frame_check_payload(const unsigned char *buf, const struct frame *f);

#endif /* DEMO_FRAME_H */
