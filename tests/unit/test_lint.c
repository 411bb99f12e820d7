/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/oid.h"
#include "pki/cert.h"
#include "pki/lint.h"
#include "pki/name.h"
#include "pki/san.h"

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* One thing changed in a TBSCertificate that is right; says: what the error names, NULL: none. */
struct row {
	const char *says;
	bool ca;
	enum key_kind key; /* KEY_NONE: as it is, P-256 */
	const char *subject;
	const char *issuer;
	const char *san;         /* text, replaces the one there */
	const struct span *drop; /* an extension left out */
	struct {
		const struct span *oid;
		bool critical;
		const char *value;
	} put; /* an extension more, or another in place of the one of its type */
};

static struct span spki_of(enum key_kind kind, struct buf *der)
{
	const char *file = kind == KEY_RSA       ? "cert_leaf.der"
			   : kind == KEY_ED25519 ? "cert_ed25519.der"
						 : "cert_ca.der";
	struct cert cert;

	*der = unit_vector(file);
	assert_int_equal(cert_parse(buf_span(der), &cert, NULL), OK);
	return cert.spki;
}

static void put_san(struct buf *out, const char *text, bool critical)
{
	BUF names = BUF_INIT;

	assert_int_equal(san_parse_text(text, &names, NULL), OK);
	ext_put_san(out, buf_span(&names), critical);
}

static void put_leaf(struct buf *out, const struct row *row)
{
	const struct span eku[] = { OID_CLIENT_AUTH };

	ext_put_key_usage(out, KU_DIGITAL_SIGNATURE);
	ext_put_eku(out, eku, 1, false);
	put_san(out, row->san ? row->san : "DNS:router7.example", false);
}

