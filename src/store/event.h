/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include "store/query.h"
#include "store/store.h"

/* Inside a writer's job, as part of what it changes. */
RESULT event_insert(struct db *db, const struct store_event *event, struct err *err);
/* The event of an issuance: its certificate's row, which has the same id, leads to it. */
RESULT event_insert_issuance(struct db *db, const struct store_event *event, int64_t *id,
			     struct err *err);

/* From a row of the statements that list events; borrowed from it. */
void event_read(const struct query *q, struct store_event *out);

#endif
