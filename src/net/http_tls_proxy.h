/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS that ends at a proxy in front of this server, which tells of the client's certificate in a
 * field of each request. Only who is trusted may: from anybody else the field is refused, for it
 * can only be an attempt to be someone else.
 */
#ifndef NET_HTTP_TLS_PROXY_H
#define NET_HTTP_TLS_PROXY_H

#include "net/http_job.h"

/* Is it one of those that terminate TLS for this listener? */
bool http_tls_proxy_is_trusted(const struct http_listener *listener, const struct address *peer);

/*
 * Of a request that is whole, by a worker: what its fields say of the client comes into job->req.
 * False: it is refused, job->reply says why and *reason, static, in short.
 */
MUST_USE bool http_tls_proxy_take(struct http_job *job, const struct log *log, const char **reason);

#endif
