/* SPDX-License-Identifier: Apache-2.0 */
#include "token/pkcs11_make.h"

#include "base/random.h"
#include "token/object.h"

#define ID_OCTETS 16

enum result pkcs11_make_check(const struct tokens *t, struct err *err)
{
	if (t && t->module)
		return OK;
	return err_set(err, ERR_CONFIG,
		       "a key by PKCS#11 URI, and no keys.pkcs11.module in the configuration");
}

struct making {
	struct token_uri *uri;
	const struct key_spec *spec; /* NULL: must be there */
	const char *label;
	struct buf *spki;
};

/* A new key is told from others by an id of its own, whatever its label. */
static ck_rv_t name_it(struct making *m)
{
	uint8_t id[ID_OCTETS];

	if (m->uri->object.len == 0)
		buf_put_str(&m->uri->object, m->label);
	if (m->uri->id.len == 0) {
		if (random_fill(id, sizeof(id), NULL) != OK)
			return CKR_FUNCTION_FAILED;
		buf_put(&m->uri->id, SPAN_ARRAY(id));
	}
	return m->uri->object.failed || m->uri->id.failed ? CKR_HOST_MEMORY : CKR_OK;
}

static ck_rv_t make_in(struct making *m, const struct token_session *s)
{
	bool named = m->uri->object.len || m->uri->id.len;
	ck_object_handle_t key = 0;
	ck_rv_t rv = CKR_KEY_HANDLE_INVALID;

	if (named || !m->spec)
		rv = token_object_find(s, m->uri, &key);
	if (rv == CKR_KEY_HANDLE_INVALID && m->spec) {
		rv = name_it(m);
		if (rv == CKR_OK)
			rv = token_object_make(s, m->uri, *m->spec);
		if (rv == CKR_OK)
			rv = token_object_find(s, m->uri, &key);
	}
	return rv == CKR_OK ? token_object_describe(s, key, m->uri, m->spki) : rv;
}

static ck_rv_t make_once(struct token_module *module, struct making *m, unsigned *epoch)
{
	struct token_session s = { .calls = token_module_calls(module) };
	ck_slot_id_t slot = 0;
	ck_rv_t rv;

	*epoch = token_module_enter(module);
	rv = token_module_find_slot(module, m->uri, &slot);
	if (rv == CKR_OK)
		rv = token_module_open_session(module, m->uri, slot, m->spec != NULL, &s.handle);
	if (rv == CKR_OK) {
		rv = make_in(m, &s);
		(void)s.calls->C_CloseSession(s.handle);
	}
	token_module_leave(module);
	return rv;
}

static RESULT find_or_make(struct tokens *t, struct making *m, struct err *err)
{
	unsigned epoch = 0;
	ck_rv_t rv;

	rv = make_once(t->module, m, &epoch);
	if (rv == CKR_TOKEN_NOT_PRESENT) {
		token_module_renew(t->module, epoch);
		rv = make_once(t->module, m, &epoch);
	}
	if (rv == CKR_TEMPLATE_INCONSISTENT)
		return err_set(err, ERR_CONFLICT,
			       "token \"%.*s\" has several private keys like this; add object= or "
			       "id=",
			       (int)m->uri->token.len, (const char *)m->uri->token.data);
	return rv == CKR_OK ? OK : token_module_fail(m->uri, rv, "the key", err);
}

static RESULT make_record(struct tokens *t, struct span text, const struct key_spec *spec,
			  const char *label, struct token_record *out, struct err *err)
{
	CLEANUP(token_uri_clear) struct token_uri uri = { .has_slot = false };
	struct making m = { .uri = &uri, .spec = spec, .label = label, .spki = &out->spki };

	TRY(pkcs11_make_check(t, err));
	TRY(token_uri_parse(text, &uri, err));
	TRY(find_or_make(t, &m, err));
	TRY(buf_check(&out->spki, err));
	return token_uri_write(&uri, &out->uri, err);
}

enum result pkcs11_make_key(struct tokens *t, struct span uri, const char *label,
			    struct key_spec spec, struct token_record *out, struct err *err)
{
	return make_record(t, uri, &spec, label, out, err);
}

enum result pkcs11_make_find(struct tokens *t, struct span uri, struct token_record *out,
			     struct err *err)
{
	return make_record(t, uri, NULL, NULL, out, err);
}
