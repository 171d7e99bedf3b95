/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cache of files, keyed by path.  The cache holds one reference to what it
 * knows, each sender one more; forgetting a file is dropping the first.
 */
#include "apps/www.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HASH_SIZE 1024u
#define FILES_MAX 1024u
#define FDS_MAX 128u
#define BYTES_MAX (32u << 20)
#define FRESH_NS 1000000000

struct www {
	int root;
	unsigned nfiles, nfds;
	size_t nbytes;
	struct www_file *oldest, *newest;
	struct www_file *hash[HASH_SIZE];
	struct www_file *pages[16];
};

static const int page_status[] = {400, 403, 404, 405, 414, 431, 500, 501, 503, 505};

/* ---- opening below the root ---------------------------------------------- */

/* One component of len bytes below the directory at, never through a link. */
static int
open_component(int at, const char *component, size_t len)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	char name[NAME_MAX + 1];

	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, component, len);
	name[len] = '\0';
	if (strcmp(name, "..") == 0) {
		errno = EXDEV;
		return -1;
	}
	if (component[len] == '/')
		flags |= O_DIRECTORY;
	return openat(at, len ? name : ".", flags);
}

/* Kernels and sandboxes without openat2(): no symbolic link at all, checked one
 * component at a time. */
static int
open_step_by_step(int root, const char *path)
{
	int at = dup(root);

	while (at >= 0) {
		size_t len = strcspn(path, "/");
		int next = open_component(at, path, len);
		int error = errno;

		close(at);
		errno = error;
		path += len;
		path += *path == '/';
		if (*path == '\0')
			return next;
		at = next;
	}
	return -1;
}

/* O_NONBLOCK: a FIFO in the site must not hold the server. */
static int
open_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return open_step_by_step(root, path);
	return (int)fd;
}

/* A regular file that has been opened. */
struct opened {
	int fd;
	bool is_index; /* of the directory that was asked for */
	struct stat st;
};

static int
status_of(int error)
{
	switch (error) {
	case EACCES:
	case EXDEV: /* a symbolic link that leads out */
	case ELOOP:
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return 503;
	case EIO:
		return 500;
	default:
		return 404;
	}
}

static int
open_index(int root, const char *dir)
{
	char path[HTTP_PATH_MAX + sizeof("/index.html")];
	bool bare = *dir != '\0' && dir[strlen(dir) - 1] != '/';

	snprintf(path, sizeof(path), "%s%sindex.html", dir, bare ? "/" : "");
	return open_beneath(root, path);
}

/* Opens path, or its index.html when it is a directory.  0, or the status to answer. */
static int
open_file(int root, const char *path, struct opened *o)
{
	o->is_index = false;
	o->fd = open_beneath(root, path);
	if (o->fd >= 0 && fstat(o->fd, &o->st) == 0 && S_ISDIR(o->st.st_mode)) {
		close(o->fd);
		o->is_index = true;
		o->fd = open_index(root, path);
	}
	if (o->fd < 0)
		return status_of(errno);
	if (fstat(o->fd, &o->st) == 0 && S_ISREG(o->st.st_mode))
		return 0;
	close(o->fd);
	return 404;
}

/* ---- the cache ----------------------------------------------------------- */

/* FNV-1a: a chain is bounded by FILES_MAX anyway. */
static uint32_t
path_hash(const char *path, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)path[i]) * 16777619u;
	return h;
}

static void
list_remove(struct www *w, struct www_file *f)
{
	*(f->older ? &f->older->newer : &w->oldest) = f->newer;
	*(f->newer ? &f->newer->older : &w->newest) = f->older;
}

static void
list_append(struct www *w, struct www_file *f)
{
	f->newer = NULL;
	f->older = w->newest;
	*(w->newest ? &w->newest->newer : &w->oldest) = f;
	w->newest = f;
}

void
www_put(struct www *w, struct www_file *f)
{
	if (--f->refs > 0)
		return;
	if (f->fd >= 0) {
		close(f->fd);
		w->nfds--;
	}
	if (f->data)
		w->nbytes -= f->size;
	free(f->data);
	free(f);
}

static void
forget(struct www *w, struct www_file *f)
{
	struct www_file **link = &w->hash[f->hash % HASH_SIZE];

	while (*link != f)
		link = &(*link)->chain;
	*link = f->chain;
	f->cached = false;
	list_remove(w, f);
	w->nfiles--;
	www_put(w, f);
}

static void
remember(struct www *w, struct www_file *f)
{
	struct www_file **head = &w->hash[f->hash % HASH_SIZE];

	f->chain = *head;
	*head = f;
	list_append(w, f);
	f->refs++;
	f->cached = true;
	w->nfiles++;
	while (w->oldest != f && (w->nfiles > FILES_MAX || w->nfds > FDS_MAX ||
	                          w->nbytes > BYTES_MAX))
		forget(w, w->oldest);
}

static struct www_file *
lookup(struct www *w, const char *path)
{
	size_t len = strlen(path);
	uint32_t hash = path_hash(path, len);
	struct www_file *f = w->hash[hash % HASH_SIZE];

	while (f && (f->hash != hash || f->path_len != len || memcmp(f->path, path, len) != 0))
		f = f->chain;
	return f;
}

