/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page has two sets of colours, for light and dark, and no script: what rests
 * under the pointer is told by <title> elements.
 */
#include "apps/wget_report.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "apps/wget_svg.h"

static const char style[] =
	"<style>\n"
	":root{--page:#fcfcfb;--card:#fff;--ink:#1c1b19;--soft:#62605a;--rule:#e3e1db;"
	"--a:#2a78d6;--b:#c8501c;--c:#7a3fb0;--d:#8a8880;--bad:#c8322f}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#171716;--card:#20201e;--ink:#f0efea;"
	"--soft:#a9a79f;--rule:#3a3935;--a:#5b9ff0;--b:#f08a57;--c:#b98ae8;--d:#8f8d85;"
	"--bad:#f0706c}}\n"
	"*{box-sizing:border-box}body{margin:0 auto;padding:24px 20px 40px;max-width:920px;"
	"background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:22px;margin:0}h2{font-size:16px;margin:0 0 4px}p{margin:0;color:var(--soft);"
	"overflow-wrap:anywhere}footer{margin-top:16px;color:var(--soft);font-size:13px}\n"
	"section,.tile{background:var(--card);border:1px solid var(--rule);border-radius:8px;"
	"padding:14px 16px;margin-top:16px}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(125px,1fr));gap:0 12px}\n"
	".tile b{display:block;font-size:22px;font-weight:600;line-height:1.3;white-space:nowrap}"
	".tile span{color:var(--soft);font-size:13px}.tile .bad{color:var(--bad)}\n"
	".legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;color:var(--soft)}\n"
	".legend i{display:inline-block;width:14px;height:3px;margin-right:6px;"
	"vertical-align:middle;border-radius:2px}\n";

static const char style_charts[] =
	"svg{display:block;width:100%;height:auto;margin-top:6px}svg text{font-size:13px;"
	"fill:var(--soft)}svg.small{display:none}svg.small text{font-size:14px}"
	"@media(max-width:640px){svg.small{display:block}svg.large{display:none}}\n"
	"svg .over{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}\n"
	".grid{stroke:var(--rule)}.axis,.mark{stroke:var(--soft)}.mark{stroke-dasharray:3 3}\n"
	".line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
	".line.a{stroke:var(--a)}.line.b{stroke:var(--b)}.line.c{stroke:var(--c)}"
	".line.d{stroke:var(--d);stroke-dasharray:4 3}.line.bad{stroke:var(--bad)}\n"
	"rect.a,circle.a,i.a{fill:var(--a);background:var(--a)}"
	"circle.b,i.b{fill:var(--b);background:var(--b)}"
	"circle.c,i.c{fill:var(--c);background:var(--c)}circle.d{fill:var(--d)}"
	"i.d{background:linear-gradient(90deg,var(--d) 5px,transparent 5px 9px,var(--d) 9px)}"
	"circle.bad,i.bad{fill:var(--bad);background:var(--bad)}\n";

static const char style_tables[] =
	".tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));"
	"gap:0 16px;align-items:start}.tables section{min-width:0}.tables .long{grid-row:span 2}"
	".tables .all{grid-column:1/-1}.tight table{width:auto}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{padding:4px 0 4px 16px;border-bottom:1px solid var(--rule);text-align:right;"
	"font-weight:400;white-space:nowrap}"
	"th:first-child,td:first-child{padding-left:0;text-align:left;white-space:normal}\n"
	"thead th{color:var(--soft)}tbody tr:last-child>*{border-bottom:0}\n"
	"@media(max-width:640px){th,td{padding-left:8px}table{font-size:13px}}\n"
	"</style>\n";

/* Text of somebody else's. */
static void
put_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

/* ---- the head of the page ------------------------------------------------ */

static void
put_date(FILE *f, int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;
	char text[64];

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		fputs(text, f);
}

static bool
same_url(const struct result *r)
{
	for (unsigned i = 1; i < r->machines; i++)
		if (strcmp(r->machine[i].url, r->machine[0].url) != 0)
			return false;
	return true;
}

static void
put_head(FILE *f, const struct result *r)
{
	char text[UNIT_TEXT_MAX];

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n<title>epwget: ",
	      f);
	put_text(f, r->machines ? r->machine[0].url : "");
	fputs("</title>\n", f);
	fputs(style, f);
	fputs(style_charts, f);
	fputs(style_tables, f);
	fputs("</head>\n<body>\n<h1>epwget</h1>\n<p>", f);
	if (r->machines) {
		put_text(f, r->machine[0].url);
		fputs(same_url(r) ? ", " : " and others, ", f);
		put_date(f, r->machine[0].started_s);
		fputs(", ", f);
	}
	fputs(unit_text(text, UNIT_SECONDS, result_seconds(r)), f);
	if (r->machines > 1)
		fprintf(f, ", %u machines", r->machines);
	fputs("</p>\n", f);
}

