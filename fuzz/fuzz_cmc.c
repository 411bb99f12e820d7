/* SPDX-License-Identifier: Apache-2.0 */
/* A Full PKI Request, with CRMF in it and all controls that have a codec, and a PKIResponse, which
 * is put and read again. */
#include <stdlib.h>

#include "cmc/pki_data.h"
#include "cmc/pki_response.h"
#include "cmc/shared_secret.h"
#include "der/ber.h"
#include "pki/cms_signed.h"
#include "pki/crmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_controls(const struct cmc_pki_data *data)
{
	struct cmc_get_cert cert;
	struct cmc_get_crl crl;
	struct cmc_revoke revoke;
	struct cmc_witness witness;
	struct der_tlv value;
	size_t i;

	for (i = 0; i < data->controls.n; i++) {
		const struct cmc_control *control = &data->controls.list[i];

		(void)!cmc_get_cert_read(control, &cert, NULL);
		(void)!cmc_get_crl_read(control, &crl, NULL);
		(void)!cmc_revoke_read(control, &revoke, NULL);
		if (cmc_control_value(control, "control", &value, NULL) != OK)
			continue;
		(void)!cmc_witness_read_v1(value.whole, "witness", &witness, NULL);
		(void)!cmc_witness_read_v2(value.whole, "witness", &witness, NULL);
	}
}

static void read_requests(const struct cmc_pki_data *data)
{
	struct crmf crmf;
	struct csr csr;
	size_t i;

	for (i = 0; i < data->n_requests; i++) {
		BUF spki = BUF_INIT;

		if (data->requests[i].kind == CMC_CRMF &&
		    crmf_parse(data->requests[i].body, &crmf, NULL) == OK)
			(void)!crmf_to_csr(&crmf, &spki, &csr, NULL);
	}
}

static void read_response(struct span content)
{
	struct cmc_pki_response response, again;
	BUF put = BUF_INIT;

	if (cmc_pki_response_parse(content, &response, NULL) != OK)
		return;
	cmc_pki_response_put(&put, &response);
	if (!put.failed && cmc_pki_response_parse(buf_span(&put), &again, NULL) != OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_of(data, size);
	struct cmc_pki_data pki_data;
	struct cms_signed sd;
	bool was_der = false;
	BUF der = BUF_INIT;

	if (ber_to_der(message, &BER_LIMITS_DEFAULT, &der, &was_der, NULL) != OK ||
	    cms_signed_parse(was_der ? message : buf_span(&der), &sd, NULL) != OK)
		return 0;
	if (cmc_pki_data_parse(sd.content, &pki_data, NULL) == OK) {
		read_controls(&pki_data);
		read_requests(&pki_data);
	}
	read_response(sd.content);
	return 0;
}
