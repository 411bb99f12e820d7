/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics.h"

#include <stdlib.h>

#include "base/tally.h"
#include "daemon/metrics_page.h"

/* Both bound what a scrape costs, whatever is asked of the server. */
#define REQUESTS_MAX 4096
#define DURATIONS_MAX 256

struct metrics {
	struct tally *requests;  /* endpoint, protocol, operation, outcome, reason */
	struct tally *durations; /* protocol, operation: a histogram */
};

enum result metrics_new(struct metrics **out, struct err *err)
{
	struct metrics *m = calloc(1, sizeof(*m));
	enum result r;

	if (!m)
		return err_nomem(err);
	r = tally_new(&m->requests, 5, 1, REQUESTS_MAX, err);
	if (r == OK)
		r = tally_new(&m->durations, 2, HISTOGRAM_COUNTERS, DURATIONS_MAX, err);
	if (r == OK)
		*out = m;
	else
		metrics_free(m);
	return r;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	tally_free(m->requests);
	tally_free(m->durations);
	free(m);
}

static const char *or_else(const char *text, const char *instead)
{
	return text ? text : instead;
}

static const char *outcome_of(int status)
{
	if (status < 400)
		return status == 202 ? "pending" : "success";
	return status < 500 ? "refused" : status == 503 ? "unavailable" : "error";
}

/* A status that is not in the table is not told apart from others. */
static const char *reason_of(int status)
{
	return status < 400 ? "" : http_status_text(status);
}

void metrics_count(struct metrics *m, const char *endpoint, const char *protocol,
		   const struct http_reply *reply, int64_t us)
{
	const struct http_label *l = &reply->label;
	const char *operation = or_else(l->operation, "none");
	const char *const request[] = { or_else(endpoint, "none"), or_else(protocol, "none"),
					operation, or_else(l->outcome, outcome_of(reply->status)),
					or_else(l->reason, reason_of(reply->status)) };
	const char *const duration[] = { request[1], operation };

	meter_add(tally_get(m->requests, request), 0, 1);
	histogram_add(tally_get(m->durations, duration), 0, us);
}

/* ---- their part of the page ---- */

static const char *const request_labels[] = { "endpoint", "protocol", "operation",
					      "outcome",  "reason",   NULL };
static const struct exposition_family requests = {
	"scepter_requests_total", EXPOSITION_COUNTER,
	"Requests answered, by what they were and what became of them.", request_labels
};

static const char *const duration_labels[] = { "protocol", "operation", NULL };
static const struct exposition_family durations = {
	"scepter_request_duration_seconds", EXPOSITION_HISTOGRAM,
	"From a worker's taking a request to its answer.", duration_labels
};

static void put_request(void *ctx, const char *const labels[], const struct meter *meter)
{
	exposition_value(&requests, labels, (double)meter_sum(meter, 0), ctx);
}

static void put_duration(void *ctx, const char *const labels[], const struct meter *meter)
{
	struct histogram h;

	histogram_read(meter, 0, &h);
	exposition_histogram(&durations, labels, &h, ctx);
}

void metrics_put_requests(const struct metrics *m, struct buf *out)
{
	exposition_head(&requests, out);
	tally_each(m->requests, put_request, out);
	exposition_head(&durations, out);
	tally_each(m->durations, put_duration, out);
}