static void
put_tile(FILE *f, const char *name, const char *value, bool bad)
{
	fprintf(f, "<div class=\"tile\"><span>%s</span><b%s>%s</b></div>\n", name,
	        bad ? " class=\"bad\"" : "", value);
}

static void
put_time_tile(FILE *f, const char *name, const struct latency *l, uint32_t per_million)
{
	double ns = (double)latency_quantile(l, per_million);
	char text[UNIT_TEXT_MAX];

	put_tile(f, name, l->count ? unit_text(text, UNIT_NS, ns) : "–", false);
}

static void
put_tiles(FILE *f, const struct result *r)
{
	const struct latency *l = &r->latency[RESPONSE];
	double s = result_seconds(r), requests = (double)r->count[REQUESTS_COMPLETED];
	uint64_t bad = r->count[REQUESTS_FAILED] + r->count[REQUESTS_NOT_STARTED];
	char text[UNIT_TEXT_MAX];

	fputs("<div class=\"tiles\">\n", f);
	put_tile(f, "requests/s", unit_text(text, UNIT_COUNT, requests / s), false);
	put_time_tile(f, "response p50", l, 500000);
	put_time_tile(f, "p99", l, 990000);
	put_time_tile(f, "p99.9", l, 999000);
	put_tile(f, "read, bit/s",
	         unit_text(text, UNIT_COUNT, (double)r->count[BYTES_READ] * 8 / s), false);
	put_tile(f, "not served", unit_text(text, UNIT_COUNT, (double)bad), bad > 0);
	fputs("</div>\n", f);
}

static void
put_legend(FILE *f, const char *class, const char *name)
{
	fprintf(f, "<span><i class=\"%s\"></i>%s</span>", class, name);
}

/* ---- over time ------------------------------------------------------------- */

/* The length of interval i: the last one may have been cut short.  What is in the first
 * moments of one, as the end of a run may be, is no rate. */
static double
interval_seconds(const struct result *r, unsigned i)
{
	double length = (double)r->series.length_ns / 1e9;
	double left = result_seconds(r) - i * length;

	return left >= length || (i > 0 && left < 0.05) ? length : left;
}

/* The middle of each interval. */
static void
fill_times(const struct result *r, double *x)
{
	for (unsigned i = 0; i < r->series.n; i++)
		x[i] = i * ((double)r->series.length_ns / 1e9) + interval_seconds(r, i) / 2;
}

static double
highest(const double *y, unsigned n)
{
	double max = 0;

	for (unsigned i = 0; i < n; i++)
		if (y[i] > max)
			max = y[i];
	return max;
}

static struct svg_axis
time_axis(const struct result *r)
{
	unsigned n = r->series.n;
	double end =
	    n ? (n - 1) * ((double)r->series.length_ns / 1e9) + interval_seconds(r, n - 1) : 1;

	return svg_linear(UNIT_SECONDS, end);
}

static void
put_rate(FILE *f, const struct result *r)
{
	static const char label[] = "Responses per second over time";
	double x[SERIES_MAX], good[SERIES_MAX], bad[SERIES_MAX], max;
	unsigned n = r->series.n;
	struct svg s;

	fill_times(r, x);
	for (unsigned i = 0; i < n; i++) {
		good[i] = (double)r->series.at[i].completed / interval_seconds(r, i);
		bad[i] = (double)r->series.at[i].failed / interval_seconds(r, i);
	}
	max = fmax(highest(good, n), highest(bad, n));
	fprintf(f, "<section>\n<h2>%s</h2>\n<div class=\"legend\">", label);
	put_legend(f, "a", "completed");
	if (r->count[REQUESTS_FAILED] > 0)
		put_legend(f, "bad", "failed");
	fputs("</div>\n", f);
	for (enum svg_size size = 0; size < SVG_SIZES; size++) {
		svg_open(&s, f, size, label, time_axis(r), svg_linear(UNIT_COUNT, max));
		svg_line(&s, "a", x, good, n);
		if (r->count[REQUESTS_FAILED] > 0)
			svg_line(&s, "bad", x, bad, n);
		svg_close(&s);
	}
	fputs("</section>\n", f);
}

