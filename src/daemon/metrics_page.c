/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_page.h"

#include "audit/audit.h"
#include "daemon/process.h"
#include "store/health.h"
#include "store/request.h"

#define COUNTER EXPOSITION_COUNTER
#define GAUGE EXPOSITION_GAUGE

static void put_build(struct buf *out)
{
	static const char *const labels[] = { "version", NULL };
	static const char *const values[] = { SCEPTER_VERSION };
	static const struct exposition_family f = { "scepter_build_info", GAUGE,
						    "1; its label tells the version.", labels };

	exposition_head(&f, out);
	exposition_value(&f, values, 1, out);
}

/* ---- HTTP ---- */

static void put_refused(const struct http_server_stats *stats, struct buf *out)
{
	static const char *const labels[] = { "cause", NULL };
	static const char *const queue[] = { "queue" }, *const address[] = { "address" };
	static const struct exposition_family f = {
		"scepter_http_refused_total", COUNTER,
		"Refused at the door: the worker queue was full (queue), or an address had too "
		"many connections (address).",
		labels
	};

	exposition_head(&f, out);
	exposition_value(&f, queue, (double)stats->refused_busy, out);
	exposition_value(&f, address, (double)stats->refused_address, out);
}

static void put_http(struct server *s, struct buf *out)
{
	const struct http_server *http = atomic_load(&s->http);
	struct http_server_stats stats = { 0 };

	if (!http)
		return;
	http_server_stats(http, &stats);
	metrics_put_one("scepter_http_connections", GAUGE,
			"Open connections, not those of metrics.", stats.connections, out);
	metrics_put_one("scepter_http_queue_length", GAUGE, "Requests that wait for a worker.",
			stats.queued, out);
	metrics_put_one("scepter_http_requests_total", COUNTER,
			"HTTP requests, also those that never came to a worker.",
			(double)stats.requests, out);
	put_refused(&stats, out);
	metrics_put_one("scepter_http_timeouts_total", COUNTER,
			"Connections that were closed because a client took too long.",
			(double)stats.timed_out, out);
}

/* ---- the keeper ---- */

static void put_keeper(struct server *s, struct buf *out)
{
	static const char *const labels[] = { "call", NULL };
	static const struct exposition_family f = {
		"scepter_keeper_call_duration_seconds", EXPOSITION_HISTOGRAM,
		"From asking the keeper to its answer, by what was asked.", labels
	};
	struct keeper_client_calls calls;
	size_t i;

	exposition_head(&f, out);
	for (i = 0; keeper_client_calls(s->keeper, i, &calls); i++)
		exposition_histogram(&f, &calls.call, &calls.took, out);
	metrics_put_one("scepter_keeper_unanswered_total", COUNTER,
			"Calls that the keeper did not answer: it died, or took too long.",
			(double)keeper_client_unanswered(s->keeper), out);
}

static double restarts(const struct server *s, enum process_role role)
{
	uint64_t starts = atomic_load(&s->board->starts[role]);

	return starts ? (double)(starts - 1) : 0;
}

static void put_restarts(const struct server *s, struct buf *out)
{
	static const char *const labels[] = { "process", NULL };
	static const char *const keeper[] = { "keeper" }, *const server[] = { "server" };
	static const struct exposition_family f = {
		"scepter_process_restarts_total", COUNTER,
		"How often the parent had to start a process again.", labels
	};

	if (!s->board)
		return;
	exposition_head(&f, out);
	exposition_value(&f, keeper, restarts(s, PROCESS_KEEPER), out);
	exposition_value(&f, server, restarts(s, PROCESS_SERVER), out);
}

/* ---- the store and the record ---- */

static void put_histogram(const char *name, const char *help, const struct histogram *h,
			  struct buf *out)
{
	const struct exposition_family f = { name, EXPOSITION_HISTOGRAM, help, NULL };

	exposition_head(&f, out);
	exposition_histogram(&f, NULL, h, out);
}

static void put_store(struct server *s, struct buf *out)
{
	struct store_stats stats;

	store_stats(s->store, &stats);
	put_histogram("scepter_store_commit_duration_seconds",
		      "Changes: from asking the store's writer until they were durable.",
		      &stats.waits, out);
	put_histogram("scepter_store_transaction_duration_seconds",
		      "Transactions of the store's writer, of many changes each.", &stats.groups,
		      out);
	metrics_put_one("scepter_store_transactions_failed_total", COUNTER,
			"Transactions that failed: disk full, locked, damaged.",
			(double)stats.failed, out);
	metrics_put_one("scepter_store_queue_length", GAUGE,
			"Changes that wait for the store's writer.", stats.queued, out);
	metrics_put_one("scepter_store_writable", GAUGE, "1 unless the last transaction failed.",
			!stats.failing, out);
	metrics_put_one("scepter_store_file_bytes", GAUGE, "Size of the store's file.",
			(double)stats.file_bytes, out);
	metrics_put_one("scepter_store_log_bytes", GAUGE, "What of the write-ahead log is in use.",
			(double)stats.log_bytes, out);
}

static void put_pending(struct server *s, struct buf *out)
{
	uint64_t pending = 0;
	struct err err = { 0 };

	if (store_count_requests(s->store, clock_now(&s->clock), &pending, &err) == OK)
		metrics_put_one("scepter_requests_pending", GAUGE,
				"Enrolments that wait for an operator.", (double)pending, out);
}

static void put_audit(struct server *s, struct buf *out)
{
	struct audit_position position;
	struct err err = { 0 };

	if (audit_position(s->audit, &position, &err) != OK)
		return;
	metrics_put_one("scepter_audit_last_event", GAUGE, "Number of the latest event.",
			(double)position.last, out);
	metrics_put_one("scepter_audit_sealed_event", GAUGE,
			"Number of the latest event that a checkpoint covers; 0: none since the "
			"start.",
			(double)position.sealed, out);
}

void metrics_page(struct server *s, struct buf *out)
{
	put_build(out);
	metrics_put_requests(s->metrics, out);
	put_http(s, out);
	put_keeper(s, out);
	put_restarts(s, out);
	put_store(s, out);
	put_pending(s, out);
	put_audit(s, out);
	metrics_put_expiry(s, out);
	metrics_put_client_crl(s, out);
	metrics_put_process(out);
}
