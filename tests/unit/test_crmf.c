/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate requests in CRMF (RFC 4211). */
#include "unit.h"

#include "base/hex.h"
#include "der/oid.h"
#include "pki/crmf.h"
#include "pki/name.h"

/* Content of a CertReqMsg for CN=crmf and a P-256 key, by tests/lib/cmc_peer.py and Python's
 * cryptography. */
static const char signed_by_peer[] =
    "3074020200c9306ea511300f310d300b06035504030c0463726d66a659301306072a8648ce3d0201"
    "06082a8648ce3d0301070342000426efcebd0ee9e34a669187e18b3a9122b2f733945b649cc9f9f9"
    "21e9f9dad81290238bde9cc7bb330d150c67704dd25ae7055205744b6f31bf4070745872d0e6a157"
    "300a06082a8648ce3d0403020349003046022100fd88b66a9ba73a50aed7653ca10f7ec7268843fb"
    "b3dd42ae18536ff50b171004022100f9b39ee39f6bc475f59aff24d101a6a90a669f86d3dfbd8830"
    "288f38fda2b40c";

#define NAME "a50e 300c 310a 3008 0603550403 0c0141"
#define KEY "a602 0500"

static void from_hex(const char *hex, struct buf *out)
{
	assert_int_equal(hex_parse(span_str(hex), out, NULL), OK);
}

static void requests_of_all_sorts(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		enum result want;
		enum crmf_pop pop;
		enum result as_csr;
	} rows[] = {
		{ "nothing but a number", "3005 020101 3000", OK, CRMF_POP_NONE, ERR_BAD_REQUEST },
		{ "a name alone", "3015 020101 3010" NAME, OK, CRMF_POP_NONE, ERR_BAD_REQUEST },
		{ "no proof", "3019 020101 3014" NAME KEY, OK, CRMF_POP_NONE, ERR_BAD_POP },
		{ "the word of an RA", "3019 020101 3014" NAME KEY "8000", OK, CRMF_POP_RA_VERIFIED,
		  ERR_BAD_POP },
		{ "a signature", "3019 020101 3014" NAME KEY "a106 3000 030200aa", OK,
		  CRMF_POP_SIGNATURE, OK },
		{ "over an input", "3019 020101 3014" NAME KEY "a108 a000 3000 030200aa", OK,
		  CRMF_POP_INPUT, ERR_BAD_POP },
		{ "encrypted", "3019 020101 3014" NAME KEY "a203 810100", OK, CRMF_POP_OTHER,
		  ERR_BAD_POP },
		{ "a negative number", "3019 0201ff 3014" NAME KEY "a106 3000 030200aa", OK,
		  CRMF_POP_SIGNATURE, OK },
		{ "what the CA chooses", "301e 020101 3019 800102 8100" NAME KEY, OK, CRMF_POP_NONE,
		  ERR_BAD_POP },
		{ "controls", "3007 020101 3000 3000", OK, CRMF_POP_NONE, ERR_BAD_REQUEST },
		{ "regInfo", "3005 020101 3000 3000", OK, CRMF_POP_NONE, ERR_BAD_REQUEST },
		{ "empty", "", ERR_SYNTAX },
		{ "no template", "3003 020101", ERR_SYNTAX },
		{ "no number", "3002 3000", ERR_SYNTAX },
		{ "twice the name", "3025 020101 3020" NAME NAME, ERR_SYNTAX },
		{ "out of order", "3019 020101 3014" KEY NAME, ERR_SYNTAX },
		{ "an eleventh field", "3007 020101 3002 8a00", ERR_SYNTAX },
		{ "no field at all", "3007 020101 3002 0500", ERR_SYNTAX },
		{ "a name that is none", "3009 020101 3004 a502 0500", ERR_SYNTAX },
		{ "two names in one", "3017 020101 3012 a510 300c 310a 3008 0603550403 0c0141 3000",
		  ERR_SYNTAX },
		{ "extensions that are none", "3009 020101 3004 a902 0500", ERR_SYNTAX },
		{ "more than controls", "3009 020101 3000 3000 0500", ERR_SYNTAX },
		{ "a signature that is short", "3005 020101 3000 a102 3000", ERR_SYNTAX },
		{ "half an octet signed", "3005 020101 3000 a106 3000 030204a0", ERR_SYNTAX },
		{ "more than regInfo", "3005 020101 3000 3000 3000", ERR_SYNTAX },
		{ "a large tag", "3008 020101 3003 bf8100", ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct crmf m = { .pop = CRMF_POP_OTHER };
		struct csr csr = { .sig_id = SPAN_NONE };
		enum result r;
		BUF der = BUF_INIT;
		BUF spki = BUF_INIT;

		from_hex(rows[i].hex, &der);
		r = crmf_parse(buf_span(&der), &m, NULL);
		if (r != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_name(r));
		if (r != OK)
			continue;
		assert_int_equal(m.pop, rows[i].pop);
		r = crmf_to_csr(&m, &spki, &csr, NULL);
		if (r != rows[i].as_csr)
			fail_msg("%s, as PKCS#10: %s", rows[i].what, err_name(r));
	}
}

static void its_signature_is_checked_as_that_of_pkcs10(void **state)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct crmf m;
	struct csr csr;
	BUF der = BUF_INIT;
	BUF spki = BUF_INIT;
	BUF name = BUF_INIT;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	from_hex(signed_by_peer, &der);
	assert_int_equal(crmf_parse(buf_span(&der), &m, NULL), OK);
	assert_int_equal(crmf_to_csr(&m, &spki, &csr, NULL), OK);
	assert_int_equal(name_put_text(&name, csr.subject, NULL), OK);
	assert_string_equal(buf_cstr(&name), "CN=crmf");
	assert_int_equal(csr_verify(&csr, c, NULL), OK);
	der.data[m.cert_req.p - der.data + 10] ^= 1;
	assert_int_equal(csr_verify(&csr, c, NULL), ERR_BAD_POP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_all_sorts),
		cmocka_unit_test(its_signature_is_checked_as_that_of_pkcs10),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
