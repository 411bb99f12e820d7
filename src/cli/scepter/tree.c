/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/tree.h"

#include "base/clock.h"
#include "base/hex.h"
#include "der/oid.h"
#include "pki/name.h"

enum result tree_init(struct tree *t, struct err *err)
{
	t->root = json_object();
	t->failed = false;
	return t->root ? OK : err_nomem(err);
}

void tree_clear(struct tree *t)
{
	json_decref(t->root);
	t->root = NULL;
}

void tree_set(struct tree *t, json_t *at, const char *name, json_t *value)
{
	if (!at || json_object_set_new(at, name, value) != 0)
		t->failed = true;
}

json_t *tree_node(struct tree *t, json_t *at, const char *name)
{
	json_t *node = json_object();

	tree_set(t, at, name, node);
	return t->failed ? NULL : node;
}

json_t *tree_list(struct tree *t, json_t *at, const char *name)
{
	json_t *list = json_array();

	tree_set(t, at, name, list);
	return t->failed ? NULL : list;
}

json_t *tree_append(struct tree *t, json_t *list)
{
	json_t *node = json_object();

	if (!list || json_array_append_new(list, node) != 0)
		t->failed = true;
	return t->failed ? NULL : node;
}

/* Of bytes that may be no UTF-8, and then are shown as "0x..". */
static json_t *text_of(struct span text)
{
	json_t *value = json_stringn(text.len ? (const char *)text.p : "", text.len);
	BUF hex = BUF_INIT;

	if (value)
		return value;
	buf_put_str(&hex, "0x");
	hex_put(&hex, text);
	return hex.failed ? NULL : json_stringn((const char *)hex.data, hex.len);
}

void tree_append_text(struct tree *t, json_t *list, struct span text)
{
	if (!list || json_array_append_new(list, text_of(text)) != 0)
		t->failed = true;
}

void tree_span(struct tree *t, json_t *at, const char *name, struct span text)
{
	tree_set(t, at, name, text_of(text));
}

void tree_text(struct tree *t, json_t *at, const char *name, const char *text)
{
	tree_span(t, at, name, span_str(text));
}

void tree_printf(struct tree *t, json_t *at, const char *name, const char *fmt, ...)
{
	BUF text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	tree_span(t, at, name, buf_span(&text));
}

void tree_hex(struct tree *t, json_t *at, const char *name, struct span bytes)
{
	BUF text = BUF_INIT;

	hex_put(&text, bytes);
	tree_span(t, at, name, buf_span(&text));
}

void tree_number(struct tree *t, json_t *at, const char *name, int64_t n)
{
	tree_set(t, at, name, json_integer(n));
}

void tree_bool(struct tree *t, json_t *at, const char *name, bool v)
{
	tree_set(t, at, name, json_boolean(v));
}

void tree_time(struct tree *t, json_t *at, const char *name, int64_t time)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(time, text);
	tree_text(t, at, name, text);
}

void tree_oid(struct tree *t, json_t *at, const char *name, struct span oid)
{
	const char *known = oid_name(oid);
	BUF text = BUF_INIT;

	if (known)
		buf_put_str(&text, known);
	else
		oid_put_text(&text, oid);
	tree_span(t, at, name, buf_span(&text));
}

void tree_name(struct tree *t, json_t *at, const char *name, struct span der)
{
	BUF text = BUF_INIT;

	if (name_put_text(&text, der, NULL) != OK)
		tree_hex(t, at, name, der);
	else
		tree_span(t, at, name, buf_span(&text));
}

/* ---- for a person ---- */

#define INDENT 2
#define WIDTH 22 /* of names, so that the values of one level stand in a column */

static void show_value(const struct cli_output *o, const json_t *v, int depth);

static void show_scalar(const struct cli_output *o, const json_t *v)
{
	char number[32];

	if (json_is_string(v)) {
		cli_output_text(o, CLI_PLAIN, json_string_value(v));
	} else if (json_is_integer(v)) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		cli_output_text(o, CLI_PLAIN, number);
	} else {
		cli_output_text(o, CLI_PLAIN, json_is_true(v) ? "yes" : "no");
	}
}

static bool is_scalar(const json_t *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

static void show_member(const struct cli_output *o, const char *name, const json_t *v, int depth)
{
	int width = (int)strlen(name) + 1;

	(void)fprintf(o->file, "%*s", depth * INDENT, "");
	cli_output_text(o, is_scalar(v) ? CLI_DIM : CLI_BOLD, name);
	(void)fputc(':', o->file);
	if (is_scalar(v)) {
		(void)fprintf(o->file, "%*s", width < WIDTH ? WIDTH - width : 1, "");
		show_scalar(o, v);
		(void)fputc('\n', o->file);
	} else {
		(void)fputc('\n', o->file);
		show_value(o, v, depth + 1);
	}
}

static void show_item(const struct cli_output *o, const json_t *v, size_t number, int depth)
{
	if (is_scalar(v)) {
		(void)fprintf(o->file, "%*s", depth * INDENT, "");
		show_scalar(o, v);
		(void)fputc('\n', o->file);
		return;
	}
	(void)fprintf(o->file, "%*s%zu\n", depth * INDENT, "", number);
	show_value(o, v, depth + 1);
}

static void show_value(const struct cli_output *o, const json_t *v, int depth)
{
	void *at;
	size_t i;

	if (json_is_array(v)) {
		for (i = 0; i < json_array_size(v); i++)
			show_item(o, json_array_get(v, i), i + 1, depth);
		return;
	}
	for (at = json_object_iter((json_t *)(uintptr_t)v); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)v, at))
		show_member(o, json_object_iter_key(at), json_object_iter_value(at), depth);
}

enum result tree_show(const struct tree *t, const struct cli_output *o, struct err *err)
{
	if (t->failed)
		return err_nomem(err);
	if (o->json)
		return cli_output_json(o, t->root, err);
	show_value(o, t->root, 0);
	return OK;
}
