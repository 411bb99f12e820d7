/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/ca_options.h"

enum result ca_options_device(const struct ca_options *o, struct device **out, struct err *err)
{
	CLEANUP(device_freep) struct device *d = NULL;

	TRY(device_new(&d, o->url, err));
	TRY(device_set_ca_identifier(d, o->identifier, err));
	TRY(device_set_tls_ca_file(d, o->tls_ca, err));
	*out = take(d);
	return OK;
}
