/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks are fcntl's of old, which a child of fork() does not inherit: it is no member. */
#include "api/party.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 64u
#define GATE       64 /* the byte whose lock lets in one at a time */
#define GATE_LOOKS 500
#define GATE_PAUSE MS(10)
#define LAYOUT     2u /* of struct door and all behind it */
#define KEY_DRAWS  1000 /* two of seven are good */

/* How the file begins. */
struct door {
	char magic[8];
	uint32_t layout, processes, cores;
	uint32_t what[4];
	uint64_t size;
	uint32_t first;          /* the place of whom made this */
	uint8_t key[RSS_KEY_LEN];
	struct {
		uint8_t known[STACK_PORTS_MAX];
		uint8_t mac[STACK_PORTS_MAX][6];
	} place[PLACES_MAX];
};

#define DOOR_ROOM 8192u

static_assert(sizeof(struct door) <= DOOR_ROOM, "the door has room before the memory");

static const char magic[8] = { 'm', 't', 'c', 'p', 'h', 'a', 'l', 'l' };

struct party {
	struct party_plan plan;
	char path[PARTY_NAME + 64];
	int dir, file;
	unsigned place;
	bool made;               /* by us                       */
	uint32_t first;
	uint8_t key[RSS_KEY_LEN];
	uint8_t *base;           /* of the mapping */
	int bell[PLACES_MAX];
};

/* -- locks ---------------------------------------------------------------- */

static struct flock
lock_of(short type, off_t from, off_t n)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = n };
}

static bool
lock_take(int fd, off_t at)
{
	struct flock l = lock_of(F_WRLCK, at, 1);

	return fcntl(fd, F_SETLK, &l) == 0;
}

static void
lock_give(int fd, off_t at)
{
	struct flock l = lock_of(F_UNLCK, at, 1);

	(void)fcntl(fd, F_SETLK, &l);
}

/* The number of a process that holds one of these bytes, not ours; 0: nobody does. */
static int
lock_holder(int fd, off_t from, off_t n)
{
	struct flock l = lock_of(F_WRLCK, from, n);

	if (fcntl(fd, F_GETLK, &l) || l.l_type == F_UNLCK)
		return 0;
	return l.l_pid > 0 ? l.l_pid : 1;
}

enum party_role
party_role(const struct party *p)
{
	if (p->made)
		return PARTY_FIRST;
	return p->first != p->place && p->first < PLACES_MAX && lock_holder(p->file, p->first, 1)
	           ? PARTY_FOLLOWS : PARTY_ORPHAN;
}

bool
party_is_there(const struct party *p, unsigned place)
{
	return place == p->place || lock_holder(p->file, place, 1) != 0;
}

bool
party_is_alone(const struct party *p)
{
	return lock_holder(p->file, 0, PLACES_MAX) == 0;
}

