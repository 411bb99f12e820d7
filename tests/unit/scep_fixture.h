/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint of SCEP over the CA "demo", and devices that talk with it. */
#ifndef TESTS_SCEP_FIXTURE_H
#define TESTS_SCEP_FIXTURE_H

#include "ca_fixture.h"

#include <fcntl.h>
#include <signal.h>

#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "scep/caps.h"
#include "scep/enrolment.h"
#include "scep/service.h"

#define CHALLENGE "correct horse battery staple"

static struct {
	struct ca_fixture *f;
	struct key *rsa;
	struct key *ec;
	struct buf name;
	struct profile_attr attr;
	struct profile profile;
	struct scep_endpoint endpoint;
	struct enrol_context enrol;
	struct log_sink *sink;
	struct log log;
	char log_path[128];
	struct scep_service service;
	struct scep_worker *worker;
	struct scep_ca_certs ca; /* as the device sees it */
} t;

/* ---- HTTP ---- */

#define REPLY CLEANUP(http_reply_clear) struct http_reply

static inline struct http_reply handle(enum http_method method, const char *query, struct span body,
				       const struct authority_ca *ca)
{
	struct http_request req = {
		.method = method, .query = span_str(query), .body = body, .peer = "192.0.2.7"
	};
	struct http_reply reply = { 0 };

	scep_service_handle(&t.service, t.worker, &t.endpoint, ca, &req, &reply);
	return reply;
}

static inline struct http_reply get(const char *query)
{
	return handle(HTTP_GET, query, SPAN_NONE, t.f->demo);
}

static inline struct http_reply post(struct span body)
{
	return handle(HTTP_POST, "operation=PKIOperation", body, t.f->demo);
}

static inline const char *reply_header(const struct http_reply *reply, const char *name)
{
	size_t i;

	for (i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return NULL;
}

/* ---- set-up ---- */

static inline void learn_ca(void)
{
	uint8_t fingerprint[DIGEST_MAX];
	struct err err = { 0 };
	REPLY reply = get("operation=GetCACert");

	assert_int_equal(reply.status, 200);
	assert_int_equal(scep_ca_certs_parse(buf_span(&reply.body), &t.ca, NULL), OK);
	assert_int_equal(cert_fingerprint(t.f->c, buf_span(&t.f->demo->ca.der), DIGEST_SHA256,
					  fingerprint, NULL),
			 OK);
	if (scep_ca_certs_trust(&t.ca, t.f->c, span_of(fingerprint, 32), NOW, &err) != OK)
		fail_msg("%s", err_text(&err));
}

static inline int set_up(void **state)
{
	struct key_spec rsa = { KEY_RSA, 2048 }, ec = { KEY_EC_P256, 256 };
	int fd;

	assert_int_equal(ca_fixture_set_up(state), 0);
	t.f = *state;
	assert_int_equal(key_evp_generate(&t.rsa, t.f->c, rsa, NULL), OK);
	assert_int_equal(key_evp_generate(&t.ec, t.f->c, ec, NULL), OK);
	assert_int_equal(name_parse_text("CN=router7", &t.name, NULL), OK);
	buf_put(&t.attr.type, OID_CN);
	t.attr.choice = PROFILE_REQUIRED;
	t.profile = (struct profile){ .name = (char *)(uintptr_t) "device",
				      .validity = 90 * DAY,
				      .backdate = 600,
				      .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
				      .attrs = &t.attr,
				      .n_attrs = 1,
				      .keys = { { KEY_RSA, 2048, 4096 }, { KEY_EC_P256, 0, 0 } },
				      .n_keys = 2 };
	t.endpoint = (struct scep_endpoint){ .name = "demo",
					     .habits = scep_habits_default,
					     .policy = { .endpoint = "demo",
							 .ca = "demo",
							 .profile = &t.profile,
							 .accept_anyone = true } };
	(void)snprintf(t.log_path, sizeof(t.log_path), "%s/log", t.f->dir);
	fd = open(t.log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	assert_int_equal(log_sink_new(&t.sink, fd, "test", LOG_LEVEL_DEBUG, NULL), OK);
	log_init(&t.log, t.sink);
	t.enrol = (struct enrol_context){ t.f->store, &t.f->clock };
	t.service = (struct scep_service){ &t.enrol, &t.log };
	assert_int_equal(scep_worker_new(&t.worker, NULL), OK);
	learn_ca();
	return 0;
}

static inline int tear_down(void **state)
{
	scep_worker_free(t.worker);
	scep_ca_certs_clear(&t.ca);
	log_sink_free(t.sink);
	key_free(t.rsa);
	key_free(t.ec);
	buf_clear(&t.name);
	buf_clear(&t.attr.type);
	return ca_fixture_tear_down(state);
}

/* Does the log say it, in a line? */
static inline bool is_logged(const char *text)
{
	BUF log = BUF_INIT;

	assert_int_equal(file_read(t.log_path, 1 << 20, &log, NULL), OK);
	return strstr(buf_cstr(&log), text) != NULL;
}

/* ---- a device ---- */

#define ENROLMENT CLEANUP(scep_enrolment_clear) struct scep_enrolment
#define ANSWER CLEANUP(scep_enrolment_reply_clear) struct scep_enrolment_reply

static inline struct scep_enrolment device(struct key *key, const char *challenge, uint32_t caps)
{
	struct scep_enrolment_config config = { .key = key,
						.subject = buf_span(&t.name),
						.challenge = span_str(challenge),
						.caps = caps,
						.allow_legacy = true,
						.now = NOW };
	struct scep_enrolment e = { 0 };

	assert_int_equal(scep_enrolment_init(&e, &config, t.f->c, NULL), OK);
	return e;
}

static inline struct scep_enrolment_reply read_reply(const struct scep_enrolment *e,
						     const struct http_reply *reply)
{
	struct scep_enrolment_reply answer = { 0 };
	struct err err = { 0 };

	if (reply->status != 200)
		fail_msg("status %d: %.*s", reply->status, (int)reply->body.len, reply->body.data);
	assert_string_equal(reply->content_type, "application/x-pki-message");
	if (scep_enrolment_read(e, &t.ca, t.f->c, buf_span(&reply->body), &answer, &err) != OK)
		fail_msg("%s", err_text(&err));
	return answer;
}

static inline struct scep_enrolment_reply enrol(struct scep_enrolment *e)
{
	BUF request = BUF_INIT;

	assert_int_equal(scep_enrolment_request(e, &t.ca, t.f->c, &request, NULL), OK);
	{
		REPLY reply = post(buf_span(&request));

		return read_reply(e, &reply);
	}
}

#define MODERN (SCEP_CAP_AES | SCEP_CAP_SHA256)

#endif
