/* SPDX-License-Identifier: BSD-3-Clause */
/* Members are processes: children that join, answer to commands, and are killed. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/party.h"

void suite_party(void);

struct member {
	pid_t pid;
	int in, out;
};

static char name[PARTY_NAME];

static struct party_plan
plan_of(int place, unsigned cores)
{
	return (struct party_plan){
		.name = name, .processes = 2, .place = place, .cores = cores, .size = 65536,
	};
}

static bool
folder_is_there(void)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof path, "/dev/shm/mtcp-%u-%s", (unsigned)geteuid(), name);
	return stat(path, &st) == 0;
}

/* What a child does; its answers are a line each. */
static void
obey(int in, FILE *out, const struct party_plan *plan)
{
	struct party *p = NULL;
	char err[256], c;
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	int rc = party_join(plan, &p, err, sizeof err);

	if (rc)
		fprintf(out, "refused %d\n", rc);
	else
		fprintf(out, "place %u first byte %u\n", party_place(p),
		        *(uint8_t *)party_memory(p));
	fflush(out);
	while (!rc && read(in, &c, 1) == 1 && c != 'q') {
		if (c == 'w')
			memset(party_memory(p), 0xff, 65536);
		if (c == 'b')
			(void)!write(party_bell(p, 1), "x", 1);
		if (c == 'm')
			rc = party_agree(p, 0, "x", mac, err, sizeof err);
		fprintf(out, "%s\n", party_is_alone(p) ? "alone" : "together");
		fflush(out);
	}
	party_leave(p);
	fprintf(out, "left\n");
	fclose(out);
	_exit(0);
}

static struct member
member_start(int place, unsigned cores)
{
	struct party_plan plan = plan_of(place, cores);
	struct member m;
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		abort();
	m.pid = fork();
	if (m.pid < 0)
		abort();
	if (m.pid == 0) {
		close(to[1]);
		close(from[0]);
		obey(to[0], fdopen(from[1], "w"), &plan);
	}
	close(to[0]);
	close(from[1]);
	m.in = to[1];
	m.out = from[0];
	return m;
}

static const char *
answer(const struct member *m)
{
	static char line[64];
	size_t n = 0;

	while (n + 1 < sizeof line && read(m->out, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return line;
}

static const char *
order(const struct member *m, char c)
{
	if (write(m->in, &c, 1) != 1)
		return "gone";
	return answer(m);
}

static void
member_end(const struct member *m, int sig)
{
	if (sig)
		kill(m->pid, sig);
	else
		CU_ASSERT_STRING_EQUAL(order(m, 'q'), "left");
	(void)waitpid(m->pid, NULL, 0);
	close(m->in);
	close(m->out);
}

static void
test_each_takes_the_first_place_that_is_free(void)
{
	struct member a, b, c;

	a = member_start(-1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	CU_ASSERT_STRING_EQUAL(order(&a, 'w'), "alone");
	b = member_start(-1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&b), "place 1 first byte 255");
	CU_ASSERT_STRING_EQUAL(order(&a, '.'), "together");
	c = member_start(-1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&c), "refused -16");
	CU_ASSERT_STRING_EQUAL(answer(&c), "left");
	member_end(&c, SIGKILL);
	member_end(&a, 0);
	CU_ASSERT_TRUE(folder_is_there());
	CU_ASSERT_STRING_EQUAL(order(&b, '.'), "alone");
	a = member_start(-1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 255");
	member_end(&a, 0);
	member_end(&b, 0);
	CU_ASSERT_FALSE(folder_is_there());
}

/* Nobody needs to tell that it has died, and nothing that it wrote counts when all have. */
static void
test_who_is_killed_leaves_a_free_place(void)
{
	struct member a = member_start(0, 2), b;

	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	b = member_start(1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&b), "place 1 first byte 0");
	CU_ASSERT_STRING_EQUAL(order(&b, 'w'), "together");
	member_end(&b, SIGKILL);
	CU_ASSERT_STRING_EQUAL(order(&a, '.'), "alone");
	b = member_start(1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&b), "place 1 first byte 255");
	member_end(&b, SIGKILL);
	member_end(&a, SIGKILL);
	CU_ASSERT_TRUE(folder_is_there());
	a = member_start(-1, 2);
	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	member_end(&a, 0);
	CU_ASSERT_FALSE(folder_is_there());
}

static void
test_all_have_the_same_plan(void)
{
	struct member a = member_start(0, 2), b;
	struct party_plan plan = plan_of(0, 2);
	struct party *p = NULL;
	char err[256];

	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	b = member_start(1, 4);
	CU_ASSERT_STRING_EQUAL(answer(&b), "refused -22");
	CU_ASSERT_STRING_EQUAL(answer(&b), "left");
	member_end(&b, SIGKILL);
	CU_ASSERT_EQUAL(party_join(&plan, &p, err, sizeof err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "has place 0"));
	member_end(&a, 0);
	plan.name = "../x";
	CU_ASSERT_EQUAL(party_join(&plan, &p, err, sizeof err), -EINVAL);
}

