/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

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

/* text, or text/2; NULL stays NULL. */
static char *of_generation(const char *text, unsigned generation)
{
	char *made = NULL;

	if (!text)
		return NULL;
	if (generation < 2)
		return strdup(text);
	return asprintf(&made, "%s/%u", text, generation) < 0 ? NULL : made;
}

enum result crl_plan_copy(const struct crl_plan *plan, unsigned generation, struct crl_plan *out,
			  struct err *err)
{
	struct crl_plan copy = *plan;

	copy.ca = of_generation(plan->ca, 0);
	copy.directory = of_generation(plan->directory, generation);
	copy.url = of_generation(plan->url, generation);
	if (!copy.ca || !copy.directory || (plan->url && !copy.url)) {
		crl_plan_clear(&copy);
		return err_nomem(err);
	}
	*out = copy;
	return OK;
}

void crl_plan_clear(struct crl_plan *copy)
{
	free((void *)(uintptr_t)copy->ca);
	free((void *)(uintptr_t)copy->directory);
	free((void *)(uintptr_t)copy->url);
	*copy = (struct crl_plan){ 0 };
}

#define GENERATION_DIGITS 4

struct span crl_plan_split(struct span name, unsigned *generation)
{
	size_t i = 0;
	unsigned n = 0;

	*generation = 1;
	for (; i < name.len && i < GENERATION_DIGITS && name.p[i] >= '0' && name.p[i] <= '9'; i++)
		n = n * 10 + (unsigned)(name.p[i] - '0');
	if (i == 0 || i == name.len || name.p[i] != '/' || n < 2 || name.p[0] == '0')
		return name;
	*generation = n;
	return span_sub(name, i + 1, SIZE_MAX);
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