/* It is the one used last. */
static void
use(struct www *w, struct www_file *f)
{
	if (w->newest == f)
		return;
	list_remove(w, f);
	list_append(w, f);
}

/* ---- files --------------------------------------------------------------- */

/* With room for both its replies, behind the path. */
static struct www_file *
file_new(const char *path, uint64_t size)
{
	size_t len = strlen(path), body = size <= WWW_SHORT_MAX ? (size_t)size : 0;
	struct www_file *f = calloc(1, sizeof(*f) + len + 1 + 2 * (HTTP_REPLY_MAX + body));

	if (!f)
		return NULL;
	memcpy(f->path, path, len);
	f->path_len = len;
	f->hash = path_hash(path, len);
	f->size = size;
	f->fd = -1;
	f->refs = 1;
	for (int i = 0; i < 2; i++) {
		f->reply[i].at = -1;
		f->reply[i].body = body;
		f->reply[i].text = f->path + len + 1 + (size_t)i * (HTTP_REPLY_MAX + body);
	}
	return f;
}

/* Reads all of a small file; false when that failed or it has just been cut. */
static bool
file_load(struct www *w, struct www_file *f, int fd)
{
	size_t have = 0;

	f->data = malloc(f->size ? f->size : 1);
	if (!f->data)
		return false;
	w->nbytes += f->size;
	while (have < f->size) {
		ssize_t n = pread(fd, f->data + have, f->size - have, (off_t)have);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			return false;
		have += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Takes over o->fd. */
static struct www_file *
file_make(struct www *w, const char *path, const struct opened *o)
{
	struct www_file *f = file_new(path, (uint64_t)o->st.st_size);

	if (!f) {
		close(o->fd);
		return NULL;
	}
	f->status = 200;
	f->seen = o->st;
	f->type = http_type(o->is_index ? ".html" : path);
	if (f->size > WWW_SMALL_MAX) {
		f->fd = o->fd;
		w->nfds++;
		return f;
	}
	if (!file_load(w, f, o->fd)) {
		www_put(w, f);
		f = NULL;
	}
	close(o->fd);
	return f;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Makes *f, what we knew (NULL: nothing), agree with the disk.  0, or the status to
 * answer, with nothing known then. */
static int
refresh(struct www *w, struct www_file **f, const char *path)
{
	struct opened o;
	int status = open_file(w->root, path, &o);

	if (status == 0 && *f && same_file(&o.st, &(*f)->seen)) {
		close(o.fd);
		return 0;
	}
	if (*f)
		forget(w, *f);
	*f = NULL;
	if (status)
		return status;
	*f = file_make(w, path, &o);
	if (!*f)
		return 500;
	remember(w, *f);
	www_put(w, *f); /* from now on the cache's own reference holds it */
	return 0;
}

struct www_file *
www_get(struct www *w, const char *path, int64_t now)
{
	struct www_file *f = lookup(w, path);

	if (!f || now - f->checked_at >= FRESH_NS) {
		int status = refresh(w, &f, path);

		if (status)
			return www_page(w, status);
		f->checked_at = now;
	}
	use(w, f);
	f->refs++;
	return f;
}

bool
www_again(struct www *w, struct www_file *f, int64_t now)
{
	if (!f->cached || now - f->checked_at >= FRESH_NS)
		return false;
	use(w, f);
	f->refs++;
	return true;
}

/* ---- pages --------------------------------------------------------------- */

static struct www_file *
page_make(struct www *w, int status)
{
	char text[80];
	int len = snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));
	struct www_file *f = file_new("", (uint64_t)len);

	if (!f)
		return NULL;
	f->status = status;
	f->type = http_type(".txt");
	f->data = strdup(text);
	if (!f->data) {
		free(f);
		return NULL;
	}
	w->nbytes += f->size;
	return f;
}

struct www_file *
www_page(struct www *w, int status)
{
	size_t n = sizeof(page_status) / sizeof(page_status[0]);
	struct www_file *fallback = NULL;

	for (size_t i = 0; i < n; i++) {
		if (page_status[i] == status) {
			w->pages[i]->refs++;
			return w->pages[i];
		}
		if (page_status[i] == 500)
			fallback = w->pages[i];
	}
	fallback->refs++;
	return fallback;
}

void
www_reply_make(struct www_file *f, bool keep_alive, time_t date)
{
	char text[HTTP_DATE_SIZE];
	struct http_reply r = {f->status, f->type, text, f->size, keep_alive};
	struct www_reply *made = &f->reply[keep_alive];

	http_date(text, date);
	made->head = http_reply_format(made->text, &r);
	made->at = date;
	if (made->body > 0)
		memcpy(made->text + made->head, f->data, made->body);
}

/* ---- the site ------------------------------------------------------------ */

struct www *
www_open(const char *dir)
{
	struct www *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->root < 0) {
		free(w);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(page_status) / sizeof(page_status[0]); i++) {
		w->pages[i] = page_make(w, page_status[i]);
		if (!w->pages[i]) {
			www_close(w);
			errno = ENOMEM;
			return NULL;
		}
	}
	return w;
}

void
www_close(struct www *w)
{
	while (w->oldest)
		forget(w, w->oldest);
	for (size_t i = 0; i < sizeof(page_status) / sizeof(page_status[0]); i++)
		if (w->pages[i])
			www_put(w, w->pages[i]);
	close(w->root);
	free(w);
}
