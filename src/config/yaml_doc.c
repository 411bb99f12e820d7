/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml_doc.h"

#include <stdio.h>
#include <stdlib.h>

#define COMPLAINTS_MAX 32
#define PATH_TEXT_MAX 256

static void complain(struct config_yaml *y, size_t line, const char *path, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

static void complain_v(struct config_yaml *y, size_t line, const char *path, const char *fmt,
		       va_list ap)
{
	if (y->n_complaints++ >= COMPLAINTS_MAX)
		return;
	buf_printf(&y->complaints, "%s:%zu: %s%s", y->name, line, path, *path ? ": " : "");
	buf_vprintf(&y->complaints, fmt, ap);
	buf_put_byte(&y->complaints, '\n');
}

static void complain(struct config_yaml *y, size_t line, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_v(y, line, path, fmt, ap);
	va_end(ap);
}

/* ---- parsing ---- */

static void complain_syntax(struct config_yaml *y, const yaml_parser_t *parser)
{
	complain(y, parser->problem_mark.line + 1, "", "not YAML: %s%s%s",
		 parser->problem ? parser->problem : "unreadable", parser->context ? " " : "",
		 parser->context ? parser->context : "");
}

/* A second document would silently count for nothing. */
static void check_single(struct config_yaml *y, yaml_parser_t *parser)
{
	yaml_document_t next;

	if (!yaml_parser_load(parser, &next)) {
		complain_syntax(y, parser);
		return;
	}
	if (yaml_document_get_root_node(&next))
		complain(y, next.start_mark.line + 1, "",
			 "a second document begins here; put all settings into one");
	yaml_document_delete(&next);
}

enum result config_yaml_parse(struct config_yaml *y, const char *name, struct span text,
			      struct err *err)
{
	yaml_parser_t parser;

	*y = (struct config_yaml){ .name = name };
	if (!yaml_parser_initialize(&parser))
		return err_nomem(err);
	/* which asserts that there is one */
	yaml_parser_set_input_string(&parser, text.p ? text.p : (const uint8_t *)"", text.len);
	if (!yaml_parser_load(&parser, &y->document)) {
		complain_syntax(y, &parser);
	} else {
		y->parsed = true;
		if (!yaml_document_get_root_node(&y->document))
			complain(y, 1, "",
				 "the file is empty; see scepterd.yaml(5) for an example");
		else
			check_single(y, &parser);
	}
	yaml_parser_delete(&parser);
	return OK;
}

void config_yaml_clear(struct config_yaml *y)
{
	if (y->parsed)
		yaml_document_delete(&y->document);
	buf_clear(&y->complaints);
	*y = (struct config_yaml){ 0 };
}

/* ---- against the schema ---- */

/* Where the check is; the path is kept as text and cut back on the way up. */
struct walk {
	struct config_yaml *y;
	char path[PATH_TEXT_MAX];
};

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static struct span scalar_of(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE)
		return SPAN_NONE;
	return span_of(node->data.scalar.value, node->data.scalar.length);
}

static const char *node_kind(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a group of settings";
	default:
		return scalar_of(node).len ? "a single value" : "empty";
	}
}

static void check_value(struct walk *w, const cyaml_schema_value_t *schema,
			const yaml_node_t *node);

static bool is_kind(struct walk *w, const yaml_node_t *node, yaml_node_type_t want,
		    const char *what)
{
	if (node->type == want)
		return true;
	complain(w->y, line_of(node), w->path, "is %s, must be %s", node_kind(node), what);
	return false;
}

/* Each returns the length that pop() cuts the path back to. */
static size_t push_key(struct walk *w, const char *key)
{
	size_t old = strlen(w->path);

	(void)snprintf(w->path + old, sizeof(w->path) - old, "%s%s", old ? "." : "", key);
	return old;
}

static size_t push_index(struct walk *w, size_t index)
{
	size_t old = strlen(w->path);

	(void)snprintf(w->path + old, sizeof(w->path) - old, "[%zu]", index);
	return old;
}

static void pop(struct walk *w, size_t old)
{
	w->path[old] = '\0';
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, struct span key)
{
	for (; fields->key; fields++)
		if (span_eq_str(key, fields->key))
			return fields;
	return NULL;
}

