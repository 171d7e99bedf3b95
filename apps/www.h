/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * The files of one site, below one directory that no path leaves.
 *
 * Small files are held in memory, large ones as an open descriptor from which
 * connections read as they send.  Either is looked at again after a second, so
 * that a change on disk shows; who is still sending keeps the old version.
 * Answers that are no file (404, …) look like files, so that a server has one
 * way to send.
 *
 * One www belongs to one thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "apps/http.h"

/* Files up to this size are held in memory. */
#define WWW_SMALL_MAX 65536u
/* Those up to this size are held as replies, too. */
#define WWW_SHORT_MAX 4096u

/* A reply as it is written: a head, and behind it the whole body of a file that is short
 * enough for that. */
struct www_reply {
	time_t at;    /* its Date */
	char *text;
	size_t head;  /* bytes of head */
	size_t body;  /* and of body: all of it, or none */
};

struct www_file {
	struct www_file *chain;          /* same hash */
	struct www_file *older, *newer;  /* by use */
	int status;                      /* of the reply that carries it */
	int fd;                          /* -1 when data holds it all */
	unsigned refs;
	bool cached;                     /* www_get() may find it */
	uint32_t hash;
	size_t path_len;
	uint64_t size;
	char *data;
	const char *type;
	int64_t checked_at;              /* ns */
	struct stat seen;
	struct www_reply reply[2];       /* the last made, [1] for keep-alive */
	char path[];
};

/* Whether a reply with it is one piece. */
static inline bool
www_is_short(const struct www_file *f)
{
	return f->reply[0].body == f->size;
}

struct www;

/* Opens a site.  NULL and errno when dir is no directory that can be read. */
struct www *www_open(const char *dir);
void www_close(struct www *w);

/*
 * The file at path (as http_target_path() writes it), a directory's being its
 * index.html; now is any clock that moves, in ns.  Never NULL: what cannot be
 * served is the page that says so.  Give it back with www_put().
 * Reads the file when it is small and new: may wait for the disk.
 */
struct www_file *www_get(struct www *w, const char *path, int64_t now);

/*
 * What www_get() would give for the path that f was got for: true and f, once more, when that is
 * known without looking; false to ask it.  The caller holds f.
 */
bool www_again(struct www *w, struct www_file *f, int64_t now);

/* The page of an error status. */
struct www_file *www_page(struct www *w, int status);

void www_put(struct www *w, struct www_file *f);

void www_reply_make(struct www_file *f, bool keep_alive, time_t date);

/* The reply that carries f, made at most once a second; date is the present one.  Valid until
 * the next call for f. */
static inline const struct www_reply *
www_reply(struct www_file *f, bool keep_alive, time_t date)
{
	if (f->reply[keep_alive].at != date)
		www_reply_make(f, keep_alive, date);
	return &f->reply[keep_alive];
}
