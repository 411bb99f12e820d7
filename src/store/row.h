/* SPDX-License-Identifier: Apache-2.0 */
/* Columns into the records of store.h, and what names must obey to fit there. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include "store/query.h"
#include "store/store.h"

/* ERR_LIMIT: empty where it must not be, or too long. what: for the error text. */
RESULT row_check_name(const char *name, const char *what, struct err *err);

/* ERR_IO where the column does not fit: then the file was changed by others. */
RESULT row_name(const struct query *q, int column, char out[STORE_NAME_MAX], struct err *err);
RESULT row_hash(const struct query *q, int column, uint8_t out[STORE_HASH], struct err *err);
/* Appends to out, whose buf_check() the caller does. */
void row_buf(const struct query *q, int column, struct buf *out);

/*
 * Where an index keeps a transactionID: a hash that need not be collision-free. Those that succeed
 * one another have the same.
 */
int64_t row_transaction_tag(struct span id);
/* The same for a SHA-256: its first octets. */
int64_t row_hash_tag(const uint8_t hash[STORE_HASH]);

#endif
