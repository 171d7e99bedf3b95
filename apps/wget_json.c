/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing packs what a result has; reading takes nothing for granted: each member
 * must be there, of its type and in its range, and what must add up does.
 */
#include "apps/wget_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#define EXACT_MAX (INT64_C(1) << 53) /* what every reader of JSON takes for an integer */

static const struct {
	const char *name;
	uint32_t per_million;
} quantiles[] = {
	{ "p50_ns", 500000 },   { "p90_ns", 900000 },    { "p99_ns", 990000 },
	{ "p99.9_ns", 999000 }, { "p99.99_ns", 999900 },
};

/* ---- writing ------------------------------------------------------------- */

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Only buckets that hold something, each as its largest time and its count. */
static json_t *
pack_buckets(const struct latency *l)
{
	json_t *a = json_array();

	for (unsigned b = 0; b < LATENCY_BUCKETS; b++)
		if (l->bucket[b] > 0)
			json_array_append_new(
			    a, json_pack("[oo]", number(latency_top(b)), number(l->bucket[b])));
	return a;
}

static json_t *
pack_latency(const struct latency *l)
{
	json_t *o =
	    json_pack("{soso}", "count", number(l->count), "mean_ns", number(latency_mean(l)));

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		json_object_set_new(o, quantiles[i].name,
		                    number(latency_quantile(l, quantiles[i].per_million)));
	json_object_set_new(o, "max_ns", number(l->max_ns));
	json_object_set_new(o, "sum_ns", number(l->sum_ns));
	json_object_set_new(o, "buckets", pack_buckets(l));
	return o;
}

static json_t *
pack_machine(const struct settings *m)
{
	return json_pack("{sssssIsIsIsIsIsIsIsIsIsbsI}", "host", m->host, "url", m->url,
	                 "started_s", (json_int_t)m->started_s, "cores", (json_int_t)m->cores,
	                 "concurrency", (json_int_t)m->concurrency, "flows",
	                 (json_int_t)m->flows, "requests_per_connection",
	                 (json_int_t)m->per_flow, "timeout_s", (json_int_t)m->timeout_s,
	                 "warm_up_s", (json_int_t)m->warm_up_s, "duration_s",
	                 (json_int_t)m->duration_s, "rate_per_s", (json_int_t)m->rate,
	                 "poisson", (int)m->poisson, "sources", (json_int_t)m->sources);
}

static json_t *
pack_series(const struct series *s)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < s->n; i++)
		json_array_append_new(a, json_pack("{sososo}", "completed",
		                                   number(s->at[i].completed), "failed",
		                                   number(s->at[i].failed), "response",
		                                   pack_latency(&s->at[i].response)));
	return json_pack("{sIso}", "interval_ns", (json_int_t)s->length_ns, "intervals", a);
}

static json_t *
pack_result(const struct result *r)
{
	json_t *machines = json_array(), *counts = json_object(), *errors = json_object();
	json_t *latency = json_object();

	for (unsigned i = 0; i < r->machines; i++)
		json_array_append_new(machines, pack_machine(&r->machine[i]));
	for (int i = 0; i < COUNTS; i++)
		json_object_set_new(counts, count_key((enum count)i), number(r->count[i]));
	for (int i = 1; i < FAILURES; i++)
		json_object_set_new(errors, failure_key((enum failure)i),
		                    number(r->failures[i]));
	for (int i = 0; i < TIMINGS; i++)
		json_object_set_new(latency, timing_key((enum timing)i),
		                    pack_latency(&r->latency[i]));
	return json_pack("{sssisssIsososososo}", "schema", JSON_SCHEMA, "version", JSON_VERSION,
	                 "mtcp", MTCP_VERSION, "elapsed_ns",
	                 (json_int_t)(r->elapsed_ns > 0 ? r->elapsed_ns : 0), "machines",
	                 machines, "counts", counts, "errors", errors, "latency", latency,
	                 "series", pack_series(&r->series));
}

