/* SPDX-License-Identifier: Apache-2.0 */
#include "integrations/log_output.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "audit/record.h"
#include "base/thread.h"
#include "integrations/journal.h"

#define QUEUE_LINES 4096
#define QUEUE_OCTETS (8u << 20)
#define POLL_SECONDS 1  /* how soon an event is noticed */
#define RETRY_SECONDS 2 /* between two attempts to connect */

struct log_output {
	struct log_output_config config;
	struct log log;
	pthread_t thread;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct buf lines[QUEUE_LINES]; /* a ring */
	size_t first;
	size_t n;
	size_t octets;
	uint64_t dropped;    /* since it was last told */
	struct store *store; /* NULL: no events */
	bool leaving;        /* send what is there, then forget the store */
	bool ending;

	/* The thread's own. */
	struct syslog_origin origin;
	struct sender *sender; /* NULL: not connected */
	int64_t retry_at;      /* monotonic us */
	bool failing;
	int64_t cursor; /* last event that was sent */
};

/* ---- the queue ---- */

void log_output_take(void *ctx, struct span line)
{
	struct log_output *o = ctx;
	struct buf copy = BUF_INIT;

	buf_put(&copy, line);
	(void)pthread_mutex_lock(&o->lock);
	if (o->n < QUEUE_LINES && o->octets + copy.len <= QUEUE_OCTETS && !copy.failed) {
		o->octets += copy.len;
		o->lines[(o->first + o->n++) % QUEUE_LINES] = copy;
		(void)pthread_cond_broadcast(&o->wake);
	} else {
		o->dropped++;
		buf_clear(&copy);
	}
	(void)pthread_mutex_unlock(&o->lock);
}

/* The oldest line stays until it was sent. Only the thread takes lines out. */
static bool peek(struct log_output *o, struct span *line)
{
	bool any;

	(void)pthread_mutex_lock(&o->lock);
	any = o->n > 0;
	if (any)
		*line = buf_span(&o->lines[o->first]);
	(void)pthread_mutex_unlock(&o->lock);
	return any;
}

static void pop(struct log_output *o)
{
	(void)pthread_mutex_lock(&o->lock);
	o->octets -= o->lines[o->first].len;
	buf_clear(&o->lines[o->first]);
	o->first = (o->first + 1) % QUEUE_LINES;
	o->n--;
	(void)pthread_mutex_unlock(&o->lock);
}

static void tell_dropped(struct log_output *o)
{
	uint64_t dropped;

	(void)pthread_mutex_lock(&o->lock);
	dropped = o->dropped;
	o->dropped = 0;
	(void)pthread_mutex_unlock(&o->lock);
	if (dropped)
		log_warning(&o->log, "log lines dropped: the collector did not keep up",
			    LOG_INT("dropped", dropped));
}

/* ---- sending ---- */

static enum result connected(struct log_output *o, struct err *err)
{
	int64_t now = clock_mono_us();

	if (o->sender)
		return OK;
	if (now < o->retry_at)
		return err_set(err, ERR_BUSY, "not yet");
	o->retry_at = now + RETRY_SECONDS * 1000000LL;
	return sender_open(&o->sender, &o->config.to, err);
}

/* RFC 6587 3.4.1 and RFC 5425 4.3: octet counting on streams. */
static enum result send_syslog(struct log_output *o, struct buf *message, struct err *err)
{
	BUF count = BUF_INIT;
	enum result r;

	TRY(connected(o, err));
	if (o->config.to.transport != SENDER_UDP) {
		buf_printf(&count, "%zu ", message->len);
		buf_insert(message, 0, buf_span(&count));
		TRY(buf_check(message, err));
	}
	r = sender_send(o->sender, buf_span(message), err);
	if (r == OK)
		return OK;
	sender_close(o->sender);
	o->sender = NULL;
	return r;
}

static enum result send_value(struct log_output *o, const json_t *value, bool event,
			      struct err *err)
{
	BUF message = BUF_INIT;

	if (o->config.kind == LOG_OUTPUT_JOURNALD)
		return event ? journal_send_event(value, err) : journal_send_line(value, err);
	TRY(event ? syslog_put_event(&o->origin, value, &message, err)
		  : syslog_put_line(&o->origin, value, &message, err));
	return send_syslog(o, &message, err);
}

static enum result send_line(struct log_output *o, struct span line, struct err *err)
{
	json_t *value = json_loadb((const char *)line.p, line.len, 0, NULL);
	enum result r = OK;

	if (value) /* every line is */
		r = send_value(o, value, false, err);
	json_decref(value);
	return r;
}

static enum result send_lines(struct log_output *o, struct err *err)
{
	struct span line;

	while (peek(o, &line)) {
		TRY(send_line(o, line, err));
		pop(o);
	}
	return OK;
}

struct next {
	int64_t id;
	json_t *value;
};

static enum result take_next(void *ctx, const struct store_event *e, struct err *err)
{
	struct next *next = ctx;

	next->id = e->id;
	next->value = audit_record_json(e);
	return next->value ? OK : err_nomem(err);
}