static void put_all(struct buf *out, const struct row *row)
{
	ext_put_basic_constraints(out, row->ca, row->ca ? 0 : -1);
	ext_put_ski(out, SPAN_LIT("a key id"));
	ext_put_aki(out, SPAN_LIT("another"));
	if (row->ca)
		ext_put_key_usage(out, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	else
		put_leaf(out, row);
}

static void put_exts(struct buf *out, const struct row *row)
{
	BUF all = BUF_INIT;
	struct der_reader r;
	struct ext ext;

	put_all(&all, row);
	der_reader_init(&r, buf_span(&all));
	while (ext_next(&r, &ext))
		if (!(row->drop && span_eq(ext.oid, *row->drop)) &&
		    !(row->put.oid && span_eq(ext.oid, *row->put.oid)))
			ext_put(out, ext.oid, ext.critical, ext.value);
	if (row->put.oid) {
		BUF value = unit_hex(row->put.value);

		ext_put(out, *row->put.oid, row->put.critical, buf_span(&value));
	}
}

static void build(const struct row *row, struct buf *tbs)
{
	BUF issuer = BUF_INIT;
	BUF subject = BUF_INIT;
	BUF exts = BUF_INIT;
	BUF key = BUF_INIT;
	struct cert_template t = {
		.serial = SPAN_LIT("\x42"),
		.sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
		.not_after = 86400,
		.spki = spki_of(row->key, &key),
	};

	assert_int_equal(name_parse_text(row->issuer ? row->issuer : "CN=CA", &issuer, NULL), OK);
	assert_int_equal(name_parse_text(row->subject ? row->subject : "CN=x,C=DE", &subject, NULL),
			 OK);
	put_exts(&exts, row);
	t.issuer = buf_span(&issuer);
	t.subject = buf_span(&subject);
	t.exts = buf_span(&exts);
	assert_int_equal(cert_build_tbs(&t, tbs, NULL), OK);
}

static void check(const struct row *row)
{
	BUF tbs = BUF_INIT;
	struct err err = { 0 };
	enum result rc;

	build(row, &tbs);
	rc = lint_tbs(buf_span(&tbs), &err);
	if (row->says && !strstr(err_text(&err), row->says))
		fail_msg("\"%s\" does not say \"%s\"", err_text(&err), row->says);
	if (!row->says && rc != OK)
		fail_msg("refused: %s", err_text(&err));
	assert_int_equal(rc, row->says ? ERR_BAD_TEMPLATE : OK);
}

static void check_all(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(&rows[i]);
}

static void names(void **state)
{
	static const struct row rows[] = {
		{ .says = NULL },
		{ .says = "4.1.2.4", .issuer = "" },
		{ .says = "4.1.2.6", .subject = "" },
		{ .says = NULL, .subject = "CN=" X64 },
		{ .says = "commonName of 65", .subject = "CN=" X64 "x" },
		{ .says = "65 characters", .subject = "O=\xc3\xa4" X64 },
		{ .says = NULL, .subject = "L=" X64 X64 },
		{ .says = "localityName of 129", .subject = "L=" X64 X64 "x" },
		{ .says = "countryName", .subject = "CN=x,C=D" },
		{ .says = "countryName", .subject = "CN=x,C=DEU" },
		{ .says = "two letters", .subject = "CN=x,C=D1" },
		{ .says = "in the issuer", .issuer = "C=D1" },
		{ .says = NULL, .subject = "serialNumber=" X64 },
		{ .says = "serialNumber of 65", .subject = "serialNumber=" X64 "x" },
		{ .says = "empty commonName",
		  .put = { &OID_SUBJECT_ALT_NAME, false, "300fa40d300b3109300706035504030c00" } },
		{ .says = "no character string",
		  .put = { &OID_SUBJECT_ALT_NAME, false, "3010a40e300c310a30080603550403040161" } },
	};

	(void)state;
	check_all(rows, ARRAY_LEN(rows));
}

static void alternative_names(void **state)
{
	static const struct row rows[] = {
		{ .says = NULL, .san = "DNS:*.example" },
		{ .says = NULL, .san = "DNS:3com.example" },
		{ .says = "preferred name syntax", .san = "DNS:under_score.example" },
		{ .says = "preferred name syntax", .san = "DNS:-a.example" },
		{ .says = "preferred name syntax", .san = "DNS:a-.example" },
		{ .says = "preferred name syntax", .san = "DNS:a..example" },
		{ .says = "preferred name syntax", .san = "DNS:example." },
		{ .says = "preferred name syntax", .san = "DNS:.example" },
		{ .says = "preferred name syntax", .san = "DNS:*" },
		{ .says = "preferred name syntax", .san = "DNS:a.*.example" },
		{ .says = NULL,
		  .san = "DNS:"
			 "a23456789012345678901234567890123456789012345678901"
			 "234567890123.example" },
		{ .says = "preferred name syntax", .san = "DNS:" X64 ".example" },
		{ .says = NULL, .san = "email:a.b+c@example" },
		{ .says = "local@domain", .san = "email:nobody" },
		{ .says = "local@domain", .san = "email:@example" },
		{ .says = "local@domain", .san = "email:a@" },
		{ .says = "local@domain", .san = "email:a@b@c" },
		{ .says = NULL, .san = "URI:urn:x" },
		{ .says = "absolute", .san = "URI:/relative" },
		{ .says = "absolute", .san = "URI:x:" },
		{ .says = "absolute", .san = "URI::x" },
		{ .says = "absolute", .san = "URI:1x:y" },
		{ .says = NULL, .san = "IP:192.0.2.1" },
		{ .says = NULL, .san = "UPN:a@b" },
		{ .says = "empty directoryName", .san = "dirName:" },
		{ .says = "two letters", .san = "dirName:C=11" },
		{ .says = "without a name", .put = { &OID_SUBJECT_ALT_NAME, false, "3000" } },
		{ .says = "subjectAltName",
		  .put = { &OID_SUBJECT_ALT_NAME, false, "3005 8703 010203" } },
		/* critical goes with an empty subject; a critical one beside a subject is borne */
		{ .says = NULL, .put = { &OID_SUBJECT_ALT_NAME, true, "3003 8201 61" } },
		{ .says = NULL,
		  .subject = "",
		  .put = { &OID_SUBJECT_ALT_NAME, true, "30038201 61" } },
		{ .says = "4.1.2.6", .subject = "", .drop = &OID_SUBJECT_ALT_NAME },
		{ .says = NULL, .drop = &OID_SUBJECT_ALT_NAME },
	};

	(void)state;
	check_all(rows, ARRAY_LEN(rows));
}

static void authorities(void **state)
{
	static const struct row rows[] = {
		{ .says = NULL, .ca = true },
		{ .says = NULL, .ca = true, .subject = "CN=CA", .drop = &OID_AUTHORITY_KEY_ID },
		{ .says = "4.1.2.6", .ca = true, .subject = "" },
		{ .says = "4.2.1.2", .ca = true, .drop = &OID_SUBJECT_KEY_ID },
		{ .says = "without keyCertSign", .ca = true, .drop = &OID_KEY_USAGE },
		{ .says = "without keyCertSign",
		  .ca = true,
		  .put = { &OID_KEY_USAGE, true, "03020102" } },
		{ .says = "4.2.1.9", .ca = true, .drop = &OID_BASIC_CONSTRAINTS },
		{ .says = "not critical",
		  .ca = true,
		  .put = { &OID_BASIC_CONSTRAINTS, false, "30030101ff" } },
		{ .says = "without CA:TRUE",
		  .put = { &OID_BASIC_CONSTRAINTS, true, "3003020100" } },
		{ .says = "keyCertSign without", .put = { &OID_KEY_USAGE, true, "03020204" } },
		{ .says = NULL, .put = { &OID_BASIC_CONSTRAINTS, false, "3000" } },
		{ .says = NULL, .drop = &OID_BASIC_CONSTRAINTS },
		{ .says = "basicConstraints", .put = { &OID_BASIC_CONSTRAINTS, true, "3001" } },
		{ .says = "of no CA", .put = { &OID_NAME_CONSTRAINTS, true, "3000" } },
		{ .says = "not critical",
		  .ca = true,
		  .put = { &OID_NAME_CONSTRAINTS, false, "3000" } },
		{ .says = NULL, .ca = true, .put = { &OID_INHIBIT_ANY_POLICY, true, "020100" } },
		{ .says = "4.2.1.11",
		  .ca = true,
		  .put = { &OID_POLICY_CONSTRAINTS, false, "3003800100" } },
	};

	(void)state;
	check_all(rows, ARRAY_LEN(rows));
}

static void key_identifiers(void **state)
{
	static const struct row rows[] = {
		{ .says = "4.2.1.1", .drop = &OID_AUTHORITY_KEY_ID },
		{ .says = NULL, .issuer = "CN=x,C=DE", .drop = &OID_AUTHORITY_KEY_ID },
		{ .says = "is critical", .put = { &OID_AUTHORITY_KEY_ID, true, "30038001aa" } },
		{ .says = "keyIdentifier", .put = { &OID_AUTHORITY_KEY_ID, false, "3000" } },
		{ .says = "keyIdentifier", .put = { &OID_AUTHORITY_KEY_ID, false, "30028000" } },
		{ .says = NULL, .drop = &OID_SUBJECT_KEY_ID },
		{ .says = "is critical", .put = { &OID_SUBJECT_KEY_ID, true, "0401aa" } },
		{ .says = "4.2.1.2", .put = { &OID_SUBJECT_KEY_ID, false, "0400" } },
		{ .says = "4.2.1.2", .put = { &OID_SUBJECT_KEY_ID, false, "0401aa00" } },
		{ .says = "4.2.1.2", .put = { &OID_SUBJECT_KEY_ID, false, "0201aa" } },
	};

	(void)state;
	check_all(rows, ARRAY_LEN(rows));
}

static void usages(void **state)
{
	static const struct row rows[] = {
		{ .says = NULL, .drop = &OID_KEY_USAGE },
		{ .says = "not critical", .put = { &OID_KEY_USAGE, false, "03020780" } },
		{ .says = "without a bit", .put = { &OID_KEY_USAGE, true, "030100" } },
		{ .says = "keyUsage", .put = { &OID_KEY_USAGE, true, "0300" } },
		{ .says = "4.2", .put = { &OID_KEY_USAGE, true, "0302078000" } },
		/* keyAgreement; with encipherOnly; encipherOnly alone */
		{ .says = NULL, .put = { &OID_KEY_USAGE, true, "03020308" } },
		{ .says = NULL, .put = { &OID_KEY_USAGE, true, "03020009" } },
		{ .says = "without keyAgreement", .put = { &OID_KEY_USAGE, true, "03020001" } },
		/* keyEncipherment, dataEncipherment, keyAgreement by kinds of key */
		{ .says = "RFC 8813", .put = { &OID_KEY_USAGE, true, "03020520" } },
		{ .says = "RFC 8813", .put = { &OID_KEY_USAGE, true, "03020410" } },
		{ .says = NULL, .key = KEY_RSA, .put = { &OID_KEY_USAGE, true, "03020430" } },
		{ .says = "RFC 3279", .key = KEY_RSA, .put = { &OID_KEY_USAGE, true, "03020308" } },
		{ .says = "RFC 8410",
		  .key = KEY_ED25519,
		  .put = { &OID_KEY_USAGE, true, "03020308" } },
		{ .says = NULL, .key = KEY_ED25519, .put = { &OID_KEY_USAGE, true, "03020780" } },
		{ .says = "without a purpose", .put = { &OID_EXT_KEY_USAGE, false, "3000" } },
		{ .says = "4.2.1.12", .put = { &OID_EXT_KEY_USAGE, false, "30020500" } },
		{ .says = NULL, .put = { &OID_EXT_KEY_USAGE, true, "300406022a03" } },
	};

	(void)state;
	check_all(rows, ARRAY_LEN(rows));
}

static void pointers(void **state)
{
	static const struct span *const crl = &OID_CRL_DISTRIBUTION_POINTS;
	static const struct span *const aia = &OID_AUTHORITY_INFO_ACCESS;
	const struct row rows[] = {
		{ .says = NULL, .put = { crl, false, "300b3009a007a0058603613a62" } },
		{ .says = "absolute", .put = { crl, false, "30093007a005a003860161" } },
		{ .says = "without a point", .put = { crl, false, "3000" } },
		{ .says = "4.2.1.13", .put = { crl, false, "30023000" } },
		{ .says = "4.2.1.13", .put = { crl, false, "3006300481020780" } },
		{ .says = "without a name", .put = { crl, false, "30063004a002a000" } },
		{ .says = "DistributionPoint", .put = { crl, false, "30020500" } },
		{ .says = "is critical",
		  .put = { &OID_FRESHEST_CRL, true, "300b3009a007a0058603613a62" } },
		{ .says = NULL, .put = { aia, false, "300b300906022a038603613a62" } },
		{ .says = "is critical", .put = { aia, true, "300b300906022a038603613a62" } },
		{ .says = "absolute", .put = { aia, false, "3009300706022a03860161" } },
		{ .says = "4.2.2.1", .put = { aia, false, "3000" } },
		{ .says = "4.2.2.1", .put = { aia, false, "3006300406022a03" } },
		{ .says = "4.2.2.1", .put = { aia, false, "300d300b06022a038603613a620500" } },
	};

	(void)state;
	check_all(rows, ARRAY_LEN(rows));
}

#define V3 "a003020102"
#define SERIAL "020142"
#define ECDSA "300a06082a8648ce3d040302"
#define DAYS "301e170d3730303130313030303030305a170d3730303130323030303030305a"

/* The fields around subject and key, in hexadecimal; bare: no extensions. */
static const struct fields {
	const char *says;
	const char *version;
	const char *serial;
	const char *sig;
	const char *validity;
	const char *behind; /* the key */
	bool bare;
} fields[] = {
	{ NULL, V3, SERIAL, ECDSA, DAYS, "" },
	{ NULL, "", SERIAL, ECDSA, DAYS, "", .bare = true },
	{ "4.1.2.1", "", SERIAL, ECDSA, DAYS, "" },
	{ "4.1.2.1", "a003020101", SERIAL, ECDSA, DAYS, "" },
	{ "4.1.2.8", "a003020102", SERIAL, ECDSA, DAYS, "82020041" },
	{ "negative", V3, "0201ff", ECDSA, DAYS, "" },
	{ "zero", V3, "020100", ECDSA, DAYS, "" },
	{ "minimal", V3, "02020001", ECDSA, DAYS, "" },
	{ NULL, V3, "02147fffffffffffffffffffffffffffffffffffffff", ECDSA, DAYS, "" },
	{ "21 octets", V3, "021500ffffffffffffffffffffffffffffffffffffffff", ECDSA, DAYS, "" },
	{ "4.1", V3, "0200", ECDSA, DAYS, "" },
	/* rsaEncryption, RSASSA-PSS */
	{ "4.1.2.3", V3, SERIAL, "300d06092a864886f70d0101010500", DAYS, "" },
	{ "4.1.2.3", V3, SERIAL, "300d06092a864886f70d01010a0500", DAYS, "" },
	/* notAfter first; a GeneralizedTime of 2049, a UTCTime of 2049 is right */
	{ "is before notBefore", V3, SERIAL, ECDSA,
	  "301e170d3730303130323030303030305a170d3730303130313030303030305a", "" },
	{ "UTCTime", V3, SERIAL, ECDSA,
	  "3020170d3730303130313030303030305a180f32303439303130313030303030305a", "" },
	{ NULL, V3, SERIAL, ECDSA,
	  "3020170d3730303130313030303030305a180f32303530303130313030303030305a", "" },
	{ "4.1", V3, SERIAL, ECDSA, "301c170b373030313031303030305a170d3730303130323030303030305a",
	  "" },
};

static void put_hex(struct buf *out, const char *digits)
{
	assert_int_equal(hex_parse(span_str(digits), out, NULL), OK);
}

static void put_fields(struct buf *out, const struct fields *f, const struct cert *rest)
{
	size_t seq = der_open(out, DER_SEQUENCE), mark;

	put_hex(out, f->version);
	put_hex(out, f->serial);
	put_hex(out, f->sig);
	buf_put(out, rest->issuer);
	put_hex(out, f->validity);
	buf_put(out, rest->subject);
	buf_put(out, rest->spki);
	put_hex(out, f->behind);
	if (!f->bare) {
		mark = der_open(out, DER_CONTEXT_CONS(3));
		der_put_tlv(out, DER_SEQUENCE, rest->exts);
		der_close(out, mark);
	}
	der_close(out, seq);
}

static void plain_fields(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(fields); i++) {
		BUF good = BUF_INIT;
		BUF tbs = BUF_INIT;
		struct err err = { 0 };
		struct cert cert;

		/* self-signed, so that the bare one needs no authorityKeyIdentifier */
		build(&(struct row){ .issuer = "CN=x,C=DE" }, &good);
		assert_int_equal(cert_parse_tbs(buf_span(&good), &cert, NULL), OK);
		put_fields(&tbs, &fields[i], &cert);
		assert_int_equal(lint_tbs(buf_span(&tbs), &err),
				 fields[i].says ? ERR_BAD_TEMPLATE : OK);
		if (fields[i].says && !strstr(err_text(&err), fields[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err_text(&err), fields[i].says);
	}
}

static void no_extension_twice(void **state)
{
	BUF good = BUF_INIT;
	BUF exts = BUF_INIT;
	BUF tbs = BUF_INIT;
	struct err err = { 0 };
	struct cert cert;

	(void)state;
	build(&(struct row){ 0 }, &good);
	assert_int_equal(cert_parse_tbs(buf_span(&good), &cert, NULL), OK);
	buf_put(&exts, cert.exts);
	ext_put_key_usage(&exts, KU_DIGITAL_SIGNATURE);
	struct cert_template t = { SPAN_LIT("\x01"),
				   { KEY_EC_P256, DIGEST_SHA256 },
				   cert.issuer,
				   0,
				   1,
				   cert.subject,
				   cert.spki,
				   buf_span(&exts) };
	assert_int_equal(cert_build_tbs(&t, &tbs, NULL), OK);
	assert_int_equal(lint_tbs(buf_span(&tbs), &err), ERR_BAD_TEMPLATE);
	assert_non_null(strstr(err_text(&err), "keyUsage"));
}

/* By python3-cryptography and openssl. */
static void what_others_made(void **state)
{
	static const struct {
		const char *file;
		const char *says;
	} rows[] = {
		{ "cert_ca.der", NULL },       { "cert_leaf.der", NULL },
		{ "cert_ed25519.der", NULL },  { "cert_rsa_sha1.der", NULL },
		{ "cert_v1.der", "negative" }, { "cert_v2.der", "4.1.2.8" },
		{ "cert_pss.der", "4.1.2.3" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		struct err err = { 0 };
		struct cert cert;

		assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
		assert_int_equal(lint_tbs(cert.tbs, &err), rows[i].says ? ERR_BAD_TEMPLATE : OK);
		if (rows[i].says)
			assert_non_null(strstr(err_text(&err), rows[i].says));
	}
}

static enum result parse(struct span der)
{
	return lint_tbs(der, NULL);
}

static void hostile(void **state)
{
	BUF tbs = BUF_INIT;

	(void)state;
	build(&(struct row){ .key = KEY_RSA }, &tbs);
	unit_refuses_cuts(buf_span(&tbs), parse);
	unit_survives_flips(buf_span(&tbs), parse);
}

static void registration_authorities(void **state)
{
	static const struct {
		const char *file;
		bool signs;
		bool decrypts;
		const char *says;
	} rows[] = {
		{ "cert_leaf.der", true, true, NULL },
		{ "cert_ca.der", true, false, "digitalSignature" },
		{ "cert_ca.der", false, true, "not RSA" },
		{ "cert_ca.der", false, false, NULL },
		{ "cert_rsa_sha1.der", true, true, "keyUsage" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		struct err err = { 0 };

		assert_int_equal(lint_ra(buf_span(&der), rows[i].signs, rows[i].decrypts, &err),
				 rows[i].says ? ERR_BAD_TEMPLATE : OK);
		if (rows[i].says)
			assert_non_null(strstr(err_text(&err), rows[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(alternative_names),
		cmocka_unit_test(authorities),
		cmocka_unit_test(key_identifiers),
		cmocka_unit_test(usages),
		cmocka_unit_test(pointers),
		cmocka_unit_test(plain_fields),
		cmocka_unit_test(no_extension_twice),
		cmocka_unit_test(what_others_made),
		cmocka_unit_test(hostile),
		cmocka_unit_test(registration_authorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
