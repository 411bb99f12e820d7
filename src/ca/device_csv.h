/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of devices as CSV (RFC 4180; also with ';' between fields, as some spreadsheets write it,
 * and with a byte order mark). The first line names the columns: `type` and `value`, or one that is
 * named after a type (serialNumber, MAC, ...) and holds its values; and perhaps `use` (once, ever)
 * and `note`. Pure.
 */
#ifndef CA_DEVICE_CSV_H
#define CA_DEVICE_CSV_H

#include "ca/device.h"

#define DEVICE_CSV_ROWS_MAX 1000000
#define DEVICE_CSV_BYTES_MAX (64u << 20)
#define DEVICE_CSV_TYPES_MAX 64 /* different ones in a file */

struct device_csv {
	struct store_device_entry *entries; /* owned */
	size_t n;
	struct buf text;               /* theirs */
	char (*types)[STORE_NAME_MAX]; /* owned; theirs, too */
	size_t n_types;
};
void device_csv_clear(struct device_csv *csv);

/* Told now and then how many lines were read; may be NULL. */
typedef void device_csv_progress(void *ctx, size_t lines);

struct device_csv_options {
	bool once; /* what holds where no column `use` does */
	device_csv_progress *progress;
	void *ctx;
};

/*
 * ERR_SYNTAX: err has the first complaint, complaints (may be NULL) up to twenty, a line each:
 * "line 7: ...". ERR_LIMIT: too many lines or bytes.
 */
RESULT device_csv_parse(struct device_csv *out, struct span file,
			const struct device_csv_options *options, struct buf *complaints,
			struct err *err);

#endif
