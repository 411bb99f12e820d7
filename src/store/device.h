/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of devices that may enrol (ca/device.h says what an entry means). Part of the store
 * (store/store.h), whose rules hold here too.
 */
#ifndef STORE_DEVICE_H
#define STORE_DEVICE_H

#include "store/store.h"

struct store_device {
	int64_t id; /* set by the store, rising */
	char list[STORE_NAME_MAX];
	char type[STORE_NAME_MAX];
	struct buf value; /* text, as it was written */
	bool once;        /* good for one transaction */
	struct buf note;
	int64_t created;
	char created_by[STORE_NAME_MAX];
	bool bound;                   /* it has been used... */
	uint8_t bound_to[STORE_HASH]; /* ...by this one, as of struct store_challenge... */
	int64_t used;                 /* ...at that time */
};
void store_device_clear(struct store_device *d);

/* One that is to be added. Spans and strings borrowed. */
struct store_device_entry {
	const char *type;
	struct span key; /* the value in the form in which it is compared */
	struct span value;
	bool once;
	struct span note;
	size_t line; /* in the file that it comes from, for errors; 0: none */
};

struct store_device_import {
	const char *list;
	const struct store_device_entry *entries;
	size_t n;
	bool keep_existing; /* what the list has already stays as it is */
	int64_t now;
	const char *actor;
	struct store_event event;
};
/*
 * All at once, or nothing, whatever happens meanwhile; a long list in many commits, between which
 * others get their turn, and of which one is imported at a time (ERR_BUSY). ERR_CONFLICT: the list
 * has an entry already (unless keep_existing) with its line. *added: how many are new.
 */
RESULT store_add_devices(struct store *s, const struct store_device_import *import, uint64_t *added,
			 struct err *err);
/* Puts away what an import has left that was broken off by the end of the process. */
RESULT store_purge_imports(struct store *s, struct err *err);
/* ERR_NOT_FOUND. */
RESULT store_find_device(struct store *s, int64_t id, struct store_device *out, struct err *err);
RESULT store_remove_device(struct store *s, int64_t id, const struct store_event *event,
			   struct err *err);

struct store_device_key {
	char type[STORE_NAME_MAX];
	struct span key;
};
/*
 * The entry of the list that is one of these: rather one that can be used by who has that binding
 * than one that another has used up. ERR_NOT_FOUND.
 */
RESULT store_match_device(struct store *s, const char *list, const struct store_device_key *keys,
			  size_t n, const uint8_t binding[STORE_HASH], struct store_device *out,
			  struct err *err);

struct store_device_filter {
	const char *list; /* NULL: any */
	struct span key;  /* empty: any */
	int64_t after_id; /* paging, oldest first */
	unsigned limit;   /* 0: 100 */
};
typedef enum result store_device_fn(void *ctx, const struct store_device *d, struct err *err);
RESULT store_each_device(struct store *s, const struct store_device_filter *filter,
			 store_device_fn *fn, void *ctx, struct err *err);

struct store_device_list {
	char name[STORE_NAME_MAX];
	uint64_t entries;
	uint64_t once;
	uint64_t used; /* of those */
};
typedef enum result store_device_list_fn(void *ctx, const struct store_device_list *l,
					 struct err *err);
RESULT store_each_device_list(struct store *s, store_device_list_fn *fn, void *ctx,
			      struct err *err);

/* ---- inside the writer's jobs ---- */

struct db;
/* Uses an entry up. ERR_DENIED: another was first, or it was removed meanwhile. */
RESULT device_consume(struct db *db, int64_t id, const uint8_t binding[STORE_HASH], int64_t now,
		      struct err *err);

#endif
