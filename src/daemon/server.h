/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server process is made of. Two snapshots change while requests run: the configuration
 * (on SIGHUP) and the authorities (when the admin API made one); a request holds a reference to
 * each for as long as it runs.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <pthread.h>

#include "admin/api.h"
#include "ca/authority.h"
#include "ca/crl_publisher.h"
#include "config/config.h"
#include "ocsp/front.h"
#include "ocsp/service.h"

struct metrics;       /* daemon/metrics.h */
struct process_board; /* daemon/process.h */

struct server {
	struct store *store;
	struct keeper_client *keeper;
	struct crl_publisher *publisher;
	struct audit *audit;
	struct ocsp_cache *ocsp_cache;
	struct ocsp_front *ocsp_front;
	_Atomic uint64_t epoch; /* rises with each change of a snapshot, behind it */
	struct metrics *metrics;
	const struct process_board *board; /* NULL: no other processes */
	pthread_mutex_t renewing;          /* an OCSP responder */
	struct clock clock;
	struct log log;
	struct admin_api admin;
	struct http_server *_Atomic http; /* NULL until it runs */
	/* of authorities: the last to read the store is the last to swap */
	pthread_mutex_t loading;
	pthread_mutex_t lock;            /* of the two snapshots' pointers */
	struct tls_listener **tls;       /* by listener, borrowed; NULL until they are open */
	struct tls_verifier **verifiers; /* the same of clients that proxies tell of */
	struct refusals *refusals;
	pthread_mutex_t tls_lock; /* of their certificates' exchange */
	pthread_mutex_t reusing;  /* see admin/ndes.h */
	const struct config *config;
	struct authority *authority;
};

/* References, to be given back by config_unref and authority_unref. */
const struct config *server_config(struct server *s);
struct authority *server_authority(struct server *s);
/* Takes the reference over. */
void server_set_config(struct server *s, const struct config *config);
/* Reads the authorities anew. On failure the old ones stay. */
RESULT server_load_authority(struct server *s, struct err *err);

/* Starts the publisher of revocation lists; s->config has its plans. */
RESULT server_start_publisher(struct server *s, struct err *err);
/* Gives it those of s->config, which has changed. */
RESULT server_set_plans(struct server *s, struct err *err);

/* Warns in the log of profiles' URLs that lead to another generation, of CAs that have a later one.
 */
void server_warn_of_urls(struct server *s);

#endif
