/* SPDX-License-Identifier: Apache-2.0 */
#include "store/health.h"

#include <sys/stat.h>

#include "store/state.h"

#define FRESH_US 2000000

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void store_stats(struct store *s, struct store_stats *out)
{
	writer_stats(s->writer, out);
	out->file_bytes = size_of(s->path);
}

static enum result touch(struct db *db, const void *arg UNUSED, struct err *err)
{
	return query_simple(db, SQL_TOUCH, err);
}

enum result store_check_writable(struct store *s, struct err *err)
{
	if (writer_has_written(s->writer, FRESH_US))
		return OK;
	return writer_run(s->writer, touch, NULL, err);
}
