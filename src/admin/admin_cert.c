/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/call.h"
#include "admin/cert_json.h"
#include "admin/page.h"
#include "base/hex.h"

json_t *admin_cert_json(const struct store_cert *c, bool with_pem)
{
	json_t *o = json_pack(
	    "{s:I, s:o, s:s, s:i, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "id", (json_int_t)c->id,
	    "serial", admin_call_json_hex(buf_span(&c->serial)), "ca", c->ca, "generation",
	    (int)c->generation, "subject", admin_call_json_text(buf_span(&c->subject)), "profile",
	    c->profile, "endpoint", c->endpoint, "transaction",
	    admin_call_json_text(buf_span(&c->transaction)), "not_before",
	    admin_call_json_time(c->not_before), "not_after", admin_call_json_time(c->not_after),
	    "issued", admin_call_json_time(c->issued));

	if (o && with_pem)
		(void)json_object_set_new(o, "certificate",
					  admin_call_json_pem("CERTIFICATE", buf_span(&c->der)));
	return o;
}

/* To a certificate as admin_cert_json tells it. */
static RESULT add_status(struct store *store, json_t *cert, struct err *err)
{
	const char *ca = json_string_value(json_object_get(cert, "ca"));
	const char *text = json_string_value(json_object_get(cert, "serial"));
	struct store_status status = { 0 };
	BUF serial = BUF_INIT;
	json_t *fields;

	TRY(hex_parse(span_str(text), &serial, err));
	TRY(store_find_status(store, ca ? ca : "", buf_span(&serial), &status, err));
	fields = admin_cert_status_json(&status);
	(void)json_object_update(cert, fields);
	json_decref(fields);
	return OK;
}

enum result admin_cert_add_status(struct store *store, json_t *certs, struct err *err)
{
	json_t *cert;
	size_t i;

	json_array_foreach(certs, i, cert) TRY(add_status(store, cert, err));
	return OK;
}

enum result admin_cert_read_serial(const struct admin_call *call, struct buf *out, struct err *err)
{
	enum result r = hex_parse(buf_span(&call->arg), out, err);

	if (r == OK && out->len == 0)
		r = err_set(err, ERR_BAD_REQUEST, "no digits");
	return r == OK ? OK
		       : err_prefix(err, ERR_BAD_REQUEST, "serial number \"%.64s\"",
				    admin_call_arg(call));
}

/* ---- lists ---- */

static enum result collect(void *ctx, const struct store_cert *c, struct err *err)
{
	struct admin_page *page = ctx;

	if (!admin_page_has_room(page))
		return OK;
	return admin_page_add(page, admin_cert_json(c, false), err, "%lld", (long long)c->id);
}

/* Texts that a filter points into. */
struct wanted {
	struct buf ca;
	struct buf subject;
	struct buf serial_text;
	struct buf serial;
	struct buf transaction;
};

static void wanted_clear(struct wanted *w)
{
	buf_clear(&w->ca);
	buf_clear(&w->subject);
	buf_clear(&w->serial_text);
	buf_clear(&w->serial);
	buf_clear(&w->transaction);
}

static RESULT read_filter(const struct admin_call *call, struct wanted *w,
			  struct store_cert_filter *filter, struct err *err)
{
	bool ca, subject, serial, transaction;

	TRY(admin_call_query(call, "ca", &w->ca, &ca, err));
	TRY(admin_call_query(call, "subject", &w->subject, &subject, err));
	TRY(admin_call_query(call, "serial", &w->serial_text, &serial, err));
	TRY(admin_call_query(call, "transaction", &w->transaction, &transaction, err));
	TRY(hex_parse(buf_span(&w->serial_text), &w->serial, err));
	filter->ca = ca ? (const char *)w->ca.data : NULL;
	filter->subject = subject ? (const char *)w->subject.data : NULL;
	filter->serial = buf_span(&w->serial);
	filter->transaction = buf_span(&w->transaction);
	return OK;
}

enum result admin_cert_list(struct admin_call *call, struct err *err)
{
	CLEANUP(admin_page_clear) struct admin_page page = { 0 };
	CLEANUP(wanted_clear) struct wanted wanted = { 0 };
	struct store_cert_filter filter = { 0 };

	TRY(admin_page_open(&page, call, "certs", err));
	TRY(admin_page_number(&page, &filter.before_id, err));
	TRY(read_filter(call, &wanted, &filter, err));
	filter.limit = admin_page_ask(&page);
	TRY(store_each_cert(call->api->store, &filter, collect, &page, err));
	TRY(admin_cert_add_status(call->api->store, page.rows, err));
	return admin_page_answer(call, &page, err);
}

/* ---- one ---- */

/* Two CAs may have given out the same serial number: then ?ca= says which is meant. */
static RESULT take_only(struct admin_call *call, json_t *list, struct err *err)
{
	if (json_array_size(list) == 0)
		return err_set(err, ERR_NOT_FOUND, "no certificate has the serial number %.64s",
			       admin_call_arg(call));
	if (json_array_size(list) > 1)
		return err_set(
		    err, ERR_CONFLICT,
		    "several CAs have issued the serial number %.64s: say which is meant",
		    admin_call_arg(call));
	return admin_call_answer(call, json_incref(json_array_get(list, 0)), err);
}

static enum result collect_whole(void *ctx, const struct store_cert *c, struct err *err)
{
	return json_array_append_new(ctx, admin_cert_json(c, true)) == 0 ? OK : err_nomem(err);
}

enum result admin_cert_show(struct admin_call *call, struct err *err)
{
	struct store_cert_filter filter = { .limit = 2 };
	json_t *list;
	BUF serial = BUF_INIT;
	BUF ca = BUF_INIT;
	bool given = false;
	enum result r;

	TRY(admin_cert_read_serial(call, &serial, err));
	TRY(admin_call_query(call, "ca", &ca, &given, err));
	filter.serial = buf_span(&serial);
	filter.ca = given ? (const char *)ca.data : NULL;
	list = json_array();
	r = store_each_cert(call->api->store, &filter, collect_whole, list, err);
	if (r == OK)
		r = take_only(call, list, err);
	json_decref(list);
	return r == OK ? add_status(call->api->store, call->answer, err) : r;
}
