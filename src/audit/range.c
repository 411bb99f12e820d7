/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/range.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/record.h"

#define DAY 86400

struct seen {
	int64_t id; /* 0: none */
	int64_t time;
};

static enum result see(void *ctx, const struct store_event *e, UNUSED struct err *err)
{
	*(struct seen *)ctx = (struct seen){ e->id, e->time };
	return OK;
}

static enum result find_last(struct store *store, int64_t *out, struct err *err)
{
	struct store_event_filter filter = { .limit = 1, .newest_first = true };
	struct seen seen = { 0 };

	TRY(store_each_event(store, &filter, see, &seen, err));
	*out = seen.id;
	return OK;
}

/* The first event that is not before t; one behind the last where there is none. */
static enum result find_time(struct store *store, int64_t t, int64_t end, int64_t *out,
			     struct err *err)
{
	int64_t low = 1, high = end + 1;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		struct store_event_filter filter = { .after_id = middle - 1, .limit = 1 };
		struct seen seen = { 0 };

		TRY(store_each_event(store, &filter, see, &seen, err));
		if (seen.id && seen.time < t)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return OK;
}

static bool read_number(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* *is_day: the moment is the day's beginning. */
static enum result read_time(const char *text, int64_t *out, bool *is_day, struct err *err)
{
	char moment[64];

	(void)snprintf(moment, sizeof(moment), "%.32sT00:00:00Z", text);
	*is_day = audit_record_time(moment, out, NULL) == OK;
	if (*is_day || audit_record_time(text, out, NULL) == OK)
		return OK;
	return err_set(err, ERR_SYNTAX,
		       "\"%.40s\" is neither an event's number nor a day (2026-11-21) or moment "
		       "(2026-11-21T20:44:00Z)",
		       text);
}

static enum result find_first(struct store *store, const char *from, int64_t end, int64_t *out,
			      struct err *err)
{
	bool is_day;
	int64_t t;

	if (read_number(from, out))
		return OK;
	TRY(read_time(from, &t, &is_day, err));
	return find_time(store, t, end, out, err);
}

/* A day and a moment are meant to be in it. */
static enum result find_to(struct store *store, const char *to, int64_t end, int64_t *out,
			   struct err *err)
{
	bool is_day;
	int64_t t;

	if (read_number(to, out))
		return OK;
	TRY(read_time(to, &t, &is_day, err));
	TRY(find_time(store, t + (is_day ? DAY : 1), end, out, err));
	--*out;
	return OK;
}

enum result audit_range_find(struct store *store, const char *from, const char *to, int64_t *first,
			     int64_t *last, struct err *err)
{
	int64_t begin = 1, end = 0, until;

	TRY(find_last(store, &end, err));
	until = end;
	if (from)
		TRY(find_first(store, from, end, &begin, err));
	if (to)
		TRY(find_to(store, to, end, &until, err));
	if (begin < 1 || begin > until || until > end)
		return err_set(err, ERR_NOT_FOUND,
			       "there are no events %lld to %lld; the last one is %lld",
			       (long long)begin, (long long)until, (long long)end);
	*first = begin;
	*last = until;
	return OK;
}