static void complain_unknown(struct walk *w, const yaml_node_t *key,
			     const cyaml_schema_field_t *fields)
{
	struct span text = scalar_of(key);
	BUF known = BUF_INIT;

	for (; fields->key; fields++)
		buf_printf(&known, "%s%s", known.len ? ", " : "", fields->key);
	complain(w->y, line_of(key), w->path, "unknown setting \"%.*s\"; known here: %s",
		 (int)text.len, (const char *)text.p, buf_cstr(&known));
}

static const yaml_node_t *pair_key(const struct config_yaml *y, const yaml_node_pair_t *pair)
{
	/* the accessor has no const form */
	return yaml_document_get_node((yaml_document_t *)(uintptr_t)&y->document, pair->key);
}

static const yaml_node_t *node_at(const struct config_yaml *y, int index)
{
	return yaml_document_get_node((yaml_document_t *)(uintptr_t)&y->document, index);
}

/* The value of a key in a mapping; the first of that name before `end`. */
static const yaml_node_t *lookup(const struct config_yaml *y, const yaml_node_t *mapping,
				 struct span key, const yaml_node_pair_t *end)
{
	const yaml_node_pair_t *p;

	for (p = mapping->data.mapping.pairs.start; p < end; p++)
		if (span_eq(scalar_of(pair_key(y, p)), key))
			return node_at(y, p->value);
	return NULL;
}

static void check_missing(struct walk *w, const cyaml_schema_field_t *fields,
			  const yaml_node_t *node)
{
	for (; fields->key; fields++) {
		if (fields->value.flags & CYAML_FLAG_OPTIONAL)
			continue;
		if (!lookup(w->y, node, span_str(fields->key), node->data.mapping.pairs.top))
			complain(w->y, line_of(node), w->path, "\"%s\" is missing", fields->key);
	}
}

static void check_mapping(struct walk *w, const cyaml_schema_value_t *schema,
			  const yaml_node_t *node)
{
	const cyaml_schema_field_t *fields = schema->mapping.fields, *field;
	const yaml_node_pair_t *p;

	if (!is_kind(w, node, YAML_MAPPING_NODE, "a group of settings"))
		return;
	for (p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = pair_key(w->y, p);
		size_t old;

		field = find_field(fields, scalar_of(key));
		if (!field) {
			complain_unknown(w, key, fields);
			continue;
		}
		old = push_key(w, field->key);
		if (lookup(w->y, node, scalar_of(key), p))
			complain(w->y, line_of(key), w->path, "stands twice; remove one");
		else
			check_value(w, &field->value, node_at(w->y, p->value));
		pop(w, old);
	}
	check_missing(w, fields, node);
}

static void check_sequence(struct walk *w, const cyaml_schema_value_t *schema,
			   const yaml_node_t *node)
{
	size_t n, i;

	if (!is_kind(w, node, YAML_SEQUENCE_NODE, "a list"))
		return;
	n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (n < schema->sequence.min || n > schema->sequence.max)
		complain(w->y, line_of(node), w->path, "has %zu entries, must have %u to %u", n,
			 schema->sequence.min, schema->sequence.max);
	for (i = 0; i < n; i++) {
		size_t old = push_index(w, i);

		check_value(w, schema->sequence.entry,
			    node_at(w->y, node->data.sequence.items.start[i]));
		pop(w, old);
	}
}

static void check_string(struct walk *w, const cyaml_schema_value_t *schema,
			 const yaml_node_t *node)
{
	struct span text = scalar_of(node);

	if (!is_kind(w, node, YAML_SCALAR_NODE, "a single value"))
		return;
	if (memchr(text.p, '\0', text.len))
		complain(w->y, line_of(node), w->path, "holds a NUL character");
	else if (text.len < schema->string.min)
		complain(w->y, line_of(node), w->path, "is empty; give a value or remove it");
	else if (text.len > schema->string.max)
		complain(w->y, line_of(node), w->path, "has %zu characters, at most %u", text.len,
			 schema->string.max);
}

/* In quotes it is text to YAML, whatever it looks like: other programs that read the file would
 * take "false" for something that is not false. */
