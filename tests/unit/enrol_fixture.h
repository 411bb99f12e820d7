/* SPDX-License-Identifier: Apache-2.0 */
/* A CA, an endpoint's policy, two devices, and challenges: what the tests of ca/enrol.h ask with.
 */
#ifndef ENROL_FIXTURE_H
#define ENROL_FIXTURE_H

#include "ca_fixture.h"

#include "ca/enrol.h"
#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"

/* Hash by Python's hashlib.scrypt. */
#define SWORDFISH                                                                                  \
	"$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ctGD6QZNdRGEswxixZsIuBF98oQ4RB3bYovsm+sBaHY"

/* What a test asks with; two devices, a and b. */
static struct {
	struct ca_fixture *f;
	struct key *a;
	struct key *b;
	struct buf name;
	struct profile_attr attr;
	struct profile profile;
	struct enrol_policy policy;
	struct challenge_static *statics;
} t;

static inline int enrol_fixture_set_up(void **state)
{
	static const char *const hashes[] = { SWORDFISH };
	struct key_spec p256 = { KEY_EC_P256, 256 };

	assert_int_equal(ca_fixture_set_up(state), 0);
	t.f = *state;
	assert_int_equal(key_evp_generate(&t.a, t.f->c, p256, NULL), OK);
	assert_int_equal(key_evp_generate(&t.b, t.f->c, p256, NULL), OK);
	assert_int_equal(name_parse_text("CN=router7", &t.name, NULL), OK);
	assert_int_equal(challenge_static_new(&t.statics, hashes, 1, NULL), OK);
	buf_put(&t.attr.type, OID_CN);
	t.profile = ca_fixture_profile(&t.attr);
	t.policy = (struct enrol_policy){ .endpoint = "demo",
					  .ca = "demo",
					  .profile = &t.profile,
					  .statics = t.statics,
					  .one_time = true };
	return 0;
}

static inline int enrol_fixture_tear_down(void **state)
{
	key_free(t.a);
	key_free(t.b);
	buf_clear(&t.name);
	buf_clear(&t.attr.type);
	challenge_static_free(t.statics);
	return ca_fixture_tear_down(state);
}

struct made {
	struct secret text;
	char id[STORE_NAME_MAX];
};

static inline void made_clear(struct made *made)
{
	secret_clear(&made->text);
}

#define MADE CLEANUP(made_clear) struct made

static inline struct made new_challenge(const struct challenge_new *n)
{
	struct made made = { 0 };

	assert_int_equal(
	    challenge_create(t.f->store, t.f->c, &t.f->clock, n, &made.text, made.id, NULL), OK);
	assert_non_null(buf_cstr(&made.text.bytes));
	return made;
}

static inline const char *text_of(struct made *made)
{
	return (const char *)made->text.bytes.data;
}

#endif
