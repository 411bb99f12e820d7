/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a list: ?limit= (1 to 1000, else 100) rows, behind ?cursor=, which is the "next" of the
 * page before; "next" is null with the last one. A cursor names the last row that was shown, so
 * that no row is lost or comes twice while others are added. It is opaque, and good for its list
 * only.
 */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include "admin/call.h"

#define ADMIN_PAGE_MAX 1000

struct admin_page {
	const char *name; /* of the list, and its field in the answer */
	unsigned limit;
	json_t *rows;
	struct buf from;     /* the position that the cursor holds, with a NUL behind it... */
	bool continued;      /* ...if one was sent */
	struct buf position; /* of the last row */
	bool more;
};

RESULT admin_page_open(struct admin_page *p, const struct admin_call *call, const char *name,
		       struct err *err);
void admin_page_clear(struct admin_page *p);
/* The position as the number of a row; 0: from the beginning. */
RESULT admin_page_number(const struct admin_page *p, int64_t *out, struct err *err);
/* How many rows to ask for: one more than are shown, so that the end is known. */
unsigned admin_page_ask(const struct admin_page *p);
/* For a list that is read whole: is this position behind the cursor? To be asked of each in turn.
 */
bool admin_page_is_behind(struct admin_page *p, const char *position);
/* False: the row is the next page's. */
bool admin_page_has_room(struct admin_page *p);
/* Takes the row over; fmt: its position. */
RESULT admin_page_add(struct admin_page *p, json_t *row, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The cursor of a position, for whoever asks from there on. */
json_t *admin_page_cursor(const struct admin_page *p, struct span position);
/* {name: rows, "next": cursor or null} */
RESULT admin_page_answer(struct admin_call *call, struct admin_page *p, struct err *err);

#endif
