/* SPDX-License-Identifier: Apache-2.0 */
#include "integrations/exposition.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EXACT 9007199254740992.0 /* integers up to this are exact: 2^53 */

static void put_escaped(const char *text, bool quoted, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_put_str(out, "\\n");
		else if (*text == '\\' || (quoted && *text == '"'))
			buf_printf(out, "\\%c", *text);
		else
			buf_put_byte(out, (uint8_t)*text);
	}
}

void exposition_head(const struct exposition_family *f, struct buf *out)
{
	static const char *const kinds[] = { [EXPOSITION_COUNTER] = "counter",
					     [EXPOSITION_GAUGE] = "gauge",
					     [EXPOSITION_HISTOGRAM] = "histogram" };

	buf_printf(out, "# HELP %s ", f->name);
	put_escaped(f->help, false, out);
	buf_printf(out, "\n# TYPE %s %s\n", f->name, kinds[f->kind]);
}

/* bound: of a histogram's bucket; NULL: none. */
static void put_labels(const struct exposition_family *f, const char *const values[],
		       const char *bound, struct buf *out)
{
	const char *between = "{";
	size_t i;

	for (i = 0; f->labels && f->labels[i]; i++) {
		buf_printf(out, "%s%s=\"", between, f->labels[i]);
		put_escaped(values[i], true, out);
		buf_put_byte(out, '"');
		between = ",";
	}
	if (bound)
		buf_printf(out, "%sle=\"%s\"", between, bound);
	if (bound || i)
		buf_put_byte(out, '}');
}

static void put_number(double value, struct buf *out)
{
	if (isnan(value))
		buf_put_str(out, " NaN\n");
	else if (floor(value) == value && fabs(value) <= EXACT)
		buf_printf(out, " %.0f\n", value);
	else
		buf_printf(out, " %.9g\n", value);
}

void exposition_value(const struct exposition_family *f, const char *const values[], double value,
		      struct buf *out)
{
	buf_put_str(out, f->name);
	put_labels(f, values, NULL, out);
	put_number(value, out);
}

static void put_bucket(const struct exposition_family *f, const char *const values[],
		       const char *bound, uint64_t count, struct buf *out)
{
	buf_printf(out, "%s_bucket", f->name);
	put_labels(f, values, bound, out);
	put_number((double)count, out);
}

void exposition_histogram(const struct exposition_family *f, const char *const values[],
			  const struct histogram *h, struct buf *out)
{
	uint64_t count = 0;
	char bound[32];
	size_t i;

	for (i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += h->buckets[i];
		(void)snprintf(bound, sizeof(bound), "%g", (double)histogram_bound(i) / 1e6);
		put_bucket(f, values, bound, count, out);
	}
	put_bucket(f, values, "+Inf", h->count, out);
	buf_printf(out, "%s_sum", f->name);
	put_labels(f, values, NULL, out);
	put_number((double)h->sum / 1e6, out);
	buf_printf(out, "%s_count", f->name);
	put_labels(f, values, NULL, out);
	put_number((double)h->count, out);
}
