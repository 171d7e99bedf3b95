/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A chart is 800 or 400 by 260 units of its own, whatever its size on a page.
 */
#include "apps/wget_svg.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define HEIGHT      260.0
#define LEFT        64.0
#define RIGHT       28.0 /* from the right */
#define TOP         14.0
#define BOTTOM      228.0
#define Y_TICKS_MAX 8
#define ROW         16.0 /* of labels */
#define LETTER      8.5  /* the width of one */
#define POINT_WIDTH 6u /* closer together, single points would be a smear */

static const double widths[SVG_SIZES] = { [SVG_LARGE] = 800, [SVG_SMALL] = 400 };
static const int x_ticks_max[SVG_SIZES] = { [SVG_LARGE] = 12, [SVG_SMALL] = 5 };

/* ---- numbers ------------------------------------------------------------- */

/* Three digits, no trailing zeros. */
static const char *
scaled(char text[UNIT_TEXT_MAX], double value, const char *suffix)
{
	snprintf(text, UNIT_TEXT_MAX, "%.3g%s", value, suffix);
	return text;
}

static const char *
count_text(char text[UNIT_TEXT_MAX], double v)
{
	if (v >= 999.5e6)
		return scaled(text, v / 1e9, "G");
	if (v >= 999.5e3)
		return scaled(text, v / 1e6, "M");
	return v >= 999.5 ? scaled(text, v / 1e3, "k") : scaled(text, v, "");
}

static const char *
time_text(char text[UNIT_TEXT_MAX], double ns)
{
	if (ns >= 999.5e9) {
		snprintf(text, UNIT_TEXT_MAX, "%.0f s", ns / 1e9);
		return text;
	}
	if (ns >= 999.5e6)
		return scaled(text, ns / 1e9, " s");
	if (ns >= 999.5e3)
		return scaled(text, ns / 1e6, " ms");
	return ns >= 999.5 ? scaled(text, ns / 1e3, " µs") : scaled(text, ns, " ns");
}

const char *
unit_text(char text[UNIT_TEXT_MAX], enum unit unit, double value)
{
	if (unit == UNIT_COUNT)
		return count_text(text, value);
	if (unit == UNIT_SECONDS && !(value > 0))
		return scaled(text, 0, " s");
	return time_text(text, unit == UNIT_NS ? value : value * 1e9);
}

/* ---- axes ---------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, at least v. */
static double
round_up(double v)
{
	double ten = pow(10, floor(log10(v)));

	return v <= ten ? ten : v <= 2 * ten ? 2 * ten : v <= 5 * ten ? 5 * ten : 10 * ten;
}

struct svg_axis
svg_linear(enum unit unit, double max)
{
	struct svg_axis a = { .unit = unit, .from = 0 };

	if (!(max > 0))
		max = 1;
	a.step = round_up(max / 5);
	if (unit == UNIT_SECONDS) {
		a.step = max >= 2 && max < 8 ? 1 : round_up(max / 8);
		a.to = max; /* time ends where it ends */
	} else {
		a.to = ceil(max / a.step * (1 - 1e-9)) * a.step;
	}
	return a;
}

struct svg_axis
svg_log(enum unit unit, double min, double max)
{
	struct svg_axis a = { .unit = unit, .from = pow(10, floor(log10(min))) };

	a.to = pow(10, ceil(log10(max)));
	if (a.to <= a.from)
		a.to = a.from * 10;
	return a;
}

/* Where on the axis, from 0 to 1. */
static double
place(const struct svg_axis *a, double v)
{
	double p = a->step > 0 ? (v - a->from) / (a->to - a->from)
	                       : (log(v) - log(a->from)) / (log(a->to) - log(a->from));

	return p < 0 ? 0 : p > 1 ? 1 : p;
}

static double
right_of(const struct svg *s)
{
	return widths[s->size] - RIGHT;
}

static double
at_x(const struct svg *s, double x)
{
	return LEFT + place(&s->x, x) * (right_of(s) - LEFT);
}

static double
at_y(const struct svg *s, double y)
{
	return BOTTOM - place(&s->y, y) * (BOTTOM - TOP);
}