static bool is_plain(struct walk *w, const yaml_node_t *node, const char *what)
{
	struct span text = scalar_of(node);

	if (!is_kind(w, node, YAML_SCALAR_NODE, what))
		return false;
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return true;
	complain(w->y, line_of(node), w->path,
		 "\"%.*s\" in quotes is text, must be %s: remove the quotes", (int)text.len,
		 (const char *)text.p, what);
	return false;
}

static void check_number(struct walk *w, UNUSED const cyaml_schema_value_t *schema,
			 const yaml_node_t *node)
{
	struct span text = scalar_of(node);
	uint64_t n = 0;
	size_t i;

	if (!is_plain(w, node, "a number"))
		return;
	for (i = 0; i < text.len && i < 11; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			break;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	}
	if (text.len == 0 || i < text.len || n > UINT32_MAX || (text.len > 1 && text.p[0] == '0'))
		complain(w->y, line_of(node), w->path,
			 "\"%.*s\" is not a whole number in decimal digits, up to 4294967295",
			 (int)text.len, (const char *)text.p);
}

static void check_bool(struct walk *w, UNUSED const cyaml_schema_value_t *schema,
		       const yaml_node_t *node)
{
	struct span text = scalar_of(node);

	if (is_plain(w, node, "true or false") && !span_eq_str(text, "true") &&
	    !span_eq_str(text, "false"))
		complain(w->y, line_of(node), w->path, "\"%.*s\" is neither true nor false",
			 (int)text.len, (const char *)text.p);
}

static void check_word(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
	struct span text = scalar_of(node);
	BUF words = BUF_INIT;
	uint32_t i;

	if (!is_kind(w, node, YAML_SCALAR_NODE, "a word"))
		return;
	for (i = 0; i < schema->enumeration.count; i++) {
		if (span_eq_str(text, schema->enumeration.strings[i].str))
			return;
		buf_printf(&words, "%s%s", words.len ? ", " : "",
			   schema->enumeration.strings[i].str);
	}
	complain(w->y, line_of(node), w->path, "\"%.*s\" is not one of: %s", (int)text.len,
		 (const char *)text.p, buf_cstr(&words));
}

typedef void check_fn(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node);

static void check_value(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
	static check_fn *const checks[CYAML__TYPE_COUNT] = {
		[CYAML_MAPPING] = check_mapping, [CYAML_SEQUENCE] = check_sequence,
		[CYAML_STRING] = check_string,   [CYAML_UINT] = check_number,
		[CYAML_BOOL] = check_bool,       [CYAML_ENUM] = check_word,
	};

	if (checks[schema->type])
		checks[schema->type](w, schema, node);
}

void config_yaml_check(struct config_yaml *y, const cyaml_schema_value_t *schema)
{
	struct walk w = { .y = y, .path = "" };

	if (y->parsed && yaml_document_get_root_node(&y->document))
		check_value(&w, schema, yaml_document_get_root_node(&y->document));
}

/* ---- finding a place again ---- */

/* One step of a path: "name" or "[3]" from *path on, which moves behind it. */
static const yaml_node_t *step(const struct config_yaml *y, const yaml_node_t *node,
			       const char **path)
{
	size_t len;

	if (**path == '[') {
		char *end;
		unsigned long i = strtoul(*path + 1, &end, 10);

		*path = *end ? end + 1 : end;
		if (node->type != YAML_SEQUENCE_NODE ||
		    i >= (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
			return NULL;
		return node_at(y, node->data.sequence.items.start[i]);
	}
	*path += **path == '.';
	len = strcspn(*path, ".[");
	*path += len;
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	return lookup(y, node, span_of(*path - len, len), node->data.mapping.pairs.top);
}

static size_t find_line(const struct config_yaml *y, const char *path)
{
	const yaml_node_t *node = node_at(y, 1), *next;
	size_t line = 1;

	while (node && *path) {
		line = line_of(node);
		next = step(y, node, &path);
		node = next;
	}
	return node ? line_of(node) : line;
}

void config_yaml_complain(struct config_yaml *y, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_v(y, y->parsed ? find_line(y, path) : 1, path, fmt, ap);
	va_end(ap);
}