static bool
gate_pass(int fd)
{
	const struct timespec pause = { .tv_nsec = GATE_PAUSE };

	for (int i = 0; i < GATE_LOOKS; i++) {
		if (lock_take(fd, GATE))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* -- the folder ----------------------------------------------------------- */

static bool
name_good(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < PARTY_NAME && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == len;
}

static int
dir_open(struct party *p, char *err, size_t errlen)
{
	struct stat st;

	if (mkdir(p->path, 0700) && errno != EEXIST) {
		int why = errno;

		snprintf(err, errlen, "%s: %s", p->path, strerror(why));
		return -why;
	}
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->dir < 0)
		return errno == ENOENT ? -EAGAIN : -errno; /* the last one has just left */
	if (fstat(p->dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return 0;
	snprintf(err, errlen, "%s is not ours alone", p->path);
	return -EPERM;
}

/* With the gate passed.  -EAGAIN: it was removed meanwhile. */
static int
file_open(struct party *p, char *err, size_t errlen)
{
	struct stat st;

	p->file = openat(p->dir, "hall", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->file < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (!gate_pass(p->file)) {
		snprintf(err, errlen, "%s is held by process %d", p->path,
		         lock_holder(p->file, GATE, 1));
		return -EBUSY;
	}
	if (fstat(p->file, &st))
		return -errno;
	return st.st_nlink ? 0 : -EAGAIN;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
enter(struct party *p, char *err, size_t errlen)
{
	int rc = -EAGAIN;

	for (int i = 0; i < 100 && rc == -EAGAIN; i++) {
		shut(&p->file);
		shut(&p->dir);
		rc = dir_open(p, err, errlen);
		if (!rc)
			rc = file_open(p, err, errlen);
	}
	return rc;
}

static int
bells_open(struct party *p)
{
	char name[16];
	struct stat st;

	for (unsigned i = 0; i < p->plan.cores; i++) {
		snprintf(name, sizeof name, "bell.%u", i);
		if (mkfifoat(p->dir, name, 0600) && errno != EEXIST)
			return -errno;
		p->bell[i] = openat(p->dir, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (p->bell[i] < 0 || fstat(p->bell[i], &st))
			return -errno;
		if (!S_ISFIFO(st.st_mode))
			return -EINVAL;
	}
	return 0;
}

/* -- the file ------------------------------------------------------------- */

static struct door *
door_of(const struct party *p)
{
	return (struct door *)(void *)p->base;
}

/* Space that is there, lest a write to it end us later. */
static int
file_make(const struct party *p)
{
	off_t size = (off_t)(DOOR_ROOM + p->plan.size);

	if (ftruncate(p->file, 0))
		return -errno;
	return -posix_fallocate(p->file, 0, size);
}

static int
file_map(struct party *p)
{
	void *at = mmap(NULL, DOOR_ROOM + p->plan.size, PROT_READ | PROT_WRITE, MAP_SHARED, p->file, 0);

	if (at == MAP_FAILED)
		return -errno;
	p->base = at;
	return 0;
}

int
party_draw_key(uint8_t key[RSS_KEY_LEN])
{
	for (unsigned n = 0; n < KEY_DRAWS; n++) {
		if (getrandom(key, RSS_KEY_LEN, 0) != (ssize_t)RSS_KEY_LEN)
			return -EIO;
		if (rss_key_is_good(key))
			return 0;
	}
	return -EIO;
}

static int
door_make(struct party *p)
{
	struct door *d = door_of(p);

	memcpy(d->magic, magic, sizeof magic);
	d->layout = LAYOUT;
	d->processes = p->plan.processes;
	d->cores = p->plan.cores;
	memcpy(d->what, p->plan.what, sizeof d->what);
	d->size = p->plan.size;
	return party_draw_key(d->key);
}

static bool
door_same(const struct party *p)
{
	const struct door *d = door_of(p);

	return memcmp(d->magic, magic, sizeof magic) == 0 && d->layout == LAYOUT &&
	       d->processes == p->plan.processes && d->cores == p->plan.cores &&
	       d->size == p->plan.size && memcmp(d->what, p->plan.what, sizeof d->what) == 0;
}

static int
file_share(struct party *p, char *err, size_t errlen)
{
	bool first = party_is_alone(p);
	struct stat st;
	int rc = first ? file_make(p) : fstat(p->file, &st) ? -errno : 0;

	if (!rc && !first && st.st_size != (off_t)(DOOR_ROOM + p->plan.size))
		rc = -EINVAL;
	if (!rc)
		rc = file_map(p);
	if (!rc && first)
		rc = door_make(p);
	else if (!rc && !door_same(p))
		rc = -EINVAL;
	if (rc == -EINVAL)
		snprintf(err, errlen, "%s: the processes that are there have another configuration "
		         "(num_cores, multiprocess, mtu)", p->path);
	if (rc)
		return rc;
	memcpy(p->key, door_of(p)->key, sizeof p->key);
	p->made = first;
	p->first = door_of(p)->first;
	return 0;
}

static int
place_take(struct party *p, char *err, size_t errlen)
{
	unsigned from = p->plan.place < 0 ? 0 : (unsigned)p->plan.place;
	unsigned to = p->plan.place < 0 ? p->plan.processes : from + 1;

	for (unsigned i = from; i < to; i++) {
		if (!lock_take(p->file, i))
			continue;
		p->place = i;
		if (p->made)
			door_of(p)->first = i;
		memset(&door_of(p)->place[i], 0, sizeof door_of(p)->place[i]);
		return 0;
	}
	if (p->plan.place < 0)
		snprintf(err, errlen, "multiprocess: all %u processes are there already (%s)",
		         p->plan.processes, p->path);
	else
		snprintf(err, errlen, "multiprocess: process %d has place %u", lock_holder(p->file, from, 1),
		         from);
	return -EBUSY;
}

/* -- coming and going ------------------------------------------------------- */

static struct party *
party_new(const struct party_plan *plan)
{
	struct party *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->plan = *plan;
	p->dir = p->file = -1;
	for (unsigned i = 0; i < PLACES_MAX; i++)
		p->bell[i] = -1;
	snprintf(p->path, sizeof p->path, "/dev/shm/mtcp-%u-%s", (unsigned)geteuid(), plan->name);
	return p;
}

static void
party_free(struct party *p)
{
	for (unsigned i = 0; i < PLACES_MAX; i++)
		shut(&p->bell[i]);
	if (p->base)
		munmap(p->base, DOOR_ROOM + p->plan.size);
	shut(&p->file); /* and its locks go */
	shut(&p->dir);
	free(p);
}

int
party_join(const struct party_plan *plan, struct party **out, char *err, size_t errlen)
{
	struct party *p;
	int rc;

	if (!name_good(plan->name)) {
		snprintf(err, errlen, "multiprocess_name: '%.64s' is no name (letters, digits, . _ : -)",
		         plan->name);
		return -EINVAL;
	}
	p = party_new(plan);
	if (!p)
		return -ENOMEM;
	*err = '\0';
	rc = enter(p, err, errlen);
	if (!rc)
		rc = file_share(p, err, errlen);
	if (!rc)
		rc = place_take(p, err, errlen);
	if (!rc)
		rc = bells_open(p);
	if (rc && !*err)
		snprintf(err, errlen, "%s: %s", p->path, strerror(-rc));
	if (p->file >= 0)
		lock_give(p->file, GATE);
	if (rc)
		party_free(p);
	else
		*out = p;
	return rc;
}

bool
party_is_last(const struct party *p)
{
	bool alone = false;

	if (gate_pass(p->file)) {
		alone = party_is_alone(p);
		if (alone) /* and nobody comes in until its devices are closed */
			return true;
		lock_give(p->file, p->place);
		lock_give(p->file, GATE);
	}
	return alone;
}

void
party_forget(const struct party *p)
{
	char name[16];

	if (!gate_pass(p->file))
		return;
	if (party_is_alone(p)) {
		for (unsigned i = 0; i < p->plan.cores; i++) {
			snprintf(name, sizeof name, "bell.%u", i);
			unlinkat(p->dir, name, 0);
		}
		unlinkat(p->dir, "hall", 0);
		rmdir(p->path);
	}
	lock_give(p->file, GATE);
}

void
party_leave(struct party *p)
{
	if (!p)
		return;
	party_forget(p);
	party_free(p);
}

/* -- what there is ---------------------------------------------------------- */

unsigned
party_place(const struct party *p)
{
	return p->place;
}

const uint8_t *
party_key(const struct party *p)
{
	return p->key;
}

void *
party_memory(const struct party *p)
{
	return p->base + DOOR_ROOM;
}

int
party_bell(const struct party *p, unsigned core)
{
	assert(core < p->plan.cores);
	return p->bell[core];
}

int
party_await_first(const struct party *p, unsigned ports)
{
	const struct timespec pause = { .tv_nsec = GATE_PAUSE };

	for (int i = 0; i < 3 * GATE_LOOKS && party_role(p) == PARTY_FOLLOWS; i++) {
		if (*(volatile uint8_t *)&door_of(p)->place[p->first].known[ports - 1] == 1)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -EAGAIN;
}

static int
disagree(const char *name, const uint8_t m[6], const uint8_t o[6], char *err, size_t errlen)
{
	snprintf(err, errlen, "port %.60s has the address %02x:%02x:%02x:%02x:%02x:%02x here, "
	         "%02x:%02x:%02x:%02x:%02x:%02x in another process (net_tap: add mac=fixed to its "
	         "arguments)", name, m[0], m[1], m[2], m[3], m[4], m[5], o[0], o[1], o[2], o[3],
	         o[4], o[5]);
	return -EADDRNOTAVAIL;
}

int
party_agree(struct party *p, unsigned port, const char *name, const uint8_t mac[6], char *err,
            size_t errlen)
{
	struct door *d = door_of(p);
	int rc = 0;

	assert(port < STACK_PORTS_MAX);
	if (!gate_pass(p->file)) {
		snprintf(err, errlen, "%s is held by process %d", p->path,
		         lock_holder(p->file, GATE, 1));
		return -EBUSY;
	}
	for (unsigned i = 0; i < p->plan.processes && !rc; i++)
		if (i != p->place && d->place[i].known[port] == 1 && party_is_there(p, i) &&
		    memcmp(d->place[i].mac[port], mac, 6) != 0)
			rc = disagree(name, mac, d->place[i].mac[port], err, errlen);
	if (!rc) {
		memcpy(d->place[p->place].mac[port], mac, 6);
		d->place[p->place].known[port] = 1;
	}
	lock_give(p->file, GATE);
	return rc;
}
