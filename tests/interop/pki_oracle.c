/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one of each thing that src/pki makes into a directory, for test_pki_oracles.py to read. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/cms_enveloped.h"
#include "pki/cms_signed.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/san.h"

#define DAY 86400

static const char *const specs[] = { "rsa2048", "p256", "p384", "p521", "ed25519" };
static const char content[] = "what only the recipient may read\n";
static const char password[] = "pass phrase 42";

struct oracle {
	const char *dir;
	struct crypto *crypto;
	struct err err;
	int64_t now;
	struct buf subject;
	struct buf ca; /* the P-256 key's certificate */
};

static void must(struct oracle *o, enum result rc, const char *what)
{
	if (rc == OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, err_text(&o->err));
	exit(1);
}

static void save(struct oracle *o, const char *kind, const char *name, const struct buf *bytes)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s_%s", o->dir, kind, name);
	must(o, file_write_atomic(path, 0600, buf_span(bytes), &o->err), path);
}

static void make_csr(struct oracle *o, const char *name, struct key *key)
{
	BUF names = BUF_INIT;
	BUF exts = BUF_INIT;
	BUF out = BUF_INIT;

	must(o, san_parse_text("DNS:router7.example", &names, &o->err), "DNS");
	must(o, san_parse_text("IP:2001:db8::7", &names, &o->err), "IP");
	must(o, san_parse_text("UPN:adele@corp.example", &names, &o->err), "UPN");
	ext_put_san(&exts, buf_span(&names), false);
	ext_put_key_usage(&exts, KU_DIGITAL_SIGNATURE);
	must(o,
	     csr_build(&(struct csr_template){ buf_span(&o->subject), buf_span(&exts),
					       span_str("s\xc3\xa9same") },
		       key, o->crypto, &out, &o->err),
	     "CSR");
	save(o, "csr", name, &out);
}

static void make_self_signed(struct oracle *o, const char *name, struct key *key, struct buf *cert)
{
	struct cert_self self = { buf_span(&o->subject), o->now - DAY, o->now + DAY };

	must(o, cert_self_signed(&self, key, o->crypto, cert, &o->err), "self-signed");
	save(o, "self", name, cert);
}

static void make_signed(struct oracle *o, const char *name, struct key *key, struct span cert)
{
	struct cms_sign sign = { .has_content = true,
				 .content = span_str(content),
				 .digest = sig_alg_for(key->kind).digest,
				 .signer_cert = cert,
				 .certs = &cert,
				 .n_certs = 1 };
	BUF value = BUF_INIT;
	BUF attrs = BUF_INIT;
	BUF out = BUF_INIT;

	der_put_tlv(&value, DER_PRINTABLE_STRING, SPAN_LIT("transaction 7"));
	cms_put_attr(&attrs, OID_SCEP_TRANSACTION_ID, buf_span(&value));
	sign.attrs = buf_span(&attrs);
	must(o, cms_sign(&sign, key, o->crypto, &out, &o->err), "SignedData");
	save(o, "signed", name, &out);
}

