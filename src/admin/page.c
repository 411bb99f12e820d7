/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/page.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hex.h"

#define PAGE 100

/* In hexadecimal "NAME:POSITION". */
static RESULT read_cursor(struct admin_page *p, struct span text, struct err *err)
{
	BUF bytes = BUF_INIT;
	size_t colon;

	if (hex_parse(text, &bytes, NULL) == OK) {
		colon = span_find(buf_span(&bytes), ':');
		if (colon < bytes.len && !memchr(bytes.data, 0, bytes.len) &&
		    span_eq_str(span_of(bytes.data, colon), p->name)) {
			buf_put(&p->from, span_sub(buf_span(&bytes), colon + 1, SIZE_MAX));
			p->continued = true;
			return buf_cstr(&p->from) ? OK : err_nomem(err);
		}
	}
	return err_set(err, ERR_BAD_REQUEST,
		       "cursor: not one that this list gave out as \"next\"; begin without");
}

enum result admin_page_open(struct admin_page *p, const struct admin_call *call, const char *name,
			    struct err *err)
{
	BUF cursor = BUF_INIT;
	bool given = false;
	int64_t limit;

	*p = (struct admin_page){ .name = name };
	TRY(admin_call_query_number(call, "limit", PAGE, &limit, err));
	if (limit < 1 || limit > ADMIN_PAGE_MAX)
		return err_set(err, ERR_BAD_REQUEST, "limit: %lld is not within 1 to %d",
			       (long long)limit, ADMIN_PAGE_MAX);
	p->limit = (unsigned)limit;
	TRY(admin_call_query(call, "cursor", &cursor, &given, err));
	if (given)
		TRY(read_cursor(p, buf_span(&cursor), err));
	p->rows = json_array();
	return p->rows ? OK : err_nomem(err);
}

void admin_page_clear(struct admin_page *p)
{
	json_decref(p->rows);
	buf_clear(&p->from);
	buf_clear(&p->position);
}

enum result admin_page_number(const struct admin_page *p, int64_t *out, struct err *err)
{
	char *end = NULL;
	long long n;

	if (!p->continued) {
		*out = 0;
		return OK;
	}
	errno = 0;
	n = strtoll((const char *)p->from.data, &end, 10);
	if (errno || *end || n < 1)
		return err_set(err, ERR_BAD_REQUEST, "cursor: was changed; begin without");
	*out = n;
	return OK;
}

unsigned admin_page_ask(const struct admin_page *p)
{
	return p->limit + 1;
}

bool admin_page_is_behind(struct admin_page *p, const char *position)
{
	if (!p->continued)
		return true;
	p->continued = !span_eq_str(buf_span(&p->from), position);
	return false;
}

bool admin_page_has_room(struct admin_page *p)
{
	p->more = json_array_size(p->rows) >= p->limit;
	return !p->more;
}

enum result admin_page_add(struct admin_page *p, json_t *row, struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (json_array_append_new(p->rows, row) != 0)
		return err_nomem(err);
	buf_reset(&p->position);
	va_start(ap, fmt);
	buf_vprintf(&p->position, fmt, ap);
	va_end(ap);
	return buf_check(&p->position, err);
}

json_t *admin_page_cursor(const struct admin_page *p, struct span position)
{
	BUF plain = BUF_INIT;

	buf_printf(&plain, "%s:", p->name);
	buf_put(&plain, position);
	return plain.failed ? NULL : admin_call_json_hex(buf_span(&plain));
}

enum result admin_page_answer(struct admin_call *call, struct admin_page *p, struct err *err)
{
	json_t *next = p->more ? admin_page_cursor(p, buf_span(&p->position)) : json_null();

	return admin_call_answer(call, json_pack("{s:O, s:o}", p->name, p->rows, "next", next),
				 err);
}
