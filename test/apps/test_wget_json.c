/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON keeps all that a sum needs, and a file of somebody else does no harm. */
#include <CUnit/CUnit.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/wget_json.h"
#include "test/apps/results.h"

/* What is written into memory; the caller frees it. */
static char *
json_of(const struct result *r)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(result_write_json(f, r));
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	return text;
}

static struct result *
read_text(const char *text, char why[JSON_WHY_MAX])
{
	char *copy = strdup(text);
	FILE *f;
	struct result *r;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	f = fmemopen(copy, strlen(copy), "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	r = result_read_json(f, why);
	fclose(f);
	free(copy);
	return r;
}

/* The result with one piece of its text replaced is refused, for this reason. */
static void
refused(const char *from, const char *to, const char *reason)
{
	struct result *r = small_result("a", 5000), *got;
	char *text = json_of(r), *at = strstr(text, from), why[JSON_WHY_MAX] = "", bad[16384];

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(bad, sizeof(bad), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	got = read_text(bad, why);
	CU_ASSERT_PTR_NULL(got);
	if (!strstr(why, reason)) {
		printf("\n%s -> %s: %s\n", from, to, why);
		CU_FAIL("another reason than expected");
	}
	result_free(got);
	result_free(r);
	free(text);
}

static void
test_round(void)
{
	struct result *r = small_result("a", 123456789), *got;
	char why[JSON_WHY_MAX], *text = json_of(r), *again;

	got = read_text(text, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	again = json_of(got);
	CU_ASSERT_STRING_EQUAL(text, again);
	CU_ASSERT_EQUAL(memcmp(r->latency, got->latency, sizeof(r->latency)), 0);
	CU_ASSERT_EQUAL(memcmp(r->count, got->count, sizeof(r->count)), 0);
	CU_ASSERT_STRING_EQUAL(got->machine[0].url, r->machine[0].url);
	CU_ASSERT_EQUAL(got->series.at[1].response.max_ns, 123456789);
	free(text);
	free(again);
	result_free(r);
	result_free(got);
}

static void
test_empty(void)
{
	struct result *r = small_result("a", 1), *got;
	char why[JSON_WHY_MAX], *text;

	memset(r->count, 0, sizeof(r->count));
	memset(r->failures, 0, sizeof(r->failures));
	memset(r->latency, 0, sizeof(r->latency));
	memset(r->series.at, 0, sizeof(r->series.at[0]));
	r->series.n = 0;
	text = json_of(r);
	got = read_text(text, why);
	CU_ASSERT_PTR_NOT_NULL(got);
	free(text);
	result_free(r);
	result_free(got);
}

static void
test_refused(void)
{
	refused("{", "", "line 1");
	refused("epwget-result", "other", "not a result");
	refused("\"version\":1", "\"version\":2", "version is 2");
	refused("\"version\":1", "\"version\":1,\"version\":1", "line 1");
	refused("\"elapsed_ns\":2000000000", "\"elapsed_ns\":-1", "elapsed_ns");
	refused("\"elapsed_ns\":2000000000", "\"elapsed_ns\":2e9", "elapsed_ns");
	refused("\"machines\":[", "\"machines\":[],\"m\":[", "machines");
	refused("\"host\":\"a\"", "\"host\":3", "host");
	refused("\"poisson\":false", "\"poisson\":0", "poisson");
	refused("\"requests_failed\":1", "\"requests_failed\":2", "errors do not add up");
	refused("\"reset\":1", "\"reset\":null", "reset");
	refused("\"requests_completed\":3", "\"requests_completed\":4", "latency response");
	refused("\"count\":3", "\"count\":4", "latency response: the buckets");
	refused("[1007,1]", "[1008,1]", "1008");
	refused("[1007,1]", "[1007,-1]", "count of a bucket");
	refused("[1007,1]", "1007", "time of a bucket");
	refused("[1007,1]", "[1007,1e400]", "line 1");
	refused("\"interval_ns\":1000000000", "\"interval_ns\":3000000000", "series");
	refused("\"intervals\":[", "\"intervals\":[7,", "completed");
	refused("\"series\":{", "\"series\":7,\"s\":{", "series");
}

static void
test_cut(void)
{
	struct result *r = small_result("a", 5000);
	char *text = json_of(r), why[JSON_WHY_MAX];

	for (size_t len = strlen(text) - 2; len > 0; len--) {
		text[len] = '\0';
		CU_ASSERT_PTR_NULL(read_text(text, why));
	}
	free(text);
	result_free(r);
}

/* ---- what the manual says ------------------------------------------------ */

#define NAMES_MAX 64

struct names {
	unsigned n;
	char name[NAMES_MAX][32];
};

static bool
names_have(const struct names *set, const char *name)
{
	for (unsigned i = 0; i < set->n; i++)
		if (strcmp(set->name[i], name) == 0)
			return true;
	return false;
}

static void
names_add(struct names *set, const char *name)
{
	if (names_have(set, name) || set->n == NAMES_MAX)
		return;
	snprintf(set->name[set->n++], sizeof(set->name[0]), "%s", name);
}

/* The words of a line of the manual after its macro; punctuation is none, and what is in
 * brackets is no member. */
static void
names_of_line(struct names *set, char *words)
{
	char *rest;

	for (char *w = strtok_r(words, " \n", &rest); w; w = strtok_r(NULL, " \n", &rest)) {
		if (*w == '[')
			return;
		if (strlen(w) > 1)
			names_add(set, w);
	}
}

/* The names of an object's members, and of theirs.  The manual tells of histograms once. */
static void
names_of_value(struct names *set, json_t *v, bool histograms)
{
	const char *key;
	json_t *member;
	size_t i;

	json_array_foreach(v, i, member)
		names_of_value(set, member, histograms);
	json_object_foreach(v, key, member) {
		names_add(set, key);
		if (histograms || !json_object_get(member, "buckets"))
			names_of_value(set, member, histograms);
	}
}

static void
same_names(const char *of, const struct names *said, const struct names *written)
{
	for (unsigned i = 0; i < said->n; i++)
		if (!names_have(written, said->name[i])) {
			printf("\n%s: epwget.1 knows %s, no file has it\n", of, said->name[i]);
			CU_FAIL("a member that is not written");
		}
	for (unsigned i = 0; i < written->n; i++)
		if (!names_have(said, written->name[i])) {
			printf("\n%s: epwget.1 does not know %s\n", of, written->name[i]);
			CU_FAIL("a member without description");
		}
}

/* An item of the manual names one or several members of the root, its text what is in them. */
static void
check_item(json_t *root, const struct names *item, const struct names *said)
{
	struct names written = { 0 };

	for (unsigned i = 0; i < item->n; i++)
		names_of_value(&written, json_object_get(root, item->name[i]),
		               strcmp(item->name[i], "latency") == 0);
	same_names(item->n ? item->name[0] : "none", said, &written);
}

/* Compares item by item; all names of items are in `all` afterwards. */
static void
check_section(FILE *man, json_t *root, struct names *all)
{
	struct names item = { 0 }, said = { 0 };
	char line[512], words[512];
	bool inside = false;

	while (fgets(line, sizeof(line), man)) {
		if (strcmp(line, ".Ss Files of results\n") == 0)
			inside = true;
		else if (strncmp(line, ".S", 2) == 0)
			inside = false;
		if (inside && strncmp(line, ".It Li ", 7) == 0) {
			check_item(root, &item, &said);
			item.n = said.n = 0;
			snprintf(words, sizeof(words), "%s", line + 7);
			names_of_line(&item, words);
			names_of_line(all, line + 7);
		} else if (inside && strncmp(line, ".Li ", 4) == 0) {
			names_of_line(&said, line + 4);
		}
	}
	check_item(root, &item, &said);
}

static void
test_manual(void)
{
	const char *top = getenv("MTCP_SRCDIR");
	struct result *r = small_result("a", 5000);
	struct names items = { 0 }, members = { 0 };
	char path[512], *text = json_of(r);
	const char *key;
	json_t *root = json_loads(text, 0, NULL), *member;
	FILE *man;

	snprintf(path, sizeof(path), "%s/doc/man/epwget.1", top ? top : ".");
	man = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(man);
	CU_ASSERT_PTR_NOT_NULL_FATAL(root);
	check_section(man, root, &items);
	json_object_foreach(root, key, member)
		names_add(&members, key);
	same_names("the file", &items, &members);
	CU_ASSERT_TRUE(items.n >= 9);
	fclose(man);
	json_decref(root);
	free(text);
	result_free(r);
}

void suite_wget_json(void);

void
suite_wget_json(void)
{
	CU_pSuite s = CU_add_suite("wget_json", NULL, NULL);

	CU_add_test(s, "what was written is read back, to the last bucket", test_round);
	CU_add_test(s, "an empty result is a result", test_empty);
	CU_add_test(s, "whatever is wrong with a file is said", test_refused);
	CU_add_test(s, "the manual knows every member, and no other", test_manual);
	CU_add_test(s, "a file that was cut anywhere is refused", test_cut);
}
