/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/device_csv.h"

#include <stdlib.h>

#define COLUMNS_MAX 32
#define COMPLAINTS_MAX 20
#define PROGRESS_LINES 10000
#define NOTE_MAX 1024

enum column { IGNORED, TYPE, VALUE, USE, NOTE };

struct parse {
	struct device_csv csv;
	const struct device_csv_options *options;
	struct span rest;
	size_t line; /* of the row at hand */
	size_t next; /* of the one behind it */
	uint8_t delimiter;
	enum column columns[COLUMNS_MAX];
	size_t n_columns;
	char of_column[STORE_NAME_MAX]; /* the type that VALUE is named after; "": TYPE says it */
	struct buf fields[COLUMNS_MAX];
	size_t n_fields;
	size_t room; /* of csv.entries */
	size_t n_complaints;
	struct buf *complaints;
	struct err *err;
};

static void parse_clear(struct parse *p)
{
	size_t i;

	for (i = 0; i < COLUMNS_MAX; i++)
		buf_clear(&p->fields[i]);
	device_csv_clear(&p->csv);
}

void device_csv_clear(struct device_csv *csv)
{
	free(csv->entries);
	free(csv->types);
	buf_clear(&csv->text);
	*csv = (struct device_csv){ 0 };
}

static void complain(struct parse *p, size_t line, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void complain(struct parse *p, size_t line, const char *fmt, ...)
{
	BUF text = BUF_INIT;
	va_list ap;

	buf_printf(&text, "line %zu: ", line);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (p->n_complaints++ == 0)
		(void)!err_set(p->err, ERR_SYNTAX, "%s", buf_cstr(&text) ? buf_cstr(&text) : "");
	if (!p->complaints || p->n_complaints > COMPLAINTS_MAX)
		return;
	buf_put(p->complaints, buf_span(&text));
	buf_put_byte(p->complaints, '\n');
}

/* ---- rows ---- */

/* A quoted field: from behind its first quote to behind its last. False: it does not end. */
static bool read_quoted(struct parse *p, struct buf *out)
{
	for (;;) {
		size_t n = span_find(p->rest, '"'), i;

		if (n == p->rest.len)
			return false;
		for (i = 0; i < n; i++)
			p->next += p->rest.p[i] == '\n';
		buf_put(out, span_sub(p->rest, 0, n));
		p->rest = span_sub(p->rest, n + 1, SIZE_MAX);
		if (p->rest.len == 0 || p->rest.p[0] != '"')
			return true;
		buf_put_byte(out, '"');
		p->rest = span_sub(p->rest, 1, SIZE_MAX);
	}
}

static void read_bare(struct parse *p, struct buf *out)
{
	size_t n = 0;

	while (n < p->rest.len && p->rest.p[n] != p->delimiter && p->rest.p[n] != '\n' &&
	       p->rest.p[n] != '\r')
		n++;
	buf_put(out, span_sub(p->rest, 0, n));
	p->rest = span_sub(p->rest, n, SIZE_MAX);
}

/* The end of the line, or what is left of a broken one up to it. */
static void skip_line(struct parse *p)
{
	size_t n = span_find(p->rest, '\n');

	p->rest = span_sub(p->rest, n + 1, SIZE_MAX);
	p->next++;
}

static bool at_line_end(const struct parse *p)
{
	return p->rest.len == 0 || p->rest.p[0] == '\n' ||
	       (p->rest.p[0] == '\r' && (p->rest.len == 1 || p->rest.p[1] == '\n'));
}

/* Into p->fields. False: it is no row, and a complaint says why. */
static bool read_row(struct parse *p)
{
	bool good = true;

	p->line = p->next;
	for (p->n_fields = 0; p->n_fields < COLUMNS_MAX;) {
		struct buf *field = &p->fields[p->n_fields++];

		buf_reset(field);
		if (p->rest.len && p->rest.p[0] == '"') {
			p->rest = span_sub(p->rest, 1, SIZE_MAX);
			good = read_quoted(p, field);
		} else {
			read_bare(p, field);
		}
		if (!good || at_line_end(p) || p->rest.p[0] != p->delimiter)
			break;
		p->rest = span_sub(p->rest, 1, SIZE_MAX);
	}
	if (!good)
		complain(p, p->line, "a quote is opened and never closed");
	else if (!at_line_end(p))
		complain(p, p->line, "text behind a closing quote, or more than %d columns",
			 COLUMNS_MAX);
	good = good && at_line_end(p);
	skip_line(p);
	return good;
}

static struct span trimmed(const struct buf *text)
{
	struct span s = buf_span(text);

	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_sub(s, 1, SIZE_MAX);
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static struct span field(const struct parse *p, enum column column)
{
	size_t i;

	for (i = 0; i < p->n_columns; i++)
		if (p->columns[i] == column)
			return trimmed(&p->fields[i]);
	return SPAN_NONE;
}

/* ---- the head ---- */

static enum column column_of(struct parse *p, struct span name, struct err *err)
{
	static const struct {
		const char *name;
		enum column column;
	} known[] = { { "type", TYPE }, { "value", VALUE }, { "use", USE }, { "note", NOTE } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (span_eq_nocase(name, span_str(known[i].name)))
			return known[i].column;
	return device_type_parse(name, p->of_column, err) == OK ? VALUE : IGNORED;
}

static void read_head(struct parse *p)
{
	unsigned seen[NOTE + 1] = { 0 };
	struct err why = { 0 };
	size_t i;

	p->delimiter = ',';
	i = span_find(p->rest, '\n');
	if (span_find(span_sub(p->rest, 0, i), ',') == i &&
	    span_find(span_sub(p->rest, 0, i), ';') < i)
		p->delimiter = ';';
	if (!read_row(p))
		return;
	p->n_columns = p->n_fields;
	for (i = 0; i < p->n_columns; i++) {
		p->columns[i] = column_of(p, trimmed(&p->fields[i]), &why);
		seen[p->columns[i]]++;
		if (p->columns[i] == IGNORED)
			complain(p, p->line, "column %zu: %s", i + 1, err_text(&why));
	}
	if (seen[VALUE] != 1 || seen[TYPE] > 1 || seen[USE] > 1 || seen[NOTE] > 1 ||
	    (seen[TYPE] == 1) != (p->of_column[0] == '\0'))
		complain(p, p->line,
			 "must name the columns: type and value, or one type alone such as "
			 "serialNumber or MAC; then use and note, where there are any");
}

/* ---- entries ---- */

static const char *own_type(struct parse *p, struct span text, struct err *err)
{
	char type[STORE_NAME_MAX];
	size_t i;

	if (p->of_column[0])
		(void)memcpy(type, p->of_column, sizeof(type));
	else if (device_type_parse(text, type, err) != OK)
		return NULL;
	for (i = 0; i < p->csv.n_types; i++)
		if (strcmp(p->csv.types[i], type) == 0)
			return p->csv.types[i];
	if (i == DEVICE_CSV_TYPES_MAX) {
		(void)!err_set(err, ERR_LIMIT, "more than %d different types",
			       DEVICE_CSV_TYPES_MAX);
		return NULL;
	}
	memcpy(p->csv.types[i], type, sizeof(type));
	p->csv.n_types++;
	return p->csv.types[i];
}

static bool read_use(struct span text, bool otherwise, bool *once)
{
	*once = text.len ? span_eq_nocase(text, SPAN_LIT("once")) : otherwise;
	return text.len == 0 || *once || span_eq_nocase(text, SPAN_LIT("ever"));
}

static RESULT grow(struct parse *p)
{
	struct store_device_entry *grown;
	size_t room = p->room ? 2 * p->room : 1024;

	if (p->csv.n < p->room)
		return OK;
	if (p->csv.n >= DEVICE_CSV_ROWS_MAX)
		return err_set(p->err, ERR_LIMIT, "line %zu: more than %d devices", p->line,
			       DEVICE_CSV_ROWS_MAX);
	grown = reallocarray(p->csv.entries, room, sizeof(*grown));
	if (!grown)
		return err_nomem(p->err);
	p->csv.entries = grown;
	p->room = room;
	return OK;
}

/* Key, value and note lie one behind the other in csv.text: spans are made when all are there. */
static RESULT add_entry(struct parse *p)
{
	struct store_device_entry e = { .line = p->line };
	struct err why = { 0 };
	size_t before = p->csv.text.len;

	e.type = own_type(p, field(p, TYPE), &why);
	e.value.len = field(p, VALUE).len;
	e.note.len = field(p, NOTE).len;
	if (!e.type || device_put_key(e.type, field(p, VALUE), &p->csv.text, &why) != OK) {
		complain(p, p->line, "%s", err_text(&why));
		return OK;
	}
	e.key.len = p->csv.text.len - before;
	if (!read_use(field(p, USE), p->options->once, &e.once) || e.note.len > NOTE_MAX)
		complain(p, p->line,
			 e.note.len > NOTE_MAX ? "the note is too long"
					       : "use must be once or ever");
	TRY(grow(p));
	buf_put(&p->csv.text, field(p, VALUE));
	buf_put(&p->csv.text, field(p, NOTE));
	p->csv.entries[p->csv.n++] = e;
	return buf_check(&p->csv.text, p->err);
}

static void point_at_text(struct device_csv *csv)
{
	const uint8_t *at = csv->text.data;
	size_t i;

	for (i = 0; i < csv->n; i++) {
		struct store_device_entry *e = &csv->entries[i];

		e->key.p = at;
		e->value.p = at + e->key.len;
		e->note.p = e->value.p + e->value.len;
		at = e->note.p + e->note.len;
	}
}

/* ---- twins ---- */

static int by_name(const void *a, const void *b)
{
	const struct store_device_entry *const *x = a, *const *y = b;
	size_t n = (*x)->key.len < (*y)->key.len ? (*x)->key.len : (*y)->key.len;
	int order = memcmp((*x)->key.p, (*y)->key.p, n);

	if (order == 0 && (*x)->key.len != (*y)->key.len)
		order = (*x)->key.len < (*y)->key.len ? -1 : 1;
	if (order == 0)
		order = strcmp((*x)->type, (*y)->type);
	if (order == 0)
		order = (*x)->line < (*y)->line ? -1 : 1;
	return order;
}

static RESULT find_twins(struct parse *p)
{
	const struct store_device_entry **sorted = calloc(p->csv.n + 1, sizeof(const void *));
	size_t i;

	if (!sorted)
		return err_nomem(p->err);
	for (i = 0; i < p->csv.n; i++)
		sorted[i] = &p->csv.entries[i];
	qsort(sorted, p->csv.n, sizeof(const void *), by_name);
	for (i = 1; i < p->csv.n; i++)
		if (sorted[i]->type == sorted[i - 1]->type &&
		    span_eq(sorted[i]->key, sorted[i - 1]->key))
			complain(p, sorted[i]->line, "the same device as in line %zu",
				 sorted[i - 1]->line);
	free(sorted);
	return OK;
}

/* ---- the whole ---- */

static bool is_blank(const struct parse *p)
{
	return p->n_fields == 1 && p->fields[0].len == 0;
}

static RESULT read_rows(struct parse *p)
{
	size_t told = 0;

	while (p->rest.len) {
		if (read_row(p) && !is_blank(p)) {
			if (p->n_fields != p->n_columns)
				complain(p, p->line, "%zu columns, the first line has %zu",
					 p->n_fields, p->n_columns);
			else
				TRY(add_entry(p));
		}
		if (p->options->progress && p->next - told >= PROGRESS_LINES)
			p->options->progress(p->options->ctx, told = p->next);
	}
	return OK;
}

static RESULT read_file(struct parse *p)
{
	static const struct span mark = SPAN_LIT("\xef\xbb\xbf");

	if (span_eq(span_sub(p->rest, 0, mark.len), mark))
		p->rest = span_sub(p->rest, mark.len, SIZE_MAX);
	read_head(p);
	if (p->n_complaints)
		return ERR_SYNTAX;
	TRY(read_rows(p));
	point_at_text(&p->csv);
	TRY(find_twins(p));
	if (p->n_complaints > COMPLAINTS_MAX && p->complaints)
		buf_printf(p->complaints, "... and %zu more\n", p->n_complaints - COMPLAINTS_MAX);
	return p->n_complaints ? ERR_SYNTAX : OK;
}

enum result device_csv_parse(struct device_csv *out, struct span file,
			     const struct device_csv_options *options, struct buf *complaints,
			     struct err *err)
{
	struct err first = { 0 };
	CLEANUP(parse_clear)
	struct parse p = {
		.options = options, .rest = file, .next = 1, .complaints = complaints, .err = &first
	};
	enum result r;

	if (file.len > DEVICE_CSV_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "%zu octets; the limit is %u", file.len,
			       DEVICE_CSV_BYTES_MAX);
	p.csv.types = calloc(DEVICE_CSV_TYPES_MAX, sizeof(p.csv.types[0]));
	r = p.csv.types ? read_file(&p) : err_nomem(&first);
	if (r != OK)
		return err_set(err, r, "%s", err_text(&first));
	*out = p.csv;
	p.csv = (struct device_csv){ 0 };
	return OK;
}
