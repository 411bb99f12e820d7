/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/anomaly.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define SLOTS 4096
#define SECOND_US 1000000

struct anomalies {
	struct anomaly_config config;
	struct rate_table *counts[ANOMALY_RATES];
	struct rate_table *raised[ANOMALY_COUNT_];
};

/* ---- hours ---- */

static int find_day(struct span name)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	int i;

	for (i = 0; i < (int)ARRAY_LEN(days); i++)
		if (span_eq_nocase(name, span_str(days[i])))
			return i;
	return -1;
}

/* "mon" or "mon-fri"; a range may go over Sunday. */
static bool parse_days(struct span text, unsigned *days)
{
	size_t dash = span_find(text, '-');
	int first = find_day(span_sub(text, 0, dash)), last = first;

	if (dash < text.len)
		last = find_day(span_sub(text, dash + 1, SIZE_MAX));
	if (first < 0 || last < 0)
		return false;
	*days = 1u << last;
	for (; first != last; first = (first + 1) % 7)
		*days |= 1u << first;
	return true;
}

/* "07:00" */
static bool parse_minute(struct span text, int *minute)
{
	static const char form[] = "00:00";
	size_t i;

	if (text.len != sizeof(form) - 1)
		return false;
	for (i = 0; i < text.len; i++)
		if (form[i] == ':' ? text.p[i] != ':' : text.p[i] < '0' || text.p[i] > '9')
			return false;
	*minute = ((text.p[0] - '0') * 10 + text.p[1] - '0') * 60 + (text.p[3] - '0') * 10 +
		  text.p[4] - '0';
	return text.p[3] < '6' && *minute <= 24 * 60;
}

enum result anomaly_hours_parse(const char *text, struct anomaly_hours *out, struct err *err)
{
	struct span all = span_str(text), days = span_sub(all, 0, span_find(all, ' ')),
		    rest = span_sub(all, days.len + 1, SIZE_MAX),
		    from = span_sub(rest, 0, span_find(rest, '-'));
	struct anomaly_hours h;

	if (!parse_days(days, &h.days) || !parse_minute(from, &h.from) ||
	    !parse_minute(span_sub(rest, from.len + 1, SIZE_MAX), &h.to) || h.from >= h.to)
		return err_set(err, ERR_SYNTAX,
			       "\"%s\" are no hours: write days and times of one day, as in "
			       "\"mon-fri 07:00-19:00\" or \"sat 08:00-24:00\"",
			       text);
	*out = h;
	return OK;
}

static bool is_within(const struct anomaly_config *c, int64_t now)
{
	time_t t = (time_t)now;
	struct tm tm;
	size_t i;

	if (!localtime_r(&t, &tm))
		return true;
	for (i = 0; i < c->n_hours; i++)
		if (c->hours[i].days >> tm.tm_wday & 1 &&
		    tm.tm_hour * 60 + tm.tm_min >= c->hours[i].from &&
		    tm.tm_hour * 60 + tm.tm_min < c->hours[i].to)
			return true;
	return c->n_hours == 0;
}

/* ---- the whole ---- */

enum result anomalies_new(struct anomalies **out, const struct anomaly_config *config,
			  struct err *err)
{
	CLEANUP(anomalies_freep) struct anomalies *a = calloc(1, sizeof(*a));
	size_t i;

	if (!a)
		return err_nomem(err);
	a->config = *config;
	for (i = 0; i < ANOMALY_RATES; i++)
		if (config->rates[i].count)
			TRY(rate_table_new(&a->counts[i], config->rates[i], SLOTS, err));
	for (i = 0; i < ANOMALY_COUNT_; i++)
		TRY(rate_table_new(&a->raised[i], (struct rate){ 1, config->window }, SLOTS, err));
	*out = take(a);
	return OK;
}

void anomalies_free(struct anomalies *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < ANOMALY_RATES; i++)
		rate_table_free(a->counts[i]);
	for (i = 0; i < ANOMALY_COUNT_; i++)
		rate_table_free(a->raised[i]);
	free(a);
}

static bool is_unusual(struct anomalies *a, enum anomaly what, struct span key, int64_t now)
{
	switch (what) {
	case ANOMALY_HOURS:
		return !is_within(&a->config, now);
	case ANOMALY_CHALLENGE:
		return a->config.reused_challenge;
	default:
		return a->counts[what] &&
		       rate_table_take(a->counts[what], key, now * SECOND_US) != 0;
	}
}

bool anomalies_see(struct anomalies *a, enum anomaly what, struct span key, int64_t now)
{
	return is_unusual(a, what, key, now) &&
	       rate_table_take(a->raised[what], key, now * SECOND_US) == 0;
}

struct rate anomalies_usual(const struct anomalies *a, enum anomaly what)
{
	return a->config.rates[what];
}
