/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator for TLS: a thread a connection, each of which sends whole HTTP requests in
 * turn and reads the answers; --fresh: a full handshake a request. Says "ready", waits for a line,
 * and prints one JSON object, like bench-load.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/file.h"

#define WHOLE_MAX (256u << 20)
#define ANSWER_MAX 65536

struct load {
	struct sockaddr_in address;
	size_t count;
	unsigned connections;
	bool fresh;
	const char *whole;
	struct span *requests;
	size_t n_requests;
	SSL_CTX *ctx;
	atomic_size_t next;
	atomic_size_t issued;
	atomic_size_t broken;
	int64_t *latencies;
};

/* ---- one connection ---- */

static SSL *open_tls(const struct load *l)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	SSL *ssl = SSL_new(l->ctx);

	if (fd < 0 || !ssl ||
	    connect(fd, (const struct sockaddr *)&l->address, sizeof(l->address)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1) {
		SSL_free(ssl);
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	return ssl;
}

static void close_tls(SSL *ssl)
{
	int fd = ssl ? SSL_get_fd(ssl) : -1;

	SSL_free(ssl);
	if (fd >= 0)
		(void)close(fd);
}

/* Octets of a whole answer, or 0: more are needed. */
static size_t whole_answer(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	const char *field = memmem(text, len, "Content-Length: ", 16);
	size_t all;

	if (!end || !field || field > end)
		return 0;
	all = (size_t)(end - text) + 4 + strtoul(field + 16, NULL, 10);
	return len >= all ? all : 0;
}

static bool exchange(SSL *ssl, struct span request)
{
	char answer[ANSWER_MAX];
	size_t len = 0;
	int n;

	if (SSL_write(ssl, request.p, (int)request.len) != (int)request.len)
		return false;
	while (len < sizeof(answer) && !whole_answer(answer, len)) {
		n = SSL_read(ssl, answer + len, (int)(sizeof(answer) - len));
		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	return len > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void *run_connection(void *arg)
{
	struct load *l = arg;
	SSL *ssl = NULL;
	size_t i;

	while ((i = atomic_fetch_add(&l->next, 1)) < l->count) {
		int64_t begun = clock_mono_us();
		bool good;

		if (!ssl)
			ssl = open_tls(l);
		good = ssl && exchange(ssl, l->requests[i % l->n_requests]);
		l->latencies[i] = clock_mono_us() - begun;
		atomic_fetch_add(good ? &l->issued : &l->broken, 1);
		if (!good || l->fresh) {
			close_tls(ssl);
			ssl = NULL;
		}
	}
	close_tls(ssl);
	return NULL;
}

/* ---- the whole ---- */

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double percentile(const struct load *l, unsigned percent)
{
	size_t place = (l->count - 1) * percent / 100;

	return (double)l->latencies[place] / 1000;
}

static void print_result(struct load *l, int64_t micros)
{
	qsort(l->latencies, l->count, sizeof(*l->latencies), compare);
	printf("{\"issued\":%zu,\"broken\":%zu,\"seconds\":%.6f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
	       atomic_load(&l->issued), atomic_load(&l->broken), (double)micros / 1e6,
	       percentile(l, 50), percentile(l, 99));
}

static RESULT run_all(struct load *l, struct err *err)
{
	pthread_t *threads = calloc(l->connections, sizeof(*threads));
	int64_t begun = clock_mono_us();
	unsigned i, n = 0;

	if (!threads)
		return err_nomem(err);
	for (i = 0; i < l->connections; i++)
		n += pthread_create(&threads[n], NULL, run_connection, l) == 0;
	for (i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
	print_result(l, clock_mono_us() - begun);
	return OK;
}

/* Each request stands behind its length and a line feed. */
static RESULT split_whole(struct load *l, struct span rest, struct err *err)
{
	while (rest.len && l->n_requests < l->count) {
		size_t len = strtoul((const char *)rest.p, NULL, 10);

		rest = span_sub(rest, span_find(rest, '\n') + 1, SIZE_MAX);
		l->requests[l->n_requests++] = span_sub(rest, 0, len);
		rest = span_sub(rest, len, SIZE_MAX);
	}
	return l->n_requests ? OK : err_set(err, ERR_USAGE, "%s is empty", l->whole);
}

static RESULT parse_options(int argc, char **argv, struct load *l, struct err *err)
{
	static const struct option options[] = { { "port", required_argument, NULL, 'p' },
						 { "count", required_argument, NULL, 'n' },
						 { "connections", required_argument, NULL, 'c' },
						 { "fresh", no_argument, NULL, 'f' },
						 { "whole", required_argument, NULL, 'w' },
						 { 0 } };
	int c;

	l->address.sin_family = AF_INET;
	l->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			l->address.sin_port = htons((uint16_t)strtoul(optarg, NULL, 10));
		else if (c == 'n')
			l->count = strtoul(optarg, NULL, 10);
		else if (c == 'c')
			l->connections = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'f')
			l->fresh = true;
		else if (c == 'w')
			l->whole = optarg;
	}
	if (l->address.sin_port && l->count && l->connections && l->whole)
		return OK;
	return err_set(err, ERR_USAGE,
		       "tls-load --port N --whole FILE --count N --connections N [--fresh]");
}

static RESULT run(struct load *l, struct err *err)
{
	BUF text = BUF_INIT;
	char line[8];

	l->requests = calloc(l->count, sizeof(*l->requests));
	l->latencies = calloc(l->count, sizeof(*l->latencies));
	l->ctx = SSL_CTX_new(TLS_client_method());
	if (!l->requests || !l->latencies || !l->ctx)
		return err_nomem(err);
	/* a fresh connection is one that begins from nothing */
	(void)SSL_CTX_set_session_cache_mode(l->ctx, SSL_SESS_CACHE_OFF);
	TRY(file_read(l->whole, WHOLE_MAX, &text, err));
	TRY(split_whole(l, buf_span(&text), err));
	printf("ready\n");
	(void)fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return err_set(err, ERR_IO, "nobody said go");
	return run_all(l, err);
}

int main(int argc, char **argv)
{
	struct load l = { .connections = 0 };
	struct err err = { 0 };
	enum result r = parse_options(argc, argv, &l, &err);

	if (r == OK)
		r = run(&l, &err);
	if (r != OK)
		(void)fprintf(stderr, "tls-load: %s\n", err_text(&err));
	SSL_CTX_free(l.ctx);
	free(l.requests);
	free(l.latencies);
	return r == OK ? 0 : err_map(r)->exit_code;
}
