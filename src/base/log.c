/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/json_text.h"

struct log_sink {
	int fd;
	_Atomic int floor;
	bool quiet; /* nothing to fd */
	struct {
		log_tap_fn *fn;
		void *ctx;
	} taps[LOG_TAPS_MAX];
	size_t n_taps;
	char program[32];
};

static const char *const level_names[] = { "debug", "info", "warning", "error" };

enum result log_sink_new(struct log_sink **out, int fd, const char *program, enum log_level floor,
			 struct err *err)
{
	struct log_sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return err_nomem(err);
	sink->fd = fd;
	atomic_init(&sink->floor, (int)floor);
	(void)snprintf(sink->program, sizeof(sink->program), "%s", program);
	*out = sink;
	return OK;
}

void log_sink_free(struct log_sink *sink)
{
	free(sink);
}

void log_sink_set_floor(struct log_sink *sink, enum log_level floor)
{
	atomic_store(&sink->floor, (int)floor);
}

enum result log_sink_add_tap(struct log_sink *sink, log_tap_fn *fn, void *ctx, struct err *err)
{
	if (sink->n_taps == LOG_TAPS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d log outputs", LOG_TAPS_MAX);
	sink->taps[sink->n_taps].fn = fn;
	sink->taps[sink->n_taps++].ctx = ctx;
	return OK;
}

void log_sink_clear_taps(struct log_sink *sink)
{
	sink->n_taps = 0;
}

void log_sink_set_quiet(struct log_sink *sink, bool quiet)
{
	sink->quiet = quiet;
}

enum result log_level_parse(const char *name, enum log_level *out, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(level_names); i++)
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return OK;
		}
	return err_set(err, ERR_SYNTAX, "\"%s\" is not a log level: debug, info, warning or error",
		       name);
}

static void put_field(struct buf *b, const struct log_field *f)
{
	buf_put_str(b, ",\"");
	json_text_put(b, span_str(f->key));
	buf_put_str(b, "\":");
	if (f->kind == LOG_KIND_INT) {
		buf_printf(b, "%lld", (long long)f->num);
		return;
	}
	buf_put_byte(b, '"');
	if (f->kind == LOG_KIND_STR)
		json_text_put(b, span_str(f->str));
	else if (f->kind == LOG_KIND_SPAN)
		json_text_put(b, f->bytes);
	else
		hex_put(b, f->bytes);
	buf_put_byte(b, '"');
}

void log_init(struct log *log, struct log_sink *sink)
{
	log->sink = sink;
	log->len = 0;
	log->bound[0] = '\0';
}

void log_bind(struct log *log, struct log_field field)
{
	BUF b = BUF_INIT;

	put_field(&b, &field);
	if (b.failed || b.len >= sizeof(log->bound) - log->len)
		return;
	memcpy(log->bound + log->len, b.data, b.len);
	log->len += b.len;
	log->bound[log->len] = '\0';
}

static void put_head(struct buf *b, const struct log_sink *sink, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	char text[32];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(b, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"program\":\"%s\",\"msg\":\"",
		   text, ts.tv_nsec / 1000000, level_names[level], sink->program);
}

static void put_line(const struct log_sink *sink, struct span line)
{
	size_t i;

	for (i = 0; i < sink->n_taps; i++)
		sink->taps[i].fn(sink->taps[i].ctx, line);
	if (!sink->quiet && write(sink->fd, line.p, line.len) < 0)
		return; /* nobody is left to be told */
}

void log_write(const struct log *log, enum log_level level, const char *msg,
	       const struct log_field *fields)
{
	BUF b = BUF_INIT;

	if (!log || !log->sink || (int)level < atomic_load(&log->sink->floor))
		return;
	put_head(&b, log->sink, level);
	json_text_put(&b, span_str(msg));
	buf_put_byte(&b, '"');
	buf_put(&b, span_of(log->bound, log->len));
	for (; fields->kind != LOG_KIND_END; fields++)
		put_field(&b, fields);
	buf_put_str(&b, "}\n");
	if (!b.failed)
		put_line(log->sink, buf_span(&b));
}