/* NAN where an interval has no response. */
static void
fill_quantiles(const struct series *s, uint32_t per_million, double *y)
{
	for (unsigned i = 0; i < s->n; i++) {
		double q = (double)latency_quantile(&s->at[i].response, per_million);

		y[i] = s->at[i].response.count > 0 ? fmax(q, 1) : NAN;
	}
}

/* From the fastest median to the slowest response. */
static struct svg_axis
latency_axis(const struct result *r)
{
	double max = fmax((double)r->latency[RESPONSE].max_ns, 1), min = max, y[SERIES_MAX];

	fill_quantiles(&r->series, 500000, y);
	for (unsigned i = 0; i < r->series.n; i++)
		min = fmin(min, y[i]); /* which passes over NAN */
	return svg_log(UNIT_NS, min, max);
}

static const struct {
	const char *class, *name;
	uint32_t per_million;
} latency_lines[] = {
	{ "d", "maximum", 1000000 },
	{ "c", "p99.9", 999000 },
	{ "b", "p99", 990000 },
	{ "a", "p50", 500000 },
};
#define LATENCY_LINES (sizeof(latency_lines) / sizeof(latency_lines[0]))

static void
put_latency(FILE *f, const struct result *r)
{
	static const char label[] = "Response time over time";
	double x[SERIES_MAX], y[SERIES_MAX];
	struct svg s;

	fprintf(f, "<section>\n<h2>%s</h2>\n<div class=\"legend\">", label);
	for (size_t i = LATENCY_LINES; i-- > 0;)
		put_legend(f, latency_lines[i].class, latency_lines[i].name);
	fputs("</div>\n", f);
	fill_times(r, x);
	for (enum svg_size size = 0; size < SVG_SIZES; size++) {
		svg_open(&s, f, size, label, time_axis(r), latency_axis(r));
		for (size_t i = 0; i < LATENCY_LINES; i++) {
			fill_quantiles(&r->series, latency_lines[i].per_million, y);
			svg_line(&s, latency_lines[i].class, x, y, r->series.n);
		}
		svg_close(&s);
	}
	fputs("</section>\n", f);
}

/* ---- the histogram ----------------------------------------------------------- */

#define BARS_PER_DECADE 20
#define BARS_MAX        (13 * BARS_PER_DECADE) /* 1 ns to 10,000 s */

static double
bar_edge(int i)
{
	return pow(10, (double)i / BARS_PER_DECADE);
}

/* The part of [from, to) that lies in bar i, both on a logarithmic scale. */
static double
overlap(double from, double to, int i)
{
	double a = fmax(log10(from) * BARS_PER_DECADE, i);
	double b = fmin(log10(to) * BARS_PER_DECADE, i + 1);

	return b > a ? (b - a) / (log10(to) - log10(from)) / BARS_PER_DECADE : 0;
}

/* Buckets are equal within a power of two, bars everywhere: shares it out. */
static void
fill_bars(const struct latency *l, double *bar)
{
	memset(bar, 0, BARS_MAX * sizeof(*bar));
	for (unsigned b = 0; b < LATENCY_BUCKETS; b++) {
		double from = b ? (double)latency_top(b - 1) + 1 : 1;
		double to = fmax((double)latency_top(b) + 1, from + 1);
		int first = (int)(log10(from) * BARS_PER_DECADE);

		if (l->bucket[b] == 0)
			continue;
		for (int i = first; i < BARS_MAX && bar_edge(i) < to; i++)
			bar[i] += (double)l->bucket[b] * overlap(from, to, i);
	}
}

static void
put_bars(struct svg *s, const struct latency *l, const double *bar)
{
	for (int i = 0; i < BARS_MAX; i++) {
		char from[UNIT_TEXT_MAX], to[UNIT_TEXT_MAX], title[160];

		if (bar[i] < 0.5)
			continue;
		snprintf(title, sizeof(title), "%s to %s: %.0f, %.3g %%",
		         unit_text(from, UNIT_NS, bar_edge(i)),
		         unit_text(to, UNIT_NS, bar_edge(i + 1)), bar[i],
		         bar[i] * 100 / (double)l->count);
		svg_bar(s, "a", bar_edge(i), bar_edge(i + 1), bar[i], title);
	}
}

static double
fastest(const struct latency *l)
{
	for (unsigned b = 0; b < LATENCY_BUCKETS; b++)
		if (l->bucket[b] > 0)
			return fmax((double)latency_top(b), 1);
	return 1;
}

