/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_THREAD_H
#define NET_HTTP_THREAD_H

#include <pthread.h>

#include "base/err.h"

/*
 * Starts a thread of the server: small stack, a name ("http-loop-1") for top(1), and signals left
 * to the program's main thread (SIGPIPE too, which writing to a lost client would raise).
 */
RESULT http_thread_start(pthread_t *thread, const char *kind, unsigned index,
			 void *(*run)(void *arg), void *arg, struct err *err);

#endif
