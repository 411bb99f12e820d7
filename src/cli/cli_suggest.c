/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_suggest.h"

#define LENGTH_MAX 40

static size_t least(size_t a, size_t b, size_t c)
{
	size_t n = a < b ? a : b;

	return n < c ? n : c;
}

/* Characters to be put in, left out or changed, neither being longer than LENGTH_MAX (Levenshtein):
 * row[j] is the distance of what was looked at of a from the first j of b. */
static size_t distance(struct span a, struct span b)
{
	size_t row[LENGTH_MAX + 1], i, j;

	for (j = 0; j <= b.len; j++)
		row[j] = j;
	for (i = 0; i < a.len; i++) {
		size_t before = row[0]++;

		for (j = 0; j < b.len; j++) {
			size_t here = row[j + 1];

			row[j + 1] = least(row[j] + 1, here + 1, before + (a.p[i] != b.p[j]));
			before = here;
		}
	}
	return row[b.len];
}

void cli_suggest_try(struct cli_suggest *s, const char *name)
{
	struct span known = span_str(name);
	size_t d;

	if (s->word.len < 2 || s->word.len > LENGTH_MAX || known.len > LENGTH_MAX)
		return;
	/* one that was cut short is nearer than any that was mistyped */
	d = span_eq(span_sub(known, 0, s->word.len), s->word) ? 0 : distance(s->word, known);
	if (d > 1 + s->word.len / 4 || (s->best && d >= s->distance))
		return;
	s->best = name;
	s->distance = d;
}
