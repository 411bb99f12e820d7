/* SPDX-License-Identifier: Apache-2.0 */
#include "config/own_tls.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "der/oid.h"
#include "der/writer.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/san.h"

static bool is_address(const char *name)
{
	struct in6_addr any;

	return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

enum result own_tls_put_sans(const struct config_listener *l, struct buf *out, struct err *err)
{
	BUF names = BUF_INIT;
	char text[300];
	size_t i;

	for (i = 0; i < l->n_own_names; i++) {
		(void)snprintf(text, sizeof(text), "%s:%.250s",
			       is_address(l->own_names[i]) ? "IP" : "DNS", l->own_names[i]);
		TRY(san_parse_text(text, &names, err));
	}
	der_put_tlv(out, DER_SEQUENCE, buf_span(&names));
	return buf_check(out, err);
}

enum result own_tls_put_names(const struct config_listener *l, struct buf *subject,
			      struct buf *exts, struct err *err)
{
	BUF sans = BUF_INIT;
	char text[300];

	(void)snprintf(text, sizeof(text), "CN=%.250s", l->own_names[0]);
	TRY(name_parse_text(text, subject, err));
	TRY(own_tls_put_sans(l, &sans, err));
	ext_put(exts, OID_SUBJECT_ALT_NAME, false, buf_span(&sans));
	return buf_check(exts, err);
}

/* ---- will the profile do? ---- */

/* Any key of the kind that the server makes: P-256's base point. */
static const uint8_t some_p256[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
	0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
	0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
	0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
	0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
	0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

static RESULT check_usage(const struct profile *p, struct err *err)
{
	BUF server = BUF_INIT;
	BUF any = BUF_INIT;
	size_t i;

	TRY(eku_parse("serverAuth", &server, err));
	TRY(eku_parse("2.5.29.37.0", &any, err));
	for (i = 0; i < p->n_ekus; i++)
		if (span_eq(buf_span(&p->ekus[i]), buf_span(&server)) ||
		    span_eq(buf_span(&p->ekus[i]), buf_span(&any)))
			return OK;
	return p->n_ekus ? err_set(err, ERR_CONFIG, "eku: lacks serverAuth, which clients want")
			 : OK;
}

enum result own_tls_check(const struct config_listener *l, const struct profile *p, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(profile_result_clear) struct profile_result made = { 0 };
	const struct profile_issuer issuer = { .subject = SPAN_LIT("\x30"),
					       .generation = 1,
					       .not_after = INT64_MAX };
	BUF subject = BUF_INIT;
	BUF exts = BUF_INIT;
	struct profile_request req = { .spki = SPAN_ARRAY(some_p256) };

	TRY(check_usage(p, err));
	TRY(crypto_new(&c, false, err));
	TRY(own_tls_put_names(l, &subject, &exts, err));
	req.subject = buf_span(&subject);
	req.exts = buf_span(&exts);
	return profile_apply(p, c, &req, &issuer, &made, err);
}