static enum result find_next(struct log_output *o, struct next *next, struct err *err)
{
	struct store_event_filter filter = { .limit = 1 };
	struct store *store;

	(void)pthread_mutex_lock(&o->lock);
	store = o->store;
	filter.after_id = o->cursor;
	(void)pthread_mutex_unlock(&o->lock);
	return store ? store_each_event(store, &filter, take_next, next, err) : OK;
}

static enum result send_events(struct log_output *o, struct err *err)
{
	for (;;) {
		struct next next = { 0 };
		enum result r;

		TRY(find_next(o, &next, err));
		if (!next.value)
			return OK;
		r = send_value(o, next.value, true, err);
		json_decref(next.value);
		TRY(r);
		o->cursor = next.id;
	}
}

/* ---- the thread ---- */

static void report(struct log_output *o, enum result r, const struct err *err)
{
	bool failed = r != OK;

	if (r == ERR_BUSY)
		return;
	if (failed && !o->failing)
		log_warning(&o->log, "log output fails; it is tried again", LOG_ERR(err));
	else if (!failed && o->failing)
		log_info(&o->log, "log output works again");
	o->failing = failed;
	if (!failed)
		tell_dropped(o);
}

/* Returns at once where lines wait that can be sent. */
static bool wait_work(struct log_output *o)
{
	struct timespec until;
	bool ending;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += POLL_SECONDS;
	(void)pthread_mutex_lock(&o->lock);
	while (!o->ending && !o->leaving && (o->n == 0 || o->failing) &&
	       pthread_cond_timedwait(&o->wake, &o->lock, &until) == 0)
		;
	ending = o->ending;
	(void)pthread_mutex_unlock(&o->lock);
	return ending;
}

static void leave_store(struct log_output *o)
{
	(void)pthread_mutex_lock(&o->lock);
	if (o->leaving)
		o->store = NULL;
	o->leaving = false;
	(void)pthread_cond_broadcast(&o->wake);
	(void)pthread_mutex_unlock(&o->lock);
}

static bool is_leaving(struct log_output *o)
{
	bool leaving;

	(void)pthread_mutex_lock(&o->lock);
	leaving = o->leaving;
	(void)pthread_mutex_unlock(&o->lock);
	return leaving;
}

static void *run(void *arg)
{
	struct log_output *o = arg;
	bool ending = false;

	while (!ending) {
		struct err err = { 0 };
		bool leaving;
		enum result r;

		ending = wait_work(o);
		leaving = is_leaving(o);
		r = send_lines(o, &err);
		if (r == OK)
			r = send_events(o, &err);
		report(o, r, &err);
		if (leaving)
			leave_store(o);
	}
	sender_close(o->sender);
	return NULL;
}

/* ---- the whole ---- */

static void output_free(struct log_output *o)
{
	while (o->n)
		pop(o);
	(void)pthread_cond_destroy(&o->wake);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

static void init_wake(struct log_output *o)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&o->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum result log_output_new(struct log_output **out, const struct log_output_config *config,
			   const struct log *log, struct err *err)
{
	static const struct thread_kind kind = { .name = "log-output" };
	struct log_output *o = calloc(1, sizeof(*o));
	enum result r;

	if (!o)
		return err_nomem(err);
	o->config = *config;
	o->log = *log;
	o->origin = (struct syslog_origin){ .facility = config->facility,
					    .enterprise = config->enterprise,
					    .pid = (int)getpid() };
	(void)gethostname(o->origin.host, sizeof(o->origin.host) - 1);
	init_wake(o);
	r = thread_start(&o->thread, &kind, 0, run, o, err);
	if (r != OK) {
		output_free(o);
		return r;
	}
	*out = o;
	return OK;
}

static enum result take_cursor(void *ctx, const struct store_event *e, UNUSED struct err *err)
{
	*(int64_t *)ctx = e->id;
	return OK;
}

enum result log_output_set_store(struct log_output *o, struct store *store, struct err *err)
{
	struct store_event_filter filter = { .limit = 1, .newest_first = true };
	int64_t cursor = 0;

	if (!o->config.events)
		return OK;
	TRY(store_each_event(store, &filter, take_cursor, &cursor, err));
	(void)pthread_mutex_lock(&o->lock);
	o->cursor = cursor; /* the thread reads it only where there is a store */
	o->store = store;
	(void)pthread_mutex_unlock(&o->lock);
	return OK;
}

void log_output_unset_store(struct log_output *o)
{
	(void)pthread_mutex_lock(&o->lock);
	o->leaving = o->store != NULL;
	(void)pthread_cond_broadcast(&o->wake);
	while (o->leaving)
		(void)pthread_cond_wait(&o->wake, &o->lock);
	(void)pthread_mutex_unlock(&o->lock);
}

void log_output_close(struct log_output *o)
{
	if (!o)
		return;
	(void)pthread_mutex_lock(&o->lock);
	o->ending = true;
	(void)pthread_cond_broadcast(&o->wake);
	(void)pthread_mutex_unlock(&o->lock);
	(void)pthread_join(o->thread, NULL);
	output_free(o);
}
