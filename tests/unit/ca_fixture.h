/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper process, a store and the CA "demo" (P-256 with an RSA RA), in a folder of their own. */
#ifndef TESTS_CA_FIXTURE_H
#define TESTS_CA_FIXTURE_H

#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/authority.h"
#include "ca/profile.h"
#include "keeper/keeper.h"

#define NOW 1795293840 /* 2026-11-21T20:44:00Z */
#define DAY 86400
/* With a keeper that lives, on a machine that may be busy. Who stops it waits as long, too. */
#ifndef KEEPER_PATIENCE_MS
#define KEEPER_PATIENCE_MS 60000
#endif

struct ca_fixture {
	char dir[64];
	char path[96];
	int intro[2];
	int stop[2];
	pid_t keeper_pid;
	struct keeper_client *keeper;
	struct store *store;
	struct crypto *c;
	struct clock clock;
	struct authority *authority;
	const struct authority_ca *demo;
};

static inline void ca_fixture_fork_keeper(struct ca_fixture *f)
{
	struct keeper_config config = { .keys.vault.directory = f->dir };

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->intro), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->stop), 0);
	config.intro_fd = f->intro[1];
	config.stop_fd = f->stop[1];
	f->keeper_pid = fork();
	assert_true(f->keeper_pid >= 0);
	if (f->keeper_pid == 0) {
		(void)close(f->stop[0]);
		_exit(keeper_run(&config, NULL) == OK ? 0 : 1);
	}
	(void)close(f->stop[1]);
}

static inline struct authority_init ca_fixture_init(const char *name)
{
	return (struct authority_init){ .name = name,
					.subject = "CN=Demo CA,O=Example",
					.ca_key = { KEY_EC_P256, 256 },
					.ca_validity = 3650 * DAY,
					.max_leaf_validity = 400 * DAY,
					.has_ra = true,
					.ra_key = { KEY_RSA, 2048 },
					.ra_validity = 800 * DAY,
					.actor = "uid 0" };
}

static inline void ca_fixture_create(struct ca_fixture *f, const struct authority_init *init)
{
	struct err err = { 0 };

	if (authority_create(f->store, f->keeper, f->c, &f->clock, init, &err) != OK)
		fail_msg("%s", err.text);
}

static inline void ca_fixture_load(struct ca_fixture *f)
{
	struct err err = { 0 };

	authority_unref(f->authority);
	if (authority_load(&f->authority, f->store, f->keeper, &err) != OK)
		fail_msg("%s", err.text);
	f->demo = authority_find(f->authority, "demo", NOW);
}

static inline void ca_fixture_open_store(struct ca_fixture *f)
{
	struct store_options options = { .path = f->path };
	struct err err = { 0 };

	if (store_open(&f->store, &options, &err) != OK)
		fail_msg("%s", err.text);
}

static inline int ca_fixture_set_up(void **state)
{
	struct ca_fixture *f = calloc(1, sizeof(*f));
	struct authority_init init = ca_fixture_init("demo");

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test-ca-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	ca_fixture_fork_keeper(f);
	assert_int_equal(keeper_client_new(&f->keeper, f->intro[0], KEEPER_PATIENCE_MS, NULL), OK);
	assert_int_equal(crypto_new(&f->c, false, NULL), OK);
	clock_fix(&f->clock, NOW);
	ca_fixture_open_store(f);
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	*state = f;
	return 0;
}

static inline int ca_fixture_tear_down(void **state)
{
	struct ca_fixture *f = *state;
	char command[128];
	int status = -1;

	authority_unref(f->authority);
	store_close(f->store);
	crypto_free(f->c);
	keeper_client_free(f->keeper);
	(void)close(f->stop[0]);
	assert_int_equal(waitpid(f->keeper_pid, &status, 0), f->keeper_pid);
	assert_int_equal(status, 0);
	(void)close(f->intro[0]);
	(void)close(f->intro[1]);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* ---- what devices get ---- */

/* For P-256 keys, 90 days, and a subject with that attribute. */
static inline struct profile ca_fixture_profile(struct profile_attr *attr)
{
	attr->choice = PROFILE_REQUIRED;
	return (struct profile){ .name = (char *)(uintptr_t) "device",
				 .validity = 90 * DAY,
				 .backdate = 600,
				 .key_usage = KU_DIGITAL_SIGNATURE,
				 .attrs = attr,
				 .n_attrs = 1,
				 .keys = { { KEY_EC_P256, 0, 0 } },
				 .n_keys = 1 };
}

/* ---- what is in the store's events ---- */

struct ca_fixture_events {
	unsigned n;
	char kind[64]; /* of the latest */
	char reason[512];
	char detail[8192];
};

static inline enum result ca_fixture_see_event(void *ctx, const struct store_event *e,
					       struct err *err UNUSED)
{
	struct ca_fixture_events *seen = ctx;

	seen->n++;
	(void)snprintf(seen->kind, sizeof(seen->kind), "%s", e->kind);
	(void)snprintf(seen->reason, sizeof(seen->reason), "%s", e->reason ? e->reason : "");
	(void)snprintf(seen->detail, sizeof(seen->detail), "%s", e->detail ? e->detail : "");
	return OK;
}

/* transaction NULL: all. */
static inline struct ca_fixture_events ca_fixture_events(struct ca_fixture *f,
							 const char *transaction)
{
	struct store_event_filter filter = { .transaction = span_str(transaction), .limit = 1000 };
	struct ca_fixture_events seen = { 0 };

	assert_int_equal(store_each_event(f->store, &filter, ca_fixture_see_event, &seen, NULL),
			 OK);
	return seen;
}

#endif
