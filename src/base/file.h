/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, read with a limit and written so that a power cut leaves the old or the new one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"

/* Appends the file's bytes to out. More than max bytes: ERR_LIMIT. path "-" is standard input. */
RESULT file_read(const char *path, size_t max, struct buf *out, struct err *err);

/* Writes path.tmp with mode, syncs it, renames it to path, syncs the directory. */
RESULT file_write_atomic(const char *path, mode_t mode, struct span bytes, struct err *err);

/*
 * Could file_write_atomic() write it? To be asked before what is to be written costs something.
 * ERR_IO says why not.
 */
RESULT file_check_writable(const char *path, struct err *err);

/* Renames within a directory, which is synced. */
RESULT file_rename(const char *from, const char *to, struct err *err);

bool file_exists(const char *path);

/* mkdir, not an error if it is there already. Parents must exist. */
RESULT file_mkdir(const char *path, mode_t mode, struct err *err);

#endif
