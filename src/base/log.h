/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object a line: {"time":..,"level":..,"msg":..,"transactionID":..,...}.
 *
 * A log_sink is where lines go (one a process). A struct log is a view of it with fields bound to
 * it: a request's log carries endpoint and transactionID, so that each of its lines does.
 * A line is written with one write(2), or several of them together: threads share a sink. No secret
 * is ever given to a log.
 *
 *	log_info(log, "certificate issued", LOG_STR("serial", serial), LOG_INT("days", 90));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

enum log_kind { LOG_KIND_END, LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_SPAN, LOG_KIND_HEX };

struct log_field {
	const char *key;
	enum log_kind kind;
	const char *str;
	int64_t num;
	struct span bytes;
};

#define LOG_STR(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_STR, .str = (v) })
#define LOG_INT(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_INT, .num = (int64_t)(v) })
/* Text that is not NUL-terminated; bytes that are not printable are escaped. */
#define LOG_SPAN(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_SPAN, .bytes = (v) })
#define LOG_HEX(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_HEX, .bytes = (v) })
/* The error's code and text as "error" and "reason". */
#define LOG_ERR(e) LOG_STR("error", err_name((e)->code)), LOG_STR("reason", err_text(e))

struct log_sink;

/*
 * Lines about one piece of work, such as a request, that are written together at its end. A warning
 * or an error is not kept waiting, nor are those before it. Of one thread.
 */
#define LOG_LINES_MAX 2048
struct log_lines {
	int fd;
	size_t len;
	char text[LOG_LINES_MAX];
};

#define LOG_BOUND_MAX 1024

/* A value: copy it freely. A zeroed one logs nothing. */
struct log {
	struct log_sink *sink;
	struct log_lines *held; /* NULL: every line is written at once */
	size_t len;
	char bound[LOG_BOUND_MAX]; /* rendered fields: ,"key":"value" */
};

/* Writes to fd, which stays the caller's; program is in every line. */
RESULT log_sink_new(struct log_sink **out, int fd, const char *program, enum log_level floor,
		    struct err *err);
void log_sink_free(struct log_sink *sink);
void log_sink_set_floor(struct log_sink *sink, enum log_level floor);

/* Takes each line, its end included. Runs in the thread that logs: it must not wait, and not log.
 */
typedef void log_tap_fn(void *ctx, struct span line);
#define LOG_TAPS_MAX 8
/* Lines go there, too. Not while other threads log. ERR_LIMIT. */
RESULT log_sink_add_tap(struct log_sink *sink, log_tap_fn *fn, void *ctx, struct err *err);
/* No taps any more; not while other threads log. */
void log_sink_clear_taps(struct log_sink *sink);
/* Do lines still go to fd? They do at first. Not while other threads log. */
void log_sink_set_quiet(struct log_sink *sink, bool quiet);
RESULT log_level_parse(const char *name, enum log_level *out, struct err *err);

void log_init(struct log *log, struct log_sink *sink);
/* Binds one more field; one that has no room left is dropped. */
void log_bind(struct log *log, struct log_field field);

void log_lines_init(struct log_lines *lines);
/* The log's lines wait there from now on; NULL: they do not. */
void log_hold(struct log *log, struct log_lines *lines);
void log_lines_write(struct log_lines *lines);

/* fields end with a LOG_KIND_END. */
void log_write(const struct log *log, enum log_level level, const char *msg,
	       const struct log_field *fields);

#define log_fields_(...) ((const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })
#define log_debug(log, msg, ...) log_write(log, LOG_LEVEL_DEBUG, msg, log_fields_(__VA_ARGS__))
#define log_info(log, msg, ...) log_write(log, LOG_LEVEL_INFO, msg, log_fields_(__VA_ARGS__))
#define log_warning(log, msg, ...) log_write(log, LOG_LEVEL_WARNING, msg, log_fields_(__VA_ARGS__))
#define log_error(log, msg, ...) log_write(log, LOG_LEVEL_ERROR, msg, log_fields_(__VA_ARGS__))

#endif
