/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_table.h"

#define GAP 2
#define INDENT 4    /* of the further lines of a row */
#define LAST_MIN 24 /* room that the last column is worth beginning in */

void cli_table_put_colour(struct cli_table *t, enum cli_colour colour, const char *text)
{
	buf_put_byte(&t->cells, (uint8_t)colour);
	buf_put(&t->cells, span_of(text ? text : "", text ? strlen(text) + 1 : 1));
	t->n++;
}

void cli_table_put(struct cli_table *t, const char *text)
{
	cli_table_put_colour(t, CLI_PLAIN, text);
}

void cli_table_put_number(struct cli_table *t, long long number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", number);
	cli_table_put(t, text);
}

void cli_table_clear(struct cli_table *t)
{
	buf_clear(&t->cells);
	t->n = 0;
}

/* ---- how wide ---- */

/* What a terminal shows of it: characters rather than octets, escapes as long as they get. */
static size_t shown_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			n += 4;
		else if ((c & 0xc0) != 0x80)
			n++;
	}
	return n;
}

struct cell {
	enum cli_colour colour;
	const char *text;
};

/* The cell at *at, which moves behind it. */
static struct cell next_cell(const char **at)
{
	const struct cell cell = { (enum cli_colour)(unsigned char)**at, *at + 1 };

	*at = cell.text + strlen(cell.text) + 1;
	return cell;
}

static size_t next_column(const struct cli_table *t, size_t column)
{
	return column + 1 < t->columns ? column + 1 : 0;
}

static void widen(struct cli_table *t, size_t column, const char *text)
{
	size_t w = shown_width(text);

	if (w > t->widths[column])
		t->widths[column] = w;
}

static void measure(struct cli_table *t)
{
	const char *at = (const char *)t->cells.data;
	size_t i, column = 0;

	for (i = 0; i < t->columns; i++)
		widen(t, i, t->heads[i]);
	for (i = 0; i < t->n; i++) {
		widen(t, column, next_cell(&at).text);
		column = next_column(t, column);
	}
}

/* ---- printing ---- */

struct layout {
	const struct cli_output *o;
	const struct cli_table *t;
	bool breaks[CLI_COLUMNS_MAX + 1]; /* before this column a line ends */
};

/* Text that is longer than what is left for it is for the terminal to go on with. */
static size_t needed(const struct cli_table *t, size_t column)
{
	bool last = column + 1 == t->columns;

	return last && t->widths[column] > LAST_MIN ? LAST_MIN : t->widths[column];
}

static void lay_out(struct layout *l)
{
	size_t used = 0, i;

	for (i = 0; l->o->width && i < l->t->columns; i++) {
		l->breaks[i] = i > 0 && used + needed(l->t, i) > l->o->width;
		used = (l->breaks[i] ? INDENT : used) + l->t->widths[i] + GAP;
	}
	l->breaks[l->t->columns] = true;
}

static void put_aligned(const struct layout *l, size_t column, const struct cell *cell)
{
	FILE *to = l->o->file;

	if (l->breaks[column])
		(void)fprintf(to, "%*s", INDENT, "");
	cli_output_text(l->o, cell->colour, cell->text);
	if (l->breaks[column + 1])
		(void)fputc('\n', to);
	else
		(void)fprintf(to, "%*s",
			      (int)(l->t->widths[column] + GAP - shown_width(cell->text)), "");
}

static void put_rows(const struct layout *l)
{
	const char *at = (const char *)l->t->cells.data;
	size_t i, column = 0;

	for (i = 0; i < l->t->n; i++) {
		const struct cell cell = next_cell(&at);

		put_aligned(l, column, &cell);
		column = next_column(l->t, column);
	}
}

static void put_for_people(struct cli_table *t, const struct cli_output *o)
{
	struct layout l = { .o = o, .t = t };
	size_t i;

	measure(t);
	lay_out(&l);
	for (i = 0; !t->begun && i < t->columns; i++) {
		const struct cell head = { CLI_BOLD, t->heads[i] };

		put_aligned(&l, i, &head);
	}
	put_rows(&l);
}

static void put_for_programs(const struct cli_table *t, const struct cli_output *o)
{
	const char *at = (const char *)t->cells.data;
	size_t i, column = 0;

	for (i = 0; i < t->n; i++) {
		cli_output_text(o, CLI_PLAIN, next_cell(&at).text);
		column = next_column(t, column);
		(void)fputc(column ? '\t' : '\n', o->file);
	}
}

enum result cli_table_print(struct cli_table *t, const struct cli_output *o, const char *empty,
			    struct err *err)
{
	TRY(buf_check(&t->cells, err));
	if (t->n == 0) {
		if (o->terminal && empty && !t->begun)
			cli_output_line(o, CLI_DIM, "%s", empty);
		return OK;
	}
	if (o->terminal)
		put_for_people(t, o);
	else
		put_for_programs(t, o);
	buf_reset(&t->cells);
	t->n = 0;
	t->begun = true;
	return OK;
}
