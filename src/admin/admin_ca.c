/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/page.h"
#include "ca/authority.h"
#include "pki/cert.h"

#define YEAR (365 * (int64_t)86400)

/* ---- reading ---- */

static const char *role_name(enum store_key_role role)
{
	static const char *const names[] = { [STORE_KEY_CA] = "ca",
					     [STORE_KEY_RA] = "ra",
					     [STORE_KEY_RA_SIGN] = "ra-sign",
					     [STORE_KEY_RA_ENCRYPT] = "ra-encrypt",
					     [STORE_KEY_OCSP] = "ocsp" };

	return names[role];
}

static json_t *fingerprint(struct crypto *c, struct span der)
{
	uint8_t digest[DIGEST_MAX];

	if (cert_fingerprint(c, der, DIGEST_SHA256, digest, NULL) != OK)
		return json_null();
	return admin_call_json_hex(span_of(digest, digest_size(DIGEST_SHA256)));
}

/* What is told of a certificate; key_id NULL: the key is not this CA's own to name. */
static json_t *cert_json(struct admin_call *call, const char *role, unsigned generation,
			 const char *key_id, struct span der)
{
	json_t *o = json_pack("{s:s, s:i}", "role", role, "generation", (int)generation);
	struct cert cert;

	if (o && key_id)
		(void)json_object_set_new(o, "key_id", json_string(key_id));
	if (!o || cert_parse(der, &cert, NULL) != OK)
		return o;
	(void)json_object_set_new(o, "subject", admin_call_json_name(cert.subject));
	(void)json_object_set_new(o, "key", admin_call_json_key(cert.spki));
	(void)json_object_set_new(o, "serial", admin_call_json_hex(cert.serial));
	(void)json_object_set_new(o, "not_before", admin_call_json_time(cert.not_before));
	(void)json_object_set_new(o, "not_after", admin_call_json_time(cert.not_after));
	(void)json_object_set_new(o, "sha256", fingerprint(call->c, der));
	(void)json_object_set_new(o, "certificate", admin_call_json_pem("CERTIFICATE", der));
	return o;
}

static json_t *certs_json(struct admin_call *call, const struct store_ca *ca)
{
	static const char *const kinds[] = { [STORE_CERT_CHAIN] = "chain",
					     [STORE_CERT_OLD_WITH_NEW] = "old-with-new",
					     [STORE_CERT_NEW_WITH_OLD] = "new-with-old" };
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		(void)json_array_append_new(
		    list, cert_json(call, role_name(ca->keys[i].role), ca->keys[i].generation,
				    ca->keys[i].key_id, buf_span(&ca->keys[i].cert)));
	for (i = 0; i < ca->n_certs; i++)
		(void)json_array_append_new(list, cert_json(call, kinds[ca->certs[i].kind],
							    ca->certs[i].generation, NULL,
							    buf_span(&ca->certs[i].cert)));
	return list;
}

/* ---- generations ---- */

static int64_t begins(const struct store_ca *ca, unsigned number)
{
	const struct store_generation *g = store_ca_generation(ca, number);

	return g ? g->begins : 0;
}

/* 0: it awaits the certificate of its first. */
static unsigned in_charge(const struct store_ca *ca, int64_t now)
{
	unsigned found = 0;
	size_t i;

	for (i = 0; i < ca->n_keys; i++) {
		const struct store_ca_key *key = &ca->keys[i];

		if (key->role == STORE_KEY_CA && key->cert.len &&
		    (!found || begins(ca, key->generation) <= now))
			found = key->generation;
	}
	return found;
}

static const char *state_of(const struct store_ca_key *key, unsigned now_in_charge)
{
	if (!key->cert.len)
		return "awaits-certificate";
	return key->generation < now_in_charge   ? "old"
	       : key->generation > now_in_charge ? "next"
						 : "active";
}

