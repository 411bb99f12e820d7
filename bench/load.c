/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator. Makes its requests, says "ready", waits for a line on standard input, sends
 * them, and prints one JSON object. bench.py drives it and watches the server meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/drive.h"
#include "bench/prepare.h"

#define CHALLENGES_MAX (16u << 20)
#define WHOLE_MAX (256u << 20)

struct options {
	struct prepare_config prepare;
	struct drive_config drive;
	const char *challenges;
	const char *whole; /* file of whole HTTP requests, each behind its length and a line feed */
};

static const struct option long_options[] = { { "url", required_argument, NULL, 'u' },
					      { "count", required_argument, NULL, 'n' },
					      { "connections", required_argument, NULL, 'c' },
					      { "fresh", no_argument, NULL, 'f' },
					      { "challenges", required_argument, NULL, 'p' },
					      { "key", required_argument, NULL, 'k' },
					      { "subject", required_argument, NULL, 's' },
					      { "whole", required_argument, NULL, 'w' },
					      { 0 } };

static RESULT parse_options(int argc, char **argv, struct options *o, struct err *err)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'u':
			o->prepare.url = optarg;
			break;
		case 'n':
			o->prepare.count = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			o->drive.connections = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'f':
			o->drive.fresh = true;
			break;
		case 'p':
			o->challenges = optarg;
			break;
		case 'k':
			o->prepare.key = optarg;
			break;
		case 's':
			o->prepare.subject_base = optarg;
			break;
		case 'w':
			o->whole = optarg;
			break;
		default:
			return err_set(err, ERR_USAGE, "no such option");
		}
	}
	if (!o->prepare.url || !o->challenges == !o->whole || !o->prepare.count ||
	    !o->drive.connections)
		return err_set(err, ERR_USAGE,
			       "load --url URL --challenges FILE | --whole FILE --count N "
			       "--connections N [--fresh] [--key rsa2048] [--subject BASE]");
	return OK;
}

/* http://ADDRESS:PORT/PATH, the only form that bench.py uses. */
static RESULT parse_url(const char *url, struct drive_config *drive, char path[256],
			struct err *err)
{
	char address[64];
	unsigned port;

	/* NOLINTNEXTLINE(cert-err34-c): the widths keep each small */
	if (sscanf(url, "http://%63[0-9.]:%5u%200s", address, &port, path) != 3 || port > 65535 ||
	    inet_pton(AF_INET, address, &drive->address.sin_addr) != 1)
		return err_set(err, ERR_USAGE, "\"%s\" is not http://ADDRESS:PORT/PATH", url);
	drive->address.sin_family = AF_INET;
	drive->address.sin_port = htons((uint16_t)port);
	(void)strncat(path, "?operation=PKIOperation", 255 - strlen(path));
	drive->path = path;
	return OK;
}

static size_t split_lines(struct span text, struct span *lines, size_t max)
{
	size_t n = 0;

	while (text.len && n < max) {
		size_t end = span_find(text, '\n');

		lines[n++] = span_sub(text, 0, end);
		text = span_sub(text, end + 1, SIZE_MAX);
	}
	return n;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_result(struct drive_result *r)
{
	size_t n = r->n_latencies, middle = n / 2, late = n * 99 / 100;

	qsort(r->latencies, n, sizeof(*r->latencies), by_size);
	printf("{\"issued\": %zu, \"refused\": %zu, \"busy\": %zu, \"broken\": %zu, "
	       "\"seconds\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
	       r->issued, r->refused, r->busy, r->broken, (double)r->micros / 1e6,
	       (double)r->latencies[middle] / 1e3, (double)r->latencies[late] / 1e3,
	       (double)r->latencies[n - 1] / 1e3);
}

static RESULT measure(struct options *o, struct buf *requests, struct err *err)
{
	struct drive_result result = { .issued = 0 };
	enum result r;
	char line[8];

	o->drive.requests = requests;
	if (!o->drive.n_requests)
		o->drive.n_requests = o->prepare.count;
	o->drive.count = o->prepare.count;
	result.latencies = calloc(o->prepare.count, sizeof(*result.latencies));
	if (!result.latencies)
		return err_nomem(err);
	printf("ready\n");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin)) {
		r = drive_run(&o->drive, &result, err);
		if (r == OK)
			print_result(&result);
	} else {
		r = err_set(err, ERR_IO, "nobody said go");
	}
	free(result.latencies);
	return r;
}

static RESULT prepare_scep(struct options *o, struct buf *requests, struct err *err)
{
	struct span *lines = calloc(o->prepare.count, sizeof(*lines));
	BUF challenges = BUF_INIT;
	enum result r;

	if (!lines)
		return err_nomem(err);
	r = file_read(o->challenges, CHALLENGES_MAX, &challenges, err);
	o->prepare.challenges = lines;
	o->prepare.n_challenges = split_lines(buf_span(&challenges), lines, o->prepare.count);
	if (r == OK && o->prepare.n_challenges == 0)
		r = err_set(err, ERR_USAGE, "%s is empty", o->challenges);
	if (r == OK)
		r = prepare_requests(&o->prepare, requests, err);
	free(lines);
	return r;
}

/* As many as the file has, at most count. */
static RESULT read_whole(struct options *o, struct buf *requests, struct err *err)
{
	BUF text = BUF_INIT;
	struct span rest;
	size_t n = 0;

	TRY(file_read(o->whole, WHOLE_MAX, &text, err));
	rest = buf_span(&text);
	while (rest.len && n < o->prepare.count) {
		size_t len = strtoul((const char *)rest.p, NULL, 10);

		rest = span_sub(rest, span_find(rest, '\n') + 1, SIZE_MAX);
		buf_put(&requests[n++], span_sub(rest, 0, len));
		rest = span_sub(rest, len, SIZE_MAX);
	}
	o->drive.whole = true;
	o->drive.n_requests = n;
	return n ? OK : err_set(err, ERR_USAGE, "%s is empty", o->whole);
}

static RESULT run(int argc, char **argv, struct err *err)
{
	struct options o = { .prepare = { .threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
					  .key = "rsa2048",
					  .keys = 4,
					  .subject_base = "bench" } };
	char path[256] = "";
	struct buf *requests;
	enum result r;
	size_t i;

	TRY(parse_options(argc, argv, &o, err));
	TRY(parse_url(o.prepare.url, &o.drive, path, err));
	requests = calloc(o.prepare.count, sizeof(*requests));
	if (!requests)
		return err_nomem(err);
	r = o.whole ? read_whole(&o, requests, err) : prepare_scep(&o, requests, err);
	if (r == OK)
		r = measure(&o, requests, err);
	for (i = 0; i < o.prepare.count; i++)
		buf_clear(&requests[i]);
	free(requests);
	return r;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };

	if (run(argc, argv, &err) == OK)
		return 0;
	(void)fprintf(stderr, "load: %s\n", err_text(&err));
	return err_map(err.code)->exit_code;
}