bool
result_write_json(FILE *f, const struct result *r)
{
	json_t *root = pack_result(r);
	bool good = root && json_dumpf(root, f, JSON_COMPACT) == 0 && fputc('\n', f) != EOF;

	json_decref(root);
	return good;
}

/* ---- reading ------------------------------------------------------------- */

/* The first thing that was wrong; what comes after it is of no interest. */
struct reader {
	bool bad;
	char *why;
};

static void wrong(struct reader *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
wrong(struct reader *d, const char *format, ...)
{
	va_list args;

	if (d->bad)
		return;
	d->bad = true;
	va_start(args, format);
	vsnprintf(d->why, JSON_WHY_MAX, format, args);
	va_end(args);
}

static json_t *
member(struct reader *d, json_t *o, const char *key, json_type type, const char *what)
{
	json_t *v = json_object_get(o, key);

	if (v && json_typeof(v) == type)
		return v;
	wrong(d, "%s is not %s", key, what);
	return NULL;
}

static uint64_t
whole(struct reader *d, const json_t *v, const char *key, int64_t max)
{
	json_int_t n = json_integer_value(v);

	if (json_is_integer(v) && n >= 0 && n <= max)
		return (uint64_t)n;
	wrong(d, "%s is not a whole number from 0 to %" PRId64, key, max);
	return 0;
}

static uint64_t
take(struct reader *d, json_t *o, const char *key, int64_t max)
{
	return whole(d, json_object_get(o, key), key, max);
}

static long
take_long(struct reader *d, json_t *o, const char *key)
{
	return (long)take(d, o, key, INT64_MAX);
}

static void
take_text(struct reader *d, json_t *o, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));

	if (!text || strlen(text) >= size)
		wrong(d, "%s is not a text of at most %zu bytes", key, size - 1);
	else
		memcpy(out, text, strlen(text) + 1);
}

static void
take_bucket(struct reader *d, json_t *pair, struct latency *l)
{
	uint64_t top = whole(d, json_array_get(pair, 0), "the time of a bucket", INT64_MAX);
	uint64_t n = whole(d, json_array_get(pair, 1), "the count of a bucket", EXACT_MAX);
	unsigned b = latency_bucket(top);

	if (latency_top(b) != top)
		wrong(d, "a bucket ends at %" PRIu64 " ns, where none of ours does", top);
	l->bucket[b] += n;
	l->count += n;
}

static void
take_latency(struct reader *d, json_t *o, const char *key, struct latency *l)
{
	json_t *v = member(d, o, key, JSON_OBJECT, "an object");
	json_t *buckets = member(d, v, "buckets", JSON_ARRAY, "an array");

	l->max_ns = take(d, v, "max_ns", INT64_MAX);
	l->sum_ns = take(d, v, "sum_ns", INT64_MAX);
	for (size_t i = 0; i < json_array_size(buckets) && !d->bad; i++)
		take_bucket(d, json_array_get(buckets, i), l);
	if (take(d, v, "count", EXACT_MAX) != l->count)
		wrong(d, "latency %s: the buckets do not add up to count", key);
}

static void
take_machine(struct reader *d, json_t *o, struct settings *m)
{
	json_t *poisson = json_object_get(o, "poisson");

	take_text(d, o, "host", m->host, sizeof(m->host));
	take_text(d, o, "url", m->url, sizeof(m->url));
	m->started_s = take_long(d, o, "started_s");
	m->cores = take_long(d, o, "cores");
	m->concurrency = take_long(d, o, "concurrency");
	m->flows = take_long(d, o, "flows");
	m->per_flow = take_long(d, o, "requests_per_connection");
	m->timeout_s = take_long(d, o, "timeout_s");
	m->warm_up_s = take_long(d, o, "warm_up_s");
	m->duration_s = take_long(d, o, "duration_s");
	m->rate = take_long(d, o, "rate_per_s");
	m->poisson = json_is_true(poisson);
	m->sources = take_long(d, o, "sources");
	if (!json_is_boolean(poisson))
		wrong(d, "poisson is neither true nor false");
}

