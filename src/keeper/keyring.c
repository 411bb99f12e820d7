/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "keeper/tls_key.h"
#include "keeper/wire.h"
#include "pki/key_file.h"

#define KEYS_MAX 4096

struct keyring_entry {
	struct keyring_entry *next;
	char id[KEEPER_ID_MAX + 1];
	size_t id_len;
	struct kept_key kept;
	struct key_rule rule;
};

struct keyring {
	struct keyring_config config;
	/* held while a key is made, which takes seconds; the vault is used under it alone */
	pthread_mutex_t making;
	struct vault *vault;
	pthread_mutex_t lock; /* of the list: its head and count */
	struct keyring_entry *first;
	size_t count;
};

const struct key_rule *keyring_rule(const struct keyring_entry *e)
{
	return &e->rule;
}

bool keyring_entry_is(const struct keyring_entry *e, struct span id)
{
	return span_eq(span_of(e->id, e->id_len), id);
}

static void entry_free(struct keyring_entry *e)
{
	if (!e)
		return;
	kept_key_clear(&e->kept);
	key_rule_clear(&e->rule);
	free(e);
}
DEFINE_CLEANUP(struct keyring_entry, entry_free)

static struct keyring_entry *entry_new(struct span id)
{
	struct keyring_entry *e = calloc(1, sizeof(*e));

	if (e) {
		memcpy(e->id, id.p, id.len);
		e->id_len = id.len;
	}
	return e;
}

static const char *directory_of(const struct keyring *ring)
{
	return ring->config.vault.directory;
}

static enum result path_of(const struct keyring *ring, const struct keyring_entry *e,
			   const char *suffix, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s%s", directory_of(ring), e->id, suffix) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", directory_of(ring));
	return OK;
}

static struct keyring_entry *find(struct keyring *ring, struct span id)
{
	struct keyring_entry *e;

	(void)pthread_mutex_lock(&ring->lock);
	for (e = ring->first; e && !keyring_entry_is(e, id);)
		e = e->next;
	(void)pthread_mutex_unlock(&ring->lock);
	return e;
}

static void add(struct keyring *ring, struct keyring_entry *e)
{
	(void)pthread_mutex_lock(&ring->lock);
	e->next = ring->first;
	ring->first = e;
	ring->count++;
	(void)pthread_mutex_unlock(&ring->lock);
}

size_t keyring_count_plain(const struct keyring *ring)
{
	return vault_count_plain(ring->vault);
}

size_t keyring_count(struct keyring *ring)
{
	size_t n;

	(void)pthread_mutex_lock(&ring->lock);
	n = ring->count;
	(void)pthread_mutex_unlock(&ring->lock);
	return n;
}

/* ---- loading ---- */

static enum result load_rule(const char *path, struct key_rule *out, struct err *err)
{
	BUF text = BUF_INIT;
	enum result r;

	TRY(file_read(path, KEY_FILE_MAX, &text, err));
	r = key_rule_read(buf_span(&text), out, err);
	return r == OK ? OK : err_prefix(err, r, "%s", path);
}

static enum result load_entry(struct keyring *ring, struct keyring_entry *e, const char *name,
			      struct err *err)
{
	char path[PATH_MAX];

	TRY(vault_load(ring->vault, name, &e->kept, err));
	TRY(path_of(ring, e, ".rule", path, err));
	return load_rule(path, &e->rule, err);
}

static enum result load_file(struct keyring *ring, const char *name, struct err *err)
{
	CLEANUP(entry_freep) struct keyring_entry *e = NULL;
	struct span id = SPAN_NONE;

