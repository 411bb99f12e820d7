/* SPDX-License-Identifier: Apache-2.0 */
/* The revocation lists that the CAs publish. */
#include <stdio.h>

#include "admin/page.h"
#include "base/hex.h"
#include "ca/crl_publisher.h"
#include "pki/pem.h"

#define EXPORT_MAX (8u << 20)

static json_t *list_json(const struct store_crl *crl)
{
	return json_pack("{s:s, s:i, s:s, s:b, s:I, s:o, s:o, s:I, s:I, s:o}", "ca", crl->ca,
			 "generation", (int)crl->generation, "part", crl->scope, "delta",
			 (int)crl->is_delta, "number", (json_int_t)crl->number, "this_update",
			 admin_call_json_time(crl->this_update), "next_update",
			 admin_call_json_time(crl->next_update), "entries",
			 (json_int_t)crl->entries, "bytes", (json_int_t)crl->size, "sha256",
			 admin_call_json_hex(SPAN_ARRAY(crl->sha256)));
}

static enum result collect(void *ctx, const struct store_crl *crl, struct err *err)
{
	struct admin_page *page = ctx;
	char position[2 * STORE_NAME_MAX + 24];

	(void)snprintf(position, sizeof(position), "%s/%u/%s/%d", crl->ca, crl->generation,
		       crl->scope, crl->is_delta);
	if (!admin_page_is_behind(page, position) || !admin_page_has_room(page))
		return OK;
	return admin_page_add(page, list_json(crl), err, "%s", position);
}

static RESULT answer_lists(struct admin_call *call, const char *ca, struct err *err)
{
	CLEANUP(admin_page_clear) struct admin_page page = { 0 };

	TRY(admin_page_open(&page, call, "crls", err));
	TRY(store_each_crl(call->api->store, ca, collect, &page, err));
	return admin_page_answer(call, &page, err);
}

enum result admin_crl_list(struct admin_call *call, struct err *err)
{
	BUF ca = BUF_INIT;
	bool given = false;

	TRY(admin_call_query(call, "ca", &ca, &given, err));
	return answer_lists(call, given ? (const char *)ca.data : NULL, err);
}

static RESULT check_publisher(const struct admin_call *call, struct err *err)
{
	return call->api->publisher ? OK : err_set(err, ERR_NOT_FOUND, "no revocation lists here");
}

enum result admin_crl_rebuild(struct admin_call *call, struct err *err)
{
	TRY(check_publisher(call, err));
	TRY(crl_publisher_rebuild(call->api->publisher, admin_call_arg(call), call->c, err));
	return answer_lists(call, admin_call_arg(call), err);
}

static RESULT answer_pem(struct admin_call *call, const struct crl_file *file, struct err *err)
{
	BUF pem = BUF_INIT;
	json_t *o;

	if (file->der.len > EXPORT_MAX)
		return err_set(err, ERR_LIMIT,
			       "the list has %zu bytes, %u can be exported here: fetch it from "
			       "its endpoint",
			       file->der.len, EXPORT_MAX);
	pem_put(&pem, "X509 CRL", file->der);
	TRY(buf_check(&pem, err));
	o = list_json(&file->record);
	if (o)
		(void)json_object_set_new(o, "crl", json_stringn((const char *)pem.data, pem.len));
	return admin_call_answer(call, o, err);
}

static enum result take_generation(void *arg, const struct authority_ca *ca, UNUSED struct err *err)
{
	*(unsigned *)arg = ca->generation;
	return OK;
}

enum result admin_crl_show(struct admin_call *call, struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *file = NULL;
	struct span list = SPAN_LIT("full.crl");
	unsigned generation = 1;
	BUF name = BUF_INIT;
	bool given = false;

	TRY(check_publisher(call, err));
	TRY(admin_call_query(call, "list", &name, &given, err));
	if (given)
		list = crl_plan_split(buf_span(&name), &generation);
	else
		TRY(call->api->with_ca(call->api->ctx, admin_call_arg(call), take_generation,
				       &generation, err));
	file = crl_publisher_get(call->api->publisher, admin_call_arg(call), generation, list);
	if (!file)
		return err_set(err, ERR_NOT_FOUND, "CA \"%.64s\" publishes no such list",
			       admin_call_arg(call));
	return answer_pem(call, file, err);
}
