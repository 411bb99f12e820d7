/* SPDX-License-Identifier: Apache-2.0 */
/* csrattrs (RFC 7030 4.5): what the profile wants to find in a request. Everyone may ask. */
#include "est/attributes.h"
#include "est/body.h"
#include "est/exchange.h"

/* Only what is wanted of everyone: where a profile takes several kinds of key, any will do. */
static void want_key(const struct profile *p, struct est_attributes *a)
{
	if (p->n_keys != 1)
		return;
	a->key = p->keys[0].kind;
	a->bits = a->key == KEY_RSA ? p->keys[0].min_bits : 0;
}

/* What is fixed is put in here whatever is sent, so that no device needs to know. */
static void want_names(const struct profile *p, struct est_attributes *a)
{
	size_t i;

	for (i = 0; i < p->n_attrs; i++)
		if (p->attrs[i].choice == PROFILE_REQUIRED && a->n_subject < EST_SUBJECT_MAX)
			a->subject[a->n_subject++].type = buf_span(&p->attrs[i].type);
	for (i = 0; i < p->n_sans; i++)
		a->san |= p->sans[i].choice == PROFILE_REQUIRED;
}

void est_csrattrs(struct est_exchange *x, struct http_reply *reply)
{
	const struct profile *p = x->endpoint->policy.profile;
	struct est_attributes a = { 0 };
	struct err err = { 0 };
	BUF der = BUF_INIT;

	a.link = x->endpoint->binding != EST_BINDING_OFF;
	want_key(p, &a);
	want_names(p, &a);
	if (est_attributes_are_empty(&a)) {
		reply->status = 204;
		return;
	}
	est_attributes_put(&der, &a);
	if (buf_check(&der, &err) != OK)
		est_reply_later(x, &err, reply);
	else
		est_reply_der(x, EST_TYPE_CSRATTRS, buf_span(&der), reply);
}