static void
put_quantiles(struct svg *s, const struct latency *l)
{
	static const char *const names[] = { "p50", "p99", "p99.9" };
	static const uint32_t parts[] = { 500000, 990000, 999000 };
	char time[UNIT_TEXT_MAX], label[UNIT_TEXT_MAX + 16];

	for (unsigned i = 0; i < 3; i++)
		svg_upright(s, (double)latency_quantile(l, parts[i]), i);
	for (unsigned i = 0; i < 3; i++) {
		double ns = (double)latency_quantile(l, parts[i]);

		snprintf(label, sizeof(label), "%s %s", names[i],
		         unit_text(time, UNIT_NS, ns));
		svg_label(s, ns, i, label);
	}
}

static void
put_histogram(FILE *f, const struct result *r)
{
	static const char label[] = "Responses by the time they took";
	const struct latency *l = &r->latency[RESPONSE];
	double bar[BARS_MAX];
	struct svg s;

	fill_bars(l, bar);
	fprintf(f,
	        "<section>\n<h2>%s</h2>\n<div class=\"legend\">responses a bar, %d bars from "
	        "one power of ten to the next</div>\n",
	        label, BARS_PER_DECADE);
	for (enum svg_size size = 0; size < SVG_SIZES; size++) {
		svg_open(&s, f, size, label,
		         svg_log(UNIT_NS, fastest(l), fmax((double)l->max_ns, 10)),
		         svg_linear(UNIT_COUNT, highest(bar, BARS_MAX)));
		put_bars(&s, l, bar);
		put_quantiles(&s, l);
		svg_close(&s);
	}
	fputs("</section>\n", f);
}

/* ---- tables ------------------------------------------------------------------ */

/* In groups of three digits. */
static void
put_number(FILE *f, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			fputs("&#8239;", f);
		fputc(digits[i], f);
	}
}

static void
put_row(FILE *f, const char *name, uint64_t n)
{
	fputs("<tr><td>", f);
	for (; *name; name++)
		fputc(*name == '_' ? ' ' : *name, f);
	fputs("</td><td>", f);
	put_number(f, n);
	fputs("</td></tr>\n", f);
}

static void
put_table(FILE *f, const char *title, const char *class)
{
	fprintf(f, "<section class=\"%s\">\n<h2>%s</h2>\n<div class=\"wide\"><table>\n", class,
	        title);
}

static void
put_table_end(FILE *f)
{
	fputs("</tbody></table></div>\n</section>\n", f);
}

/* The kinds of times that this run has; how many. */
static unsigned
kinds_of(const struct result *r, enum timing kinds[TIMINGS])
{
	unsigned n = 0;

	kinds[n++] = RESPONSE;
	if (result_is_open_loop(r))
		kinds[n++] = SERVICE;
	kinds[n++] = CONNECT;
	return n;
}

static void
put_times_head(FILE *f, const struct result *r)
{
	static const char *const names[TIMINGS] = {
		[RESPONSE] = "response",
		[SERVICE] = "once sent",
		[CONNECT] = "connecting",
	};
	enum timing kinds[TIMINGS];
	unsigned n = kinds_of(r, kinds);

	fputs("<thead><tr><th></th>", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "<th>%s</th>", names[kinds[i]]);
	fputs("</tr></thead>\n<tbody><tr><td>count</td>", f);
	for (unsigned i = 0; i < n; i++) {
		fputs("<td>", f);
		put_number(f, r->latency[kinds[i]].count);
		fputs("</td>", f);
	}
	fputs("</tr>\n", f);
}

/* A quantile of each kind, or the mean. */
static void
put_times_row(FILE *f, const struct result *r, const char *name, uint32_t per_million)
{
	enum timing kinds[TIMINGS];
	unsigned n = kinds_of(r, kinds);

	fprintf(f, "<tr><td>%s</td>", name);
	for (unsigned i = 0; i < n; i++) {
		const struct latency *l = &r->latency[kinds[i]];
		uint64_t ns = per_million ? latency_quantile(l, per_million) : latency_mean(l);
		char text[UNIT_TEXT_MAX];

		fprintf(f, "<td>%s</td>",
		        l->count ? unit_text(text, UNIT_NS, (double)ns) : "–");
	}
	fputs("</tr>\n", f);
}

static void
put_times(FILE *f, const struct result *r)
{
	put_table(f, "Times", "");
	put_times_head(f, r);
	put_times_row(f, r, "mean", 0);
	put_times_row(f, r, "p50", 500000);
	put_times_row(f, r, "p90", 900000);
	put_times_row(f, r, "p99", 990000);
	put_times_row(f, r, "p99.9", 999000);
	put_times_row(f, r, "p99.99", 999900);
	put_times_row(f, r, "maximum", 1000000);
	put_table_end(f);
}

