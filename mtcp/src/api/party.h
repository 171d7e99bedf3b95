/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processes that share the addresses of a port, and how they find each other: a folder
 * /dev/shm/mtcp-UID-NAME with the memory that they share and a bell (a FIFO) for each core.
 * It appears with the first of them and goes with the last.
 *
 * Each has one of the places 0 .. processes-1, and a lock on one byte of the file while it
 * lives.  The kernel takes that lock back however a process ends, so that whoever looks sees
 * who is there, and a place that became free can be taken again.  Nothing else of what stands
 * in the folder is believed: who comes when nobody is there makes all of it anew.
 */
#pragma once

#include "base/base.h"
#include "core/rss.h"
#include "core/stack_cfg.h"

#define PARTY_NAME 64 /* room for a name */

struct party;

struct party_plan {
	const char *name;    /* letters, digits, . _ : -                          */
	unsigned processes;  /* 2..64                                            */
	int place;           /* -1: the first that is free                       */
	unsigned cores;      /* bells: of all processes together                 */
	uint32_t what[4];    /* numbers that all must agree about                */
	size_t size;         /* bytes of memory                                  */
};

/* 0 and *out, or -errno and a line in `err`.  Blocks while another one joins, 5 s at most. */
int party_join(const struct party_plan *plan, struct party **out, char *err, size_t errlen);

/* After the last use of the memory.  NULL is allowed. */
void party_leave(struct party *p);

/* Once, before the devices are closed: whether nobody else is there who uses them.  If nobody is,
 * nobody can join before party_forget(), lest closing takes away what a new one has just opened;
 * else this process counts as gone from here on. */
bool party_is_last(const struct party *p);

/* Removes the folder if nobody else is there; the memory can still be used. */
void party_forget(const struct party *p);

unsigned party_place(const struct party *p);

/* Who owns what only the first of them can make. */
enum party_role {
	PARTY_FIRST,    /* this process: nobody was there                       */
	PARTY_FOLLOWS,  /* another one, which is there                          */
	PARTY_ORPHAN,   /* another one, which is there no more                  */
};

enum party_role party_role(const struct party *p);

/* Waits until the first process has opened its ports; -EAGAIN: it has not in 15 s, or has gone. */
int party_await_first(const struct party *p, unsigned ports);

/* Whether a process has that place now. */
bool party_is_there(const struct party *p, unsigned place);
bool party_is_alone(const struct party *p);

/* A random key by which flows are given to cores, and ports to connections: 0 or -EIO. */
int party_draw_key(uint8_t key[RSS_KEY_LEN]);

/* The first process's, and memory that was zero when it came. */
const uint8_t *party_key(const struct party *p);
void *party_memory(const struct party *p);

/* A descriptor that is readable when somebody has written to it; everybody has it. */
int party_bell(const struct party *p, unsigned core);

/* Port `port` has this link address here: 0, or -EADDRNOTAVAIL and a line in `err` when another
 * process that is there has said otherwise. */
int party_agree(struct party *p, unsigned port, const char *name, const uint8_t mac[6],
                char *err, size_t errlen);
