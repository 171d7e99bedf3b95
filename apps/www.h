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

struct www_file {
	struct www_file *chain;          /* same hash */
	struct www_file *older, *newer;  /* by use */
	int status;                      /* of the reply that carries it */
	int fd;                          /* -1 when data holds it all */
	unsigned refs;
	uint32_t hash;
	uint64_t size;
	char *data;
	const char *type;
	int64_t checked_at;              /* ns */
	struct stat seen;
	struct {                         /* the last head made, [1] for keep-alive */
		time_t at;
		size_t len;
		char text[HTTP_REPLY_MAX];
	} head[2];
	char path[];
};

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

/* The page of an error status. */
struct www_file *www_page(struct www *w, int status);

void www_put(struct www *w, struct www_file *f);

/* The head of the reply that carries f, made at most once a second; date is the
 * present one.  Valid until the next call for f. */
const char *www_head(struct www_file *f, bool keep_alive, time_t date, size_t *len);
