/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ca/crl_make.h"

void crl_plan_name(size_t list, char out[CRL_NAME_MAX])
{
	if (list >= CRL_FIRST_PART)
		(void)snprintf(out, CRL_NAME_MAX, "%u.crl", (unsigned)(list - CRL_FIRST_PART));
	else
		(void)snprintf(out, CRL_NAME_MAX, "%s.crl", list == CRL_DELTA ? "delta" : "full");
}

size_t crl_plan_find(const struct crl_plan *plan, struct span name)
{
	char text[CRL_NAME_MAX];
	size_t i;

	for (i = 0; i < crl_plan_lists(plan); i++) {
		crl_plan_name(i, text);
		if (span_eq_str(name, text) && (i != CRL_DELTA || plan->delta_interval))
			return i;
	}
	return SIZE_MAX;
}

void crl_plan_scope(const struct crl_plan *plan, size_t list, char out[STORE_SCOPE_MAX])
{
	if (list >= CRL_FIRST_PART)
		(void)snprintf(out, STORE_SCOPE_MAX, "%u/%u", (unsigned)(list - CRL_FIRST_PART),
			       plan->parts);
	else
		out[0] = '\0';
}

unsigned crl_plan_part(struct span serial, unsigned parts)
{
	struct span end = span_sub(serial, serial.len > 4 ? serial.len - 4 : 0, 4);
	uint32_t v = 0;
	size_t i;

	for (i = 0; i < end.len; i++)
		v = v << 8 | end.p[i];
	return parts ? v % parts : 0;
}