static void
tick_x(const struct svg *s, double v)
{
	char text[UNIT_TEXT_MAX];

	fprintf(s->f, "<path class=\"grid\" d=\"M%.1f %.1fv6\"/>", at_x(s, v), BOTTOM);
	fprintf(s->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
	        at_x(s, v), BOTTOM + 21, unit_text(text, s->x.unit, v));
}

static void
tick_y(const struct svg *s, double v)
{
	char text[UNIT_TEXT_MAX];

	fprintf(s->f, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, at_y(s, v),
	        right_of(s));
	fprintf(s->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 8,
	        at_y(s, v) + 4, unit_text(text, s->y.unit, v));
}

static double
tick_at(const struct svg_axis *a, int i)
{
	return a->step > 0 ? a->from + i * a->step : a->from * pow(10, i);
}

/* Every tick, or every second, third, ... so that there are at most max. */
static void
ticks(const struct svg *s, const struct svg_axis *a, int max,
      void tick(const struct svg *, double))
{
	double end = a->to * (1 + 1e-6);
	int n = 0, stride;

	while (tick_at(a, n) <= end)
		n++;
	stride = (n + max - 1) / max;
	for (int i = 0; i < n; i += stride)
		tick(s, tick_at(a, i));
}

/* ---- the chart --------------------------------------------------------------- */

void
svg_open(struct svg *s, FILE *f, enum svg_size size, const char *label, struct svg_axis x,
         struct svg_axis y)
{
	*s = (struct svg){ .f = f, .size = size, .x = x, .y = y };
	fprintf(f,
	        "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
	        "aria-label=\"%s\">\n",
	        size == SVG_SMALL ? "small" : "large", widths[size], HEIGHT, label);
	ticks(s, &s->y, Y_TICKS_MAX, tick_y);
	ticks(s, &s->x, x_ticks_max[size], tick_x);
}

void
svg_close(struct svg *s)
{
	fprintf(s->f, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/></svg>\n", LEFT, BOTTOM,
	        right_of(s));
}

static void
svg_points(struct svg *s, const char *class, const double *x, const double *y, unsigned n)
{
	char at[UNIT_TEXT_MAX], value[UNIT_TEXT_MAX];

	for (unsigned i = 0; i < n; i++)
		if (!isnan(y[i]))
			fprintf(s->f,
			        "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" "
			        "r=\"2.5\"><title>%s: %s"
			        "</title></circle>\n",
			        class, at_x(s, x[i]), at_y(s, y[i]),
			        unit_text(at, s->x.unit, x[i]),
			        unit_text(value, s->y.unit, y[i]));
}

void
svg_line(struct svg *s, const char *class, const double *x, const double *y, unsigned n)
{
	bool drawing = false;

	fprintf(s->f, "<path class=\"line %s\" d=\"", class);
	for (unsigned i = 0; i < n; i++) {
		if (!isnan(y[i]))
			fprintf(s->f, "%c%.1f %.1f", drawing ? 'L' : 'M', at_x(s, x[i]),
			        at_y(s, y[i]));
		drawing = !isnan(y[i]);
	}
	fputs("\"/>\n", s->f);
	if (n * POINT_WIDTH <= widths[s->size] - LEFT - RIGHT)
		svg_points(s, class, x, y, n);
}

void
svg_bar(struct svg *s, const char *class, double x0, double x1, double y, const char *title)
{
	double left = at_x(s, x0), width = at_x(s, x1) - left, top = at_y(s, y);

	if (width > 2)
		width -= 1; /* neighbours stay apart */
	if (BOTTOM - top < 1)
		top = BOTTOM - 1; /* little is not nothing */
	fprintf(
	    s->f,
	    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>"
	    "%s</title></rect>\n",
	    class, left, top, width, BOTTOM - top, title);
}

void
svg_upright(struct svg *s, double x, unsigned row)
{
	fprintf(s->f, "<path class=\"mark\" d=\"M%.1f %.1fV%.1f\"/>\n", at_x(s, x),
	        TOP + ROW * row, BOTTOM);
}

void
svg_label(struct svg *s, double x, unsigned row, const char *label)
{
	double at = at_x(s, x);
	bool late = at + 4 + LETTER * (double)strlen(label) > widths[s->size];

	fprintf(s->f,
	        "<text class=\"over\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
	        late ? at - 4 : at + 4, TOP + ROW * row + 10, late ? "end" : "start", label);
}