static void
test_all_have_the_same_link_address(void)
{
	struct member a = member_start(0, 2);
	struct party_plan plan = plan_of(1, 2);
	uint8_t other[6] = { 2, 0, 0, 0, 0, 2 }, same[6] = { 2, 0, 0, 0, 0, 1 };
	struct party *p = NULL;
	char err[256];

	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	CU_ASSERT_STRING_EQUAL(order(&a, 'm'), "alone");
	CU_ASSERT_EQUAL_FATAL(party_join(&plan, &p, err, sizeof err), 0);
	CU_ASSERT_EQUAL(party_agree(p, 0, "x", other, err, sizeof err), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(party_agree(p, 0, "x", same, err, sizeof err), 0);
	CU_ASSERT_FALSE(party_is_last(p));
	member_end(&a, SIGKILL);
	party_leave(p);
	CU_ASSERT_FALSE(folder_is_there());
}

static void
test_bells_are_heard_by_others(void)
{
	struct member a = member_start(0, 2);
	struct party_plan plan = plan_of(1, 2);
	struct party *p = NULL;
	char err[256], heard[8];

	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	CU_ASSERT_EQUAL_FATAL(party_join(&plan, &p, err, sizeof err), 0);
	CU_ASSERT_EQUAL(read(party_bell(p, 1), heard, sizeof heard), -1);
	CU_ASSERT_STRING_EQUAL(order(&a, 'b'), "together");
	CU_ASSERT_EQUAL(read(party_bell(p, 0), heard, sizeof heard), -1);
	CU_ASSERT_EQUAL(read(party_bell(p, 1), heard, sizeof heard), 1);
	CU_ASSERT_TRUE(party_is_there(p, 0));
	member_end(&a, 0);
	CU_ASSERT_FALSE(party_is_there(p, 0));
	CU_ASSERT_TRUE(party_is_last(p));
	party_leave(p);
	CU_ASSERT_FALSE(folder_is_there());
}

/* What only the first can make is there as long as it is. */
static void
test_the_first_is_known_to_all(void)
{
	struct member a = member_start(-1, 2);
	struct party_plan plan = plan_of(-1, 2);
	struct party *p = NULL;
	char err[256];

	CU_ASSERT_STRING_EQUAL(answer(&a), "place 0 first byte 0");
	CU_ASSERT_STRING_EQUAL(order(&a, 'm'), "alone");
	CU_ASSERT_EQUAL_FATAL(party_join(&plan, &p, err, sizeof err), 0);
	CU_ASSERT_EQUAL(party_role(p), PARTY_FOLLOWS);
	CU_ASSERT_EQUAL(party_await_first(p, 1), 0);
	member_end(&a, SIGKILL);
	CU_ASSERT_EQUAL(party_role(p), PARTY_ORPHAN);
	CU_ASSERT_EQUAL(party_await_first(p, 1), -EAGAIN);
	party_leave(p);
	CU_ASSERT_EQUAL_FATAL(party_join(&plan, &p, err, sizeof err), 0);
	CU_ASSERT_EQUAL(party_role(p), PARTY_FIRST);
	party_leave(p);
}

static int
name_make(void)
{
	snprintf(name, sizeof name, "test-%d", (int)getpid());
	return 0;
}

static void
test_keys_that_are_drawn_are_good(void)
{
	uint8_t key[2][RSS_KEY_LEN] = { { 0 }, { 0 } };

	for (unsigned n = 0; n < 20; n++) {
		CU_ASSERT_EQUAL(party_draw_key(key[n % 2]), 0);
		CU_ASSERT_TRUE(rss_key_is_good(key[n % 2]));
		CU_ASSERT_NOT_EQUAL(memcmp(key[0], key[1], RSS_KEY_LEN), 0);
	}
}

void
suite_party(void)
{
	CU_pSuite s = CU_add_suite("party", name_make, NULL);

	CU_add_test(s, "each takes the first place that is free",
	            test_each_takes_the_first_place_that_is_free);
	CU_add_test(s, "who is killed leaves a free place",
	            test_who_is_killed_leaves_a_free_place);
	CU_add_test(s, "keys that are drawn differ, and are good", test_keys_that_are_drawn_are_good);
	CU_add_test(s, "all have the same plan", test_all_have_the_same_plan);
	CU_add_test(s, "all have the same link address", test_all_have_the_same_link_address);
	CU_add_test(s, "bells are heard by others", test_bells_are_heard_by_others);
	CU_add_test(s, "the first is known to all", test_the_first_is_known_to_all);
}
