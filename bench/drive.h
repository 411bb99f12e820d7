/* SPDX-License-Identifier: Apache-2.0 */
/* Sends ready-made requests over so many connections at once and takes the time of each answer. */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include <netinet/in.h>

#include "base/buf.h"

struct drive_config {
	struct sockaddr_in address;
	const char *path; /* with query */
	unsigned connections;
	bool fresh; /* a connection a request */
	bool whole; /* requests are whole HTTP requests, and status 200 is what is wanted */
	const struct buf *requests; /* sent in turn */
	size_t n_requests;
	size_t count; /* to be sent in all */
};

struct drive_result {
	size_t issued;  /* CertRep with pkiStatus SUCCESS; whole: status 200 */
	size_t refused; /* another CertRep */
	size_t busy;    /* 503 */
	size_t broken;  /* anything else */
	int64_t micros; /* of the whole run */
	int64_t
	    *latencies; /* of each request, in microseconds; count of them, given by the caller */
	size_t n_latencies;
};

RESULT drive_run(const struct drive_config *config, struct drive_result *out, struct err *err);

#endif