static json_t *generations_json(const struct store_ca *ca, unsigned now_in_charge)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < ca->n_keys; i++) {
		const struct store_ca_key *key = &ca->keys[i];
		const struct store_generation *g = store_ca_generation(ca, key->generation);

		if (key->role != STORE_KEY_CA)
			continue;
		o = json_pack("{s:i, s:s}", "number", (int)key->generation, "state",
			      state_of(key, now_in_charge));
		if (o && g && g->begins)
			(void)json_object_set_new(o, "begins", admin_call_json_time(g->begins));
		if (o && g && g->request.len)
			(void)json_object_set_new(
			    o, "request",
			    admin_call_json_pem("CERTIFICATE REQUEST", buf_span(&g->request)));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *ca_json(struct admin_call *call, const struct store_ca *ca)
{
	unsigned number = in_charge(ca, clock_now(call->api->clock));

	return json_pack("{s:s, s:o, s:i, s:o, s:o}", "name", ca->name, "created",
			 admin_call_json_time(ca->created), "generation", (int)number,
			 "generations", generations_json(ca, number), "certificates",
			 certs_json(call, ca));
}

struct listing {
	struct admin_page page;
	struct admin_call *call;
};

static void listing_clear(struct listing *l)
{
	admin_page_clear(&l->page);
}

static enum result collect(void *ctx, const struct store_ca *ca, struct err *err)
{
	struct listing *l = ctx;

	if (!admin_page_is_behind(&l->page, ca->name) || !admin_page_has_room(&l->page))
		return OK;
	return admin_page_add(&l->page, ca_json(l->call, ca), err, "%s", ca->name);
}

enum result admin_ca_list(struct admin_call *call, struct err *err)
{
	CLEANUP(listing_clear) struct listing l = { .call = call };

	TRY(admin_page_open(&l.page, call, "cas", err));
	TRY(store_each_ca(call->api->store, collect, &l, err));
	return admin_page_answer(call, &l.page, err);
}

struct search {
	struct admin_call *call;
	const char *name;
	json_t *found;
};

static enum result look(void *ctx, const struct store_ca *ca, UNUSED struct err *err)
{
	struct search *s = ctx;

	if (strcmp(s->name, ca->name) == 0 && !s->found)
		s->found = ca_json(s->call, ca);
	return OK;
}

/* The CA of that name as the answer. */
static RESULT answer_one(struct admin_call *call, const char *name, struct err *err)
{
	struct search s = { call, name, NULL };

	TRY(store_each_ca(call->api->store, look, &s, err));
	if (!s.found)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no CA \"%s\"; make it with \"scepterctl ca init %s\"",
			       name, name);
	return admin_call_answer(call, s.found, err);
}

enum result admin_ca_show(struct admin_call *call, struct err *err)
{
	return answer_one(call, admin_call_arg(call), err);
}

/* ---- making ---- */

static RESULT read_key(const struct admin_call *call, const char *field, const char *otherwise,
		       struct key_spec *out, struct err *err)
{
	const char *text = NULL;

	TRY(admin_call_text(call, field, &text, err));
	return key_spec_parse(text ? text : otherwise, out, err);
}

static RESULT read_ra(const struct admin_call *call, struct authority_init *init, struct err *err)
{
	const char *text = NULL;

	TRY(admin_call_text(call, "ra", &text, err));
	if (!text)
		text = "one";
	init->has_ra = strcmp(text, "none") != 0;
	init->ra_split = strcmp(text, "split") == 0;
	if (init->has_ra && !init->ra_split && strcmp(text, "one") != 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "field \"ra\": \"%.32s\", not none, one or split", text);
	return OK;
}

static RESULT read_init(const struct admin_call *call, struct authority_init *init, struct err *err)
{
	static const char *const known[] = {
		"name",      "subject",      "key",           "ra",
		"ra_key",    "validity",     "leaf_validity", "ra_validity",
		"key_store", "ra_key_store", "subordinate",   NULL
	};

	TRY(admin_call_check_fields(call, known, err));
	TRY(admin_call_text(call, "name", &init->name, err));
	TRY(admin_call_text(call, "subject", &init->subject, err));
	if (!init->name || !init->subject)
		return err_set(err, ERR_BAD_REQUEST, "field \"%s\" is missing",
			       init->name ? "subject" : "name");
	TRY(read_key(call, "key", "p256", &init->ca_key, err));
	TRY(read_key(call, "ra_key", "rsa2048", &init->ra_key, err));
	TRY(admin_call_text(call, "key_store", &init->ca_store, err));
	TRY(admin_call_text(call, "ra_key_store", &init->ra_store, err));
	TRY(read_ra(call, init, err));
	TRY(admin_call_duration(call, "validity", &init->ca_validity, err));
	TRY(admin_call_duration(call, "leaf_validity", &init->max_leaf_validity, err));
	init->ra_validity = init->ca_validity;
	init->subordinate = json_is_true(json_object_get(call->body, "subordinate"));
	return admin_call_duration(call, "ra_validity", &init->ra_validity, err);
}

enum result admin_ca_create(struct admin_call *call, struct err *err)
{
	const struct admin_api *api = call->api;
	struct authority_init init = { .ca_validity = 10 * YEAR,
				       .max_leaf_validity = 2 * YEAR,
				       .actor = call->actor };

	TRY(read_init(call, &init, err));
	TRY(authority_create(api->store, api->keeper, call->c, api->clock, &init, err));
	log_info(api->log, "CA created", LOG_STR("ca", init.name), LOG_STR("actor", call->actor));
	if (api->changed)
		TRY(api->changed(api->ctx, err));
	return answer_one(call, init.name, err);
}
