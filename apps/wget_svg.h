/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * Charts as inline SVG.  Colours are classes, which the page's style sheet knows.
 *
 * Letters of a chart shrink with it, so each is drawn twice: the page shows the large one
 * (class "large") or, where there is little room, the small one (class "small").
 */
#include <stdio.h>

/* What the numbers of an axis are, and so how they are written. */
enum unit { UNIT_COUNT, UNIT_SECONDS, UNIT_NS };

#define UNIT_TEXT_MAX 32

/* 12300 as 12.3k, 4500 ns as 4.5 µs, … ; returns text. */
const char *unit_text(char text[UNIT_TEXT_MAX], enum unit unit, double value);

struct svg_axis {
	enum unit unit;
	double from, to; /* from < to */
	double step;     /* between two ticks; 0: powers of ten, the axis is logarithmic */
};

/* An axis from 0 with round ticks that includes max (above 0; else it ends at 1). */
struct svg_axis svg_linear(enum unit unit, double max);

/* A logarithmic axis of whole powers of ten that includes min and max, above 0. */
struct svg_axis svg_log(enum unit unit, double min, double max);

enum svg_size { SVG_LARGE, SVG_SMALL, SVG_SIZES };

struct svg {
	FILE *f;
	enum svg_size size;
	struct svg_axis x, y;
};

/* Opens the chart and draws its axes; label says what it shows to those who do not see it. */
void svg_open(struct svg *s, FILE *f, enum svg_size size, const char *label, struct svg_axis x,
              struct svg_axis y);
void svg_close(struct svg *s);

/* A line through n points, with a gap where y is NAN. */
void svg_line(struct svg *s, const char *class, const double *x, const double *y, unsigned n);

/* A bar from the x axis up to y, with a text that shows where the pointer rests. */
void svg_bar(struct svg *s, const char *class, double x0, double x1, double y,
	         const char *title);

/* An upright at x, from row down, and its label, which is readable over what is drawn
 * before it; labels of different rows do not meet. */
void svg_upright(struct svg *s, double x, unsigned row);
void svg_label(struct svg *s, double x, unsigned row, const char *label);