static void
put_failures(FILE *f, const struct result *r)
{
	if (r->count[REQUESTS_FAILED] == 0)
		return;
	put_table(f, "Why requests failed", "tight");
	fputs("<tbody>", f);
	for (int i = 1; i < FAILURES; i++)
		if (r->failures[i] > 0)
			put_row(f, failure_text((enum failure)i), r->failures[i]);
	put_table_end(f);
}

static void
put_counts(FILE *f, const struct result *r)
{
	put_table(f, "Counts", "long");
	fputs("<tbody>", f);
	for (int i = 0; i < COUNTS; i++)
		put_row(f, count_key((enum count)i), r->count[i]);
	put_table_end(f);
}

/* ---- settings ---------------------------------------------------------------- */

enum setting {
	HOST,
	URL,
	STARTED,
	RATE,
	CORES,
	AT_ONCE,
	FLOWS,
	PER_FLOW,
	DURATION,
	WARM_UP,
	TIME_OUT,
	SOURCES,
	SETTINGS
};

static const char *const setting_names[SETTINGS] = {
	[HOST] = "machine",      [URL] = "URL",
	[STARTED] = "started",   [RATE] = "rate",
	[CORES] = "cores",       [AT_ONCE] = "connections at a time",
	[FLOWS] = "connections", [PER_FLOW] = "requests on a connection",
	[DURATION] = "duration", [WARM_UP] = "warm-up",
	[TIME_OUT] = "time-out", [SOURCES] = "source addresses",
};

/* A number, or what it means that there is none. */
static void
put_long(FILE *f, long n, const char *suffix, const char *none)
{
	if (n > 0)
		fprintf(f, "%ld%s", n, suffix);
	else
		fputs(none, f);
}

static void
put_numeric_setting(FILE *f, const struct settings *m, enum setting what)
{
	switch (what) {
	case CORES:
		put_long(f, m->cores, "", "0");
		break;
	case AT_ONCE:
		put_long(f, m->concurrency, "", "0");
		break;
	case FLOWS:
		put_long(f, m->flows, "", "any number");
		break;
	case PER_FLOW:
		put_long(f, m->per_flow, "", "0");
		break;
	case DURATION:
		put_long(f, m->duration_s, " s", "until all have ended");
		break;
	case WARM_UP:
		put_long(f, m->warm_up_s, " s", "none");
		break;
	case TIME_OUT:
		put_long(f, m->timeout_s, " s", "0");
		break;
	default:
		put_long(f, m->sources, "", "chosen by the stack");
	}
}

static void
put_setting(FILE *f, const struct settings *m, enum setting what)
{
	switch (what) {
	case HOST:
		put_text(f, m->host);
		break;
	case URL:
		put_text(f, m->url);
		break;
	case STARTED:
		put_date(f, m->started_s);
		break;
	case RATE:
		put_long(f, m->rate,
		         m->poisson ? " requests/s, Poisson" : " requests/s, constant",
		         "closed loop");
		break;
	default:
		put_numeric_setting(f, m, what);
	}
}

static void
put_settings(FILE *f, const struct result *r)
{
	put_table(f, "Settings", r->machines > 1 ? "all" : "");
	fputs("<tbody>", f);
	for (int i = 0; i < SETTINGS; i++) {
		fprintf(f, "<tr><td>%s</td>", setting_names[i]);
		for (unsigned m = 0; m < r->machines; m++) {
			fputs("<td>", f);
			put_setting(f, &r->machine[m], (enum setting)i);
			fputs("</td>", f);
		}
		fputs("</tr>\n", f);
	}
	put_table_end(f);
}

/* ---- the page ---------------------------------------------------------------- */

bool
result_write_report(FILE *f, const struct result *r)
{
	put_head(f, r);
	put_tiles(f, r);
	put_failures(f, r);
	put_rate(f, r);
	if (r->latency[RESPONSE].count > 0) {
		put_latency(f, r);
		put_histogram(f, r);
	}
	fputs("<div class=\"tables\">\n", f);
	put_times(f, r);
	put_counts(f, r);
	put_settings(f, r);
	fprintf(f,
	        "</div>\n<footer>epwget (mtcp) %s. Quantiles are exact to three per cent. Not "
	        "served are requests that failed and those not started.</footer>\n"
	        "</body>\n</html>\n",
	        MTCP_VERSION);
	return fflush(f) == 0 && !ferror(f);
}