static void
take_machines(struct reader *d, json_t *root, struct result *r)
{
	json_t *a = member(d, root, "machines", JSON_ARRAY, "an array");
	size_t n = json_array_size(a);

	if (n < 1 || n > MACHINES_MAX)
		wrong(d, "machines has not 1 to %u entries", MACHINES_MAX);
	for (size_t i = 0; i < n && !d->bad; i++)
		take_machine(d, json_array_get(a, i), &r->machine[r->machines++]);
}

static void
take_counts(struct reader *d, json_t *root, struct result *r)
{
	json_t *counts = member(d, root, "counts", JSON_OBJECT, "an object");
	json_t *errors = member(d, root, "errors", JSON_OBJECT, "an object");
	uint64_t sum = 0;

	for (int i = 0; i < COUNTS; i++)
		r->count[i] = take(d, counts, count_key((enum count)i), EXACT_MAX);
	for (int i = 1; i < FAILURES; i++)
		sum += r->failures[i] =
		    take(d, errors, failure_key((enum failure)i), EXACT_MAX);
	if (sum != r->count[REQUESTS_FAILED])
		wrong(d, "errors do not add up to requests_failed");
}

static bool
is_length(int64_t ns)
{
	int64_t times = ns / SERIES_SHORTEST_NS;

	return ns >= SERIES_SHORTEST_NS && ns <= SERIES_LONGEST_NS &&
	       ns % SERIES_SHORTEST_NS == 0 && (times & (times - 1)) == 0;
}

static void
take_series(struct reader *d, json_t *root, struct series *s)
{
	json_t *o = member(d, root, "series", JSON_OBJECT, "an object");
	json_t *a = member(d, o, "intervals", JSON_ARRAY, "an array");
	int64_t length = (int64_t)take(d, o, "interval_ns", SERIES_LONGEST_NS);

	if (!is_length(length) || json_array_size(a) > SERIES_MAX)
		wrong(d, "series has not at most %u intervals of 1, 2, 4, … s", SERIES_MAX);
	if (d->bad)
		return;
	s->length_ns = length;
	for (size_t i = 0; i < json_array_size(a) && !d->bad; i++) {
		json_t *v = json_array_get(a, i);
		struct interval *at = series_at(s, (int64_t)i * length);

		at->completed = take(d, v, "completed", EXACT_MAX);
		at->failed = take(d, v, "failed", EXACT_MAX);
		take_latency(d, v, "response", &at->response);
	}
}

static void
take_schema(struct reader *d, json_t *root)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	json_t *version = json_object_get(root, "version");

	if (!schema || strcmp(schema, JSON_SCHEMA) != 0)
		wrong(d, "not a result of epwget --json");
	else if (json_integer_value(version) != JSON_VERSION)
		wrong(d, "version is %" JSON_INTEGER_FORMAT "; this epwget reads version %d",
		      json_integer_value(version), JSON_VERSION);
}

static void
take_result(struct reader *d, json_t *root, struct result *r)
{
	json_t *latency;

	take_schema(d, root);
	r->elapsed_ns = (int64_t)take(d, root, "elapsed_ns", INT64_MAX);
	take_machines(d, root, r);
	take_counts(d, root, r);
	latency = member(d, root, "latency", JSON_OBJECT, "an object");
	for (int i = 0; i < TIMINGS; i++)
		take_latency(d, latency, timing_key((enum timing)i), &r->latency[i]);
	if (r->latency[RESPONSE].count != r->count[REQUESTS_COMPLETED])
		wrong(d, "latency response has not as many times as requests_completed");
	take_series(d, root, &r->series);
}

struct result *
result_read_json(FILE *f, char why[JSON_WHY_MAX])
{
	json_error_t error;
	json_t *root = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
	struct result *r = root ? result_new() : NULL;
	struct reader d = { .why = why };

	if (!root)
		wrong(&d, "line %d: %s", error.line, error.text);
	else if (!r)
		wrong(&d, "out of memory");
	else
		take_result(&d, root, r);
	json_decref(root);
	if (!d.bad)
		return r;
	result_free(r);
	return NULL;
}
