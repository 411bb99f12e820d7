/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_now(const struct clock *c)
{
	int64_t fixed = c ? atomic_load(&c->fixed) : 0;

	if (fixed)
		return fixed;
	return (int64_t)time(NULL) + (c ? atomic_load(&c->offset) : 0);
}

void clock_fix(struct clock *c, int64_t t)
{
	atomic_store(&c->fixed, t);
}

void clock_shift(struct clock *c, int64_t seconds)
{
	atomic_store(&c->offset, seconds);
}

uint64_t clock_real_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- the calendar: without strftime(), which costs as much as all the rest of a log line ---- */

#define DAY 86400
#define YEAR_9999 253402300799 /* its last second */
#define DAYS_TO_1970 719468    /* from 1 March of the year 0 on */
#define DAYS_OF_400_YEARS 146097

struct day {
	unsigned year, month, day;
};

/* Years are counted from March on, so that the leap day is a year's last. */
static struct day day_of(uint32_t since_1970)
{
	uint32_t days = since_1970 + DAYS_TO_1970;
	uint32_t cycle = days / DAYS_OF_400_YEARS, in_cycle = days % DAYS_OF_400_YEARS;
	uint32_t leap = in_cycle / 1460 - in_cycle / 36524 + in_cycle / 146096;
	uint32_t year = (in_cycle - leap) / 365;
	uint32_t in_year = in_cycle - (year * 365 + year / 4 - year / 100);
	uint32_t month = (5 * in_year + 2) / 153; /* 0: March */

	return (struct day){ .year = cycle * 400 + year + (month > 9),
			     .month = month > 9 ? month - 9 : month + 3,
			     .day = in_year - (153 * month + 2) / 5 + 1 };
}

static char *put_digits(char *at, unsigned n, unsigned digits, char behind)
{
	unsigned i;

	for (i = digits; i-- > 0; n /= 10)
		at[i] = (char)('0' + n % 10);
	at[digits] = behind;
	return at + digits + 1;
}

static void format_far(int64_t t, char text[CLOCK_TEXT_MAX])
{
	time_t tt = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&tt, &tm) || !strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm))
		(void)snprintf(text, CLOCK_TEXT_MAX, "@%lld", (long long)t);
}

void clock_format(int64_t t, char text[CLOCK_TEXT_MAX])
{
	uint32_t second = (uint32_t)(t % DAY);
	struct day d;

	if (t < 0 || t > YEAR_9999) {
		format_far(t, text);
		return;
	}
	d = day_of((uint32_t)(t / DAY));
	text = put_digits(text, d.year, 4, '-');
	text = put_digits(text, d.month, 2, '-');
	text = put_digits(text, d.day, 2, 'T');
	text = put_digits(text, second / 3600, 2, ':');
	text = put_digits(text, second / 60 % 60, 2, ':');
	text = put_digits(text, second % 60, 2, 'Z');
	*text = '\0';
}

/* ---- times and durations as people write them ---- */

enum result clock_parse(const char *text, int64_t *t, struct err *err)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d" };
	const char *end;
	struct tm tm;
	size_t i;

	for (i = 0; i < ARRAY_LEN(forms); i++) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(text, forms[i], &tm);
		if (end && !*end) {
			*t = (int64_t)timegm(&tm);
			return OK;
		}
	}
	return err_set(err, ERR_SYNTAX,
		       "\"%.40s\" is no time: write it as 2027-01-31T12:00:00Z, in UTC", text);
}

static const struct {
	char unit;
	int64_t seconds;
} units[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 }, { 'y', 31536000 },
};

enum result clock_parse_duration(const char *text, int64_t *seconds, struct err *err)
{
	char *end = NULL;
	long long n;
	size_t i;

	errno = 0;
	n = strtoll(text, &end, 10);
	for (i = 0; i < ARRAY_LEN(units); i++)
		if (end != text && errno == 0 && n >= 0 && n <= 1000000000 &&
		    end[0] == units[i].unit && end[1] == '\0') {
			*seconds = n * units[i].seconds;
			return OK;
		}
	return err_set(err, ERR_SYNTAX,
		       "\"%s\" is not a duration: write a number and one of s m h d w y, as in 90d",
		       text);
}
