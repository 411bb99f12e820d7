/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a backup: a directory with the store, maybe the keys, and this file, which says
 * what the others must be. docs/backup.md has the form.
 */
#ifndef ADMIN_BACKUP_MANIFEST_H
#define ADMIN_BACKUP_MANIFEST_H

#include <jansson.h>

#include "pki/crypto.h"
#include "store/backup.h"

#define BACKUP_STORE "store.db"
#define BACKUP_KEYS "keys"
#define BACKUP_MANIFEST "manifest.json"

/* Of what the admin API says of a copy that is done; without keys. NULL: no memory. */
json_t *backup_manifest_new(const json_t *copy);
RESULT backup_manifest_add_key(json_t *manifest, struct crypto *c, const char *file,
			       struct span bytes, struct err *err);
RESULT backup_manifest_write(const json_t *manifest, const char *directory, struct err *err);

/* Of a file, in hexadecimal with a NUL behind it. */
RESULT backup_hash_file(struct crypto *c, const char *path, struct buf *out, struct err *err);

struct backup_manifest {
	json_t *json; /* owned; the strings are borrowed from it */
	int64_t time; /* when the copy was begun */
	int64_t last_event;
	uint8_t last_event_hash[STORE_HASH];
	const char *store_sha256;
	const json_t *keys; /* {"file": name, "sha256": hex} each, names that are safe to use */
};
void backup_manifest_clear(struct backup_manifest *m);
/* ERR_NOT_FOUND: no backup, or one that was not finished. ERR_SYNTAX: a field is wrong. */
RESULT backup_manifest_read(const char *directory, struct backup_manifest *out, struct err *err);

#endif