	if (!vault_is_key_file(name, &id))
		return OK;
	if (!keeper_id_is_good(id))
		return err_set(err, ERR_CONFIG, "%s/%s: the name is no key id: [a-z0-9-]{1,63}",
			       directory_of(ring), name);
	if (find(ring, id))
		return err_set(err, ERR_CONFIG, "%s/%s: there is another key of that id",
			       directory_of(ring), name);
	if (keyring_count(ring) >= KEYS_MAX)
		return err_set(err, ERR_CONFIG, "%s: more than %d keys", directory_of(ring),
			       KEYS_MAX);
	e = entry_new(id);
	if (!e)
		return err_nomem(err);
	TRY(load_entry(ring, e, name, err));
	add(ring, take(e));
	return OK;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static enum result load_all(struct keyring *ring, struct err *err)
{
	CLEANUP(close_dir) DIR *dir = opendir(directory_of(ring));
	const struct dirent *file;

	if (!dir)
		return err_errno(err, errno, "%s", directory_of(ring));
	while ((file = readdir(dir)))
		TRY(load_file(ring, file->d_name, err));
	return OK;
}

enum result keyring_open(struct keyring **out, const struct keyring_config *config, struct err *err)
{
	CLEANUP(keyring_freep) struct keyring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return err_nomem(err);
	(void)pthread_mutex_init(&ring->making, NULL);
	(void)pthread_mutex_init(&ring->lock, NULL);
	ring->config = *config;
	TRY(vault_open(&ring->vault, &config->vault, err));
	if (load_all(ring, err) != OK)
		return err_prefix(err, ERR_CONFIG, "keys");
	*out = take(ring);
	return OK;
}

void keyring_free(struct keyring *ring)
{
	struct keyring_entry *e, *next;

	if (!ring)
		return;
	for (e = ring->first; e; e = next) {
		next = e->next;
		entry_free(e);
	}
	vault_free(ring->vault);
	(void)pthread_mutex_destroy(&ring->making);
	(void)pthread_mutex_destroy(&ring->lock);
	free(ring);
}

/* ---- the TLS servers' keys, which lie where the configuration says ---- */

static enum result use_tls_key(struct keyring *ring, const char *place, struct err *err)
{
	CLEANUP(kept_key_clear) struct kept_key kept = { 0 };
	CLEANUP(entry_freep) struct keyring_entry *e = NULL;
	char id[KEEPER_ID_MAX + 1];

	TRY(vault_load_foreign(ring->vault, place, &kept, err));
	TRY(keeper_tls_key_id(vault_crypto(ring->vault), kept_key_spki(&kept), id, err));
	if (find(ring, span_str(id)))
		return OK;
	if (keyring_count(ring) >= KEYS_MAX)
		return err_set(err, ERR_LIMIT, "%s: more than %d keys", directory_of(ring),
			       KEYS_MAX);
	e = entry_new(span_str(id));
	if (!e)
		return err_nomem(err);
	e->kept = kept;
	kept = (struct kept_key){ 0 };
	e->rule.tls = true;
	add(ring, take(e));
	return OK;
}

/* Of a look at all of them: one that cannot be had costs no other. */
struct tls_search {
	struct keyring *ring;
	enum result failed; /* the first that could not */
	struct err why;
};

static enum result try_tls_key(void *ctx, const char *place, UNUSED struct err *err)
{
	struct tls_search *s = ctx;
	struct err why = { 0 };
	enum result r = use_tls_key(s->ring, place, &why);

	if (r != OK && s->failed == OK) {
		s->failed = r;
		s->why = why;
	}
	return OK;
}

/* The id of a TLS server's key is made of the key: one that is unknown may have come since. */
static enum result find_tls_key(struct keyring *ring, struct span id, struct keyring_entry **out,
				struct err *err)
{
	struct tls_search search = { .ring = ring };
	enum result r;