static void put_ca_exts(struct oracle *o, struct key *key, struct buf *out)
{
	uint8_t id[20];

	must(o, cert_key_id(o->crypto, key_spki(key), id, &o->err), "key identifier");
	ext_put_basic_constraints(out, true, 0);
	ext_put_key_usage(out, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	ext_put_ski(out, SPAN_ARRAY(id));
}

static void put_leaf_exts(struct oracle *o, struct key *key, struct key *ca, struct buf *out)
{
	static const char *const urls[] = { "http://pki.example/a", "http://pki.example/b" };
	const struct span eku[] = { OID_CLIENT_AUTH, OID_IPSEC_IKE };
	uint8_t id[20], ca_id[20];
	BUF names = BUF_INIT;

	must(o, cert_key_id(o->crypto, key_spki(key), id, &o->err), "key identifier");
	must(o, cert_key_id(o->crypto, key_spki(ca), ca_id, &o->err), "key identifier");
	must(o, san_parse_text("DNS:router7.example", &names, &o->err), "DNS");
	ext_put_basic_constraints(out, false, -1);
	ext_put_key_usage(out, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	ext_put_eku(out, eku, ARRAY_LEN(eku), false);
	ext_put_ski(out, SPAN_ARRAY(id));
	ext_put_aki(out, SPAN_ARRAY(ca_id));
	ext_put_san(out, buf_span(&names), false);
	ext_put_crl_distribution_points(out, urls, 2);
	ext_put_authority_info_access(out, urls, 1, urls + 1, 1);
}

/* A CA by one key, and a leaf by it for the other. */
static void make_chain(struct oracle *o, struct key *ca, struct key *key, struct buf *leaf)
{
	BUF name = BUF_INIT;
	BUF ca_exts = BUF_INIT;
	BUF exts = BUF_INIT;
	struct cert_template t = { .serial = SPAN_LIT("\x99\x01"),
				   .sig_alg = sig_alg_for(ca->kind),
				   .not_before = o->now - DAY,
				   .not_after = 4102444800, /* 2100: GeneralizedTime */
				   .spki = key_spki(ca) };

	must(o, name_parse_text("CN=Oracle CA,O=Example,C=DE", &name, &o->err), "name");
	put_ca_exts(o, ca, &ca_exts);
	t.issuer = t.subject = buf_span(&name);
	t.exts = buf_span(&ca_exts);
	must(o, cert_issue(&t, ca, o->crypto, &o->ca, &o->err), "CA");
	save(o, "chain", "ca", &o->ca);
	put_leaf_exts(o, key, ca, &exts);
	t.serial = SPAN_LIT("\x7f\x02");
	t.subject = buf_span(&o->subject);
	t.spki = key_spki(key);
	t.exts = buf_span(&exts);
	must(o, cert_issue(&t, ca, o->crypto, leaf, &o->err), "leaf");
	save(o, "chain", "leaf", leaf);
}

static void make_crl(struct oracle *o, struct key *ca, const char *name,
		     const struct crl_template *what, struct span entries)
{
	struct crl_template t = *what;
	struct cert cert = { 0 };
	BUF out = BUF_INIT;

	must(o, cert_parse(buf_span(&o->ca), &cert, &o->err), "CA");
	t.sig_alg = sig_alg_for(ca->kind);
	t.issuer = cert.subject;
	t.aki = cert_ski(&cert);
	t.this_update = o->now - 60;
	t.next_update = o->now + DAY;
	must(o, crl_issue(&t, entries, ca, o->crypto, &out, &o->err), name);
	save(o, "crl", name, &out);
}

/* The leaf of make_chain is on one list, on hold; the others have not got it. */
static void make_crls(struct oracle *o, struct key *ca)
{
	const struct crl_entry others[] = {
		{ SPAN_LIT("\x01"), o->now - DAY, CRL_UNSPECIFIED, 0 },
		{ SPAN_LIT("\x00\xff\x02"), o->now - DAY, CRL_KEY_COMPROMISE, o->now - 2 * DAY },
	};
	const struct crl_entry leaf = { SPAN_LIT("\x7f\x02"), o->now - 60, CRL_CERTIFICATE_HOLD,
					0 };
	const struct crl_template full = { .number = 300, .delta = "http://pki.example/delta" };
	const struct crl_template delta = { .number = 301, .is_delta = true, .base = 300 };
	const struct crl_template part = { .number = 302, .point = "http://pki.example/a" };
	const struct crl_template other_part = { .number = 303, .point = "http://pki.example/c" };
	BUF list = BUF_INIT;

	crl_put_entry(&list, &others[0]);
	crl_put_entry(&list, &others[1]);
	make_crl(o, ca, "full", &full, buf_span(&list));
	make_crl(o, ca, "part", &part, buf_span(&list));
	make_crl(o, ca, "other_part", &other_part, buf_span(&list));
	make_crl(o, ca, "empty", &full, SPAN_NONE);
	buf_reset(&list);
	crl_put_entry(&list, &leaf);
	make_crl(o, ca, "delta", &delta, buf_span(&list));
	make_crl(o, ca, "revoked", &full, buf_span(&list));
}

static void make_degenerate(struct oracle *o, const struct buf *leaf)
{
	const struct span certs[] = { buf_span(leaf), buf_span(&o->ca) };
	BUF out = BUF_INIT;

	must(o, cms_put_degenerate(&out, certs, 2, NULL, 0, &o->err), "degenerate");
	save(o, "degenerate", "both", &out);
}

static void make_enveloped(struct oracle *o, const struct buf *leaf)
{
	static const enum cipher_alg ciphers[] = { CIPHER_AES128_CBC, CIPHER_AES192_CBC,
						   CIPHER_AES256_CBC, CIPHER_DES_EDE3_CBC };
	static const struct transport_alg transports[] = {
		{ false, DIGEST_NONE, DIGEST_NONE },
		{ true, DIGEST_SHA1, DIGEST_SHA1 },
		{ true, DIGEST_SHA256, DIGEST_SHA256 },
		{ true, DIGEST_SHA256, DIGEST_SHA1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(ciphers); i++) {
		struct cms_envelop e = { span_str(content), ciphers[i], transports[i] };
		BUF to_cert = BUF_INIT;
		BUF to_password = BUF_INIT;

		must(o, cms_envelop_to_cert(&e, o->crypto, buf_span(leaf), &to_cert, &o->err),
		     "EnvelopedData");
		save(o, "enveloped", cipher_name(ciphers[i]), &to_cert);
		must(o,
		     cms_envelop_to_password(&e, o->crypto, span_str(password), &to_password,
					     &o->err),
		     "EnvelopedData");
		save(o, "pwri", cipher_name(ciphers[i]), &to_password);
	}
}

static void make_all(struct oracle *o)
{
	CLEANUP(key_freep) struct key *rsa = NULL;
	BUF leaf = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(specs); i++) {
		CLEANUP(key_freep) struct key *key = NULL;
		BUF cert = BUF_INIT;
		BUF pem = BUF_INIT;
		struct key_spec spec;

		must(o, key_spec_parse(specs[i], &spec, &o->err), specs[i]);
		must(o, key_evp_generate(&key, o->crypto, spec, &o->err), specs[i]);
		must(o, key_evp_export(key, NULL, &pem, &o->err), specs[i]);
		save(o, "key", specs[i], &pem);
		make_csr(o, specs[i], key);
		make_self_signed(o, specs[i], key, &cert);
		make_signed(o, specs[i], key, buf_span(&cert));
		if (spec.kind == KEY_EC_P256) {
			make_chain(o, key, rsa, &leaf);
			make_crls(o, key);
		}
		if (spec.kind == KEY_RSA)
			rsa = take(key);
	}
	make_degenerate(o, &leaf);
	make_enveloped(o, &leaf);
}

int main(int argc, char **argv)
{
	struct oracle o = { .dir = argc == 2 ? argv[1] : NULL, .now = time(NULL) };

	if (!o.dir) {
		(void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 64;
	}
	must(&o, crypto_new(&o.crypto, false, &o.err), "crypto");
	must(&o, name_parse_text("CN=router7,O=Example,C=DE", &o.subject, &o.err), "name");
	make_all(&o);
	buf_clear(&o.subject);
	buf_clear(&o.ca);
	crypto_free(o.crypto);
	return 0;
}
