/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints of protocol ocsp: struct ocsp_endpoint made of them. */
#include "base/clock.h"
#include "config/build.h"

#define VALIDITY 3600
#define CERTIFICATES 32
#define VALIDITY_MAX (30 * 86400)

static void complain(struct config_build *b, size_t i, const char *setting, const char *text)
{
	char place[CONFIG_PLACE];

	config_yaml_complain(&b->yaml, config_place(place, "endpoints[%zu].%s", i, setting), "%s",
			     text);
}

static void read_validity(struct config_build *b, size_t i, const char *text, int64_t *out)
{
	struct err err = { 0 };

	if (text && clock_parse_duration(text, out, &err) != OK)
		complain(b, i, "ocsp.validity", err_text(&err));
	else if (*out < 60 || *out > VALIDITY_MAX)
		complain(b, i, "ocsp.validity", "must be a minute at least and 30d at most");
}

void config_build_ocsp(struct config_build *b, size_t i)
{
	const struct file_endpoint *f = &b->file->endpoints[i];
	struct ocsp_endpoint *e = &b->config->endpoints[i].ocsp;

	*e = (struct ocsp_endpoint){ .name = f->name, .validity = VALIDITY, .most = CERTIFICATES };
	if (!f->ocsp)
		return;
	read_validity(b, i, f->ocsp->validity, &e->validity);
	e->revoke_unissued = f->ocsp->unissued == FILE_UNISSUED_REVOKED;
	if (f->ocsp->certificates)
		e->most = *f->ocsp->certificates;
	if (e->most < 1 || e->most > OCSP_CERTS_MAX)
		complain(b, i, "ocsp.certificates", "must be 1 to 100");
	e->by_name = f->ocsp->responder_id == FILE_RESPONDER_NAME;
}
