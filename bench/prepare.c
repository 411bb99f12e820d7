/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/prepare.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "scep/caps.h"
#include "scep/client.h"

#define THREADS_MAX 64
#define KEYS_MAX 16

struct job { /* of one thread: requests first, first + step, ... */
	const struct prepare_config *config;
	const struct scep_ca_certs *ca;
	uint32_t caps;
	size_t first;
	struct buf *requests;
	enum result result;
	struct err err;
};

static RESULT make_request(struct job *job, size_t index, struct key *key, struct span challenge,
			   struct crypto *c)
{
	const struct prepare_config *config = job->config;
	struct scep_enrolment_config asked = {
		.key = key, .challenge = challenge, .caps = job->caps, .now = time(NULL)
	};
	CLEANUP(scep_enrolment_clear) struct scep_enrolment e = { .key = NULL };
	BUF subject = BUF_INIT;
	char text[128];

	(void)snprintf(text, sizeof(text), "CN=%s-%zu,O=Bench", config->subject_base, index);
	TRY(name_parse_text(text, &subject, &job->err));
	asked.subject = buf_span(&subject);
	TRY(scep_enrolment_init(&e, &asked, c, &job->err));
	/* Keys are few and requests many: each must be a transaction of its own. */
	(void)snprintf(e.transaction_id, sizeof(e.transaction_id), "%s-%zu", config->subject_base,
		       index);
	return scep_enrolment_request(&e, job->ca, c, &job->requests[index], &job->err);
}

static RESULT make_all(struct job *job)
{
	const struct prepare_config *config = job->config;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct key *keys[KEYS_MAX] = { NULL };
	struct key_spec spec;
	const unsigned n_keys = config->keys ? config->keys : 1;
	enum result r = OK;
	size_t i;

	TRY(crypto_new(&c, false, &job->err));
	TRY(key_spec_parse(config->key, &spec, &job->err));
	for (i = 0; r == OK && i < n_keys; i++)
		r = key_evp_generate(&keys[i], c, spec, &job->err);
	for (i = job->first; r == OK && i < config->count; i += config->threads) {
		struct span challenge = config->challenges[i % config->n_challenges];

		r = make_request(job, i, keys[i / config->threads % n_keys], challenge, c);
	}
	for (i = 0; i < n_keys; i++)
		key_free(keys[i]);
	return r;
}

static void *thread_main(void *arg)
{
	struct job *job = arg;

	job->result = make_all(job);
	return NULL;
}

static RESULT run_threads(const struct prepare_config *config, const struct scep_ca_certs *ca,
			  uint32_t caps, struct buf *requests, struct err *err)
{
	struct job jobs[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	enum result r = OK;
	unsigned i;

	for (i = 0; i < config->threads; i++) {
		jobs[i] = (struct job){
			.config = config, .ca = ca, .caps = caps, .first = i, .requests = requests
		};
		if (pthread_create(&threads[i], NULL, thread_main, &jobs[i]) != 0)
			abort();
	}
	for (i = 0; i < config->threads; i++) {
		(void)pthread_join(threads[i], NULL);
		if (jobs[i].result != OK && r == OK) {
			*err = jobs[i].err;
			r = jobs[i].result;
		}
	}
	return r;
}

enum result prepare_requests(const struct prepare_config *config, struct buf *requests,
			     struct err *err)
{
	const struct http_client_config http_config = { .total_seconds = 30 };
	CLEANUP(http_client_freep) struct http_client *http = NULL;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(scep_ca_certs_clear) struct scep_ca_certs ca = { .n = 0 };
	struct scep_client client = { .url = config->url };
	uint32_t caps = 0;

	if (config->threads > THREADS_MAX || config->keys > KEYS_MAX)
		return err_set(err, ERR_USAGE, "at most %d threads and %d keys", THREADS_MAX,
			       KEYS_MAX);
	TRY(crypto_new(&c, false, err));
	TRY(http_client_new(&http, &http_config, err));
	client.http = http;
	TRY(scep_client_get_caps(&client, &caps, err));
	TRY(scep_client_get_ca(&client, &ca, err));
	TRY(scep_ca_certs_trust(&ca, c, SPAN_NONE, time(NULL), err));
	return run_threads(config, &ca, caps, requests, err);
}