	(void)pthread_mutex_lock(&ring->making);
	r = ring->config.tls_keys->each(ring->config.tls_keys->ctx, try_tls_key, &search, err);
	(void)pthread_mutex_unlock(&ring->making);
	*out = find(ring, id);
	if (*out || r != OK)
		return *out ? OK : r;
	if (search.failed != OK)
		return err_set(err, search.failed, "%s", err_text(&search.why));
	return err_set(err, ERR_NOT_FOUND,
		       "none of the configured TLS keys belongs to the certificate");
}

/* ---- use ---- */

enum result keyring_copy(struct keyring *ring, struct span id, struct crypto *c,
			 const struct keyring_entry **entry, struct key **key, struct err *err)
{
	struct keyring_entry *e = find(ring, id);

	if (!e && ring->config.tls_keys && keeper_id_is_tls(id))
		TRY(find_tls_key(ring, id, &e, err));
	if (!e)
		return err_set(err, ERR_NOT_FOUND, "no key \"%.*s\" in %s", (int)id.len,
			       (const char *)id.p, directory_of(ring));
	TRY(kept_key_use(&e->kept, c, key, err));
	*entry = e;
	return OK;
}

/* The rule first: a key is there when its own file is. */
static enum result write_files(const struct keyring *ring, struct keyring_entry *e, struct err *err)
{
	char path[PATH_MAX];
	BUF text = BUF_INIT;

	TRY(key_rule_write(&e->rule, &text, err));
	TRY(path_of(ring, e, ".rule", path, err));
	TRY(file_write_atomic(path, 0600, buf_span(&text), err));
	return vault_save(ring->vault, e->id, &e->kept, err);
}

/* What is to be made, and where: see vault_make. */
struct order {
	struct key_spec spec;
	struct span store;
};

#define RSA_BITS_LEAST 2048
#define RSA_BITS_MOST 8192

/* A CA's next key that can be broken would be as good as the CA's own; a huge one is never done. */
static enum result check_spec(struct key_spec spec, struct err *err)
{
	if (spec.kind != KEY_RSA || (spec.bits >= RSA_BITS_LEAST && spec.bits <= RSA_BITS_MOST))
		return OK;
	return err_set(err, ERR_BAD_ALG, "RSA keys of %u bits are not made, of %d to %d are",
		       spec.bits, RSA_BITS_LEAST, RSA_BITS_MOST);
}

/*
 * Is it the id of a family's first key, which is gone? Whoever had it would be kin to all others.
 */
static bool is_family(struct keyring *ring, struct span id)
{
	const struct keyring_entry *e;

	(void)pthread_mutex_lock(&ring->lock);
	for (e = ring->first; e && !span_eq(buf_span(&e->rule.family), id);)
		e = e->next;
	(void)pthread_mutex_unlock(&ring->lock);
	return e;
}

static enum result make(struct keyring *ring, struct keyring_entry *e, const struct order *order,
			struct err *err)
{
	const struct span id = span_of(e->id, e->id_len);

	TRY(check_spec(order->spec, err));
	if (find(ring, id) || is_family(ring, id))
		return err_set(err, ERR_CONFLICT,
			       "key \"%s\" exists already in %s, or its "
			       "successors do",
			       e->id, directory_of(ring));
	if (keyring_count(ring) >= KEYS_MAX)
		return err_set(err, ERR_LIMIT, "%s: more than %d keys", directory_of(ring),
			       KEYS_MAX);
	TRY(vault_make(ring->vault, e->id, order->store, order->spec, &e->kept, err));
	return write_files(ring, e, err);
}

/* Takes e over. */
static enum result make_entry(struct keyring *ring, struct keyring_entry *e,
			      const struct order *order, struct err *err)
{
	CLEANUP(entry_freep) struct keyring_entry *made = e;
	enum result r;

	(void)pthread_mutex_lock(&ring->making);
	r = make(ring, made, order, err);
	if (r == OK)
		add(ring, take(made));
	(void)pthread_mutex_unlock(&ring->making);
	return r;
}

/* "like:ID" becomes what that key's store is called. */
static enum result resolve_store(struct keyring *ring, struct span *store, struct buf *room,
				 struct err *err)
{
	const size_t n = sizeof(KEEPER_STORE_LIKE) - 1;
	const struct keyring_entry *other;

