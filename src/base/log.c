/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json_text.h"

#define LINE_USUAL 512
#define SECONDS_LEN 19 /* of clock_format()'s text: without the Z */

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
	buf_put(b, SPAN_LIT(",\""));
	buf_put_str(b, f->key);
	buf_put(b, SPAN_LIT("\":"));
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
	log->held = NULL;
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

static void put_time(struct buf *b)
{
	uint64_t now = clock_real_ms();
	unsigned ms = now % 1000;
	char text[CLOCK_TEXT_MAX];

	clock_format((int64_t)(now / 1000), text);
	buf_put(b, span_sub(span_str(text), 0, SECONDS_LEN));
	buf_put_byte(b, '.');
	buf_put_byte(b, (uint8_t)('0' + ms / 100));
	buf_put_byte(b, (uint8_t)('0' + ms / 10 % 10));
	buf_put_byte(b, (uint8_t)('0' + ms % 10));
	buf_put_byte(b, 'Z');
}

static void put_head(struct buf *b, const struct log_sink *sink, enum log_level level)
{
	buf_reserve(b, LINE_USUAL);
	buf_put_str(b, "{\"time\":\"");
	put_time(b);
	buf_put_str(b, "\",\"level\":\"");
	buf_put_str(b, level_names[level]);
	buf_put_str(b, "\",\"program\":\"");
	buf_put_str(b, sink->program);
	buf_put_str(b, "\",\"msg\":\"");
}

/* ---- lines that are held back ---- */

void log_lines_init(struct log_lines *lines)
{
	lines->fd = -1;
	lines->len = 0;
}

void log_hold(struct log *log, struct log_lines *lines)
{
	log->held = lines;
}

static void put_out(int fd, const void *bytes, size_t len)
{
	if (write(fd, bytes, len) < 0)
		return; /* nobody is left to be told */
}

void log_lines_write(struct log_lines *lines)
{
	if (lines->len)
		put_out(lines->fd, lines->text, lines->len);
	lines->len = 0;
}

/* What it holds stands before this one. */
static void hold(struct log_lines *lines, int fd, struct span line)
{
	if (lines->fd != fd || line.len > sizeof(lines->text) - lines->len)
		log_lines_write(lines);
	lines->fd = fd;
	if (line.len > sizeof(lines->text)) {
		put_out(fd, line.p, line.len);
		return;
	}
	memcpy(lines->text + lines->len, line.p, line.len);
	lines->len += line.len;
}

static void put_line(const struct log *log, enum log_level level, struct span line)
{
	const struct log_sink *sink = log->sink;
	size_t i;

	for (i = 0; i < sink->n_taps; i++)
		sink->taps[i].fn(sink->taps[i].ctx, line);
	if (sink->quiet)
		return;
	if (!log->held) {
		put_out(sink->fd, line.p, line.len);
		return;
	}
	hold(log->held, sink->fd, line);
	if (level >= LOG_LEVEL_WARNING)
		log_lines_write(log->held);
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
		put_line(log, level, buf_span(&b));
}