	if (!span_eq(span_sub(*store, 0, n), SPAN_LIT(KEEPER_STORE_LIKE)))
		return OK;
	other = find(ring, span_sub(*store, n, SIZE_MAX));
	if (!other)
		return err_set(err, ERR_NOT_FOUND, "no key \"%.*s\" in %s", (int)(store->len - n),
			       (const char *)store->p + n, directory_of(ring));
	TRY(kept_key_store(&other->kept, room, err));
	*store = buf_span(room);
	return OK;
}

enum result keyring_generate(struct keyring *ring, struct span id, struct key_spec spec,
			     struct span store_and_rule, struct err *err)
{
	CLEANUP(entry_freep) struct keyring_entry *e = entry_new(id);
	size_t line = span_find(store_and_rule, '\n');
	struct order order = { spec, span_sub(store_and_rule, 0, line) };
	BUF store = BUF_INIT;

	if (!e)
		return err_nomem(err);
	TRY(key_rule_read(span_sub(store_and_rule, line + 1, SIZE_MAX), &e->rule, err));
	if (e->rule.family.len)
		return err_set(err, ERR_DENIED,
			       "key rule: of which family a key is, only its making can say");
	TRY(resolve_store(ring, &order.store, &store, err));
	return make_entry(ring, take(e), &order, err);
}

/* ---- generations of a CA's key ---- */

struct span keyring_spki(const struct keyring_entry *e)
{
	return kept_key_spki(&e->kept);
}

const struct keyring_entry *keyring_by_spki(struct keyring *ring, struct span spki)
{
	const struct keyring_entry *e;

	(void)pthread_mutex_lock(&ring->lock);
	for (e = ring->first; e && !span_eq(keyring_spki(e), spki);)
		e = e->next;
	(void)pthread_mutex_unlock(&ring->lock);
	return e;
}

static struct span family_of(const struct keyring_entry *e)
{
	return e->rule.family.len ? buf_span(&e->rule.family) : span_of(e->id, e->id_len);
}

static bool are_kin(const struct keyring_entry *a, const struct keyring_entry *b)
{
	return a != b && a->rule.certificates && b->rule.certificates &&
	       span_eq(family_of(a), family_of(b)) &&
	       span_eq(buf_span(&a->rule.issuer), buf_span(&b->rule.issuer));
}

const struct keyring_entry *keyring_kin(struct keyring *ring, const struct keyring_entry *e,
					const struct keyring_entry *after)
{
	const struct keyring_entry *other;

	(void)pthread_mutex_lock(&ring->lock);
	for (other = after ? after->next : ring->first; other && !are_kin(e, other);)
		other = other->next;
	(void)pthread_mutex_unlock(&ring->lock);
	return other;
}

enum result keyring_succeed(struct keyring *ring, struct span id, struct key_spec spec,
			    struct span before, struct err *err)
{
	CLEANUP(entry_freep) struct keyring_entry *e = entry_new(id);
	const struct keyring_entry *old = find(ring, before);
	struct order order = { .spec = spec };
	BUF store = BUF_INIT;

	if (!e)
		return err_nomem(err);
	if (!old)
		return err_set(err, ERR_NOT_FOUND, "no key \"%.*s\" in %s", (int)before.len,
			       (const char *)before.p, directory_of(ring));
	if (!old->rule.certificates)
		return err_set(err, ERR_DENIED, "key rule: only a CA's key has generations");
	TRY(key_rule_copy(&old->rule, &e->rule, err));
	buf_reset(&e->rule.family);
	buf_put(&e->rule.family, family_of(old));
	TRY(buf_check(&e->rule.family, err));
	TRY(kept_key_store(&old->kept, &store, err));
	order.store = buf_span(&store);
	return make_entry(ring, take(e), &order, err);
}

/* ---- tokens that are away ---- */

static const struct keyring_entry *first_of(struct keyring *ring)
{
	const struct keyring_entry *e;

	(void)pthread_mutex_lock(&ring->lock);
	e = ring->first;
	(void)pthread_mutex_unlock(&ring->lock);
	return e;
}

void keyring_check(struct keyring *ring, keyring_away_fn *tell, void *ctx)
{
	const struct keyring_entry *e;

	/* what is added meanwhile comes before the first */
	for (e = first_of(ring); e; e = e->next) {
		struct err err = { 0 };

		if (kept_key_check(&e->kept, &err) != OK)
			tell(ctx, e->id, &err);
	}
}
