/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_peers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/random.h"
#include "net/address.h"

#define BUCKETS 1024 /* power of two */

struct peer {
	struct peer *next;
	uint64_t key;
	unsigned count;
};

struct http_peers {
	pthread_mutex_t lock;
	unsigned cap;
	uint64_t seed; /* keeps strangers from choosing addresses that share a bucket */
	struct peer *buckets[BUCKETS];
};

enum result http_peers_new(struct http_peers **out, unsigned cap, struct err *err)
{
	struct http_peers *peers = calloc(1, sizeof(*peers));
	enum result r;

	if (!peers)
		return err_nomem(err);
	r = random_fill((uint8_t *)&peers->seed, sizeof(peers->seed), err);
	if (r != OK) {
		free(peers);
		return r;
	}
	(void)pthread_mutex_init(&peers->lock, NULL);
	peers->cap = cap;
	*out = peers;
	return OK;
}

void http_peers_free(struct http_peers *peers)
{
	struct peer *p, *next;
	size_t i;

	if (!peers)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (p = peers->buckets[i]; p; p = next) {
			next = p->next;
			free(p);
		}
	(void)pthread_mutex_destroy(&peers->lock);
	free(peers);
}

/* False for what is not counted. */
static bool key_of(const struct sockaddr_storage *addr, uint64_t *key)
{
	struct address a;
	uint16_t port;
	struct span bytes;

	if (!address_of_socket(addr, &a, &port))
		return false;
	bytes = address_key(&a);
	memcpy(key, bytes.p + bytes.len - sizeof(*key), sizeof(*key));
	return true;
}

static struct peer **bucket_of(struct http_peers *peers, uint64_t key)
{
	uint64_t x = key ^ peers->seed;

	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
	return &peers->buckets[(x >> 32) & (BUCKETS - 1)];
}

/* The place of key's entry in its chain; of the chain's end if it has none. */
static struct peer **find(struct http_peers *peers, uint64_t key)
{
	struct peer **at = bucket_of(peers, key);

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

static bool enter(struct http_peers *peers, uint64_t key)
{
	struct peer **at = find(peers, key);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return false;
		(*at)->key = key;
	}
	if ((*at)->count == peers->cap)
		return false;
	(*at)->count++;
	return true;
}

bool http_peers_enter(struct http_peers *peers, const struct sockaddr_storage *addr)
{
	uint64_t key;
	bool may;

	if (peers->cap == 0 || !key_of(addr, &key))
		return true;
	(void)pthread_mutex_lock(&peers->lock);
	may = enter(peers, key);
	(void)pthread_mutex_unlock(&peers->lock);
	return may;
}

void http_peers_leave(struct http_peers *peers, const struct sockaddr_storage *addr)
{
	struct peer **at, *p;
	uint64_t key;

	if (peers->cap == 0 || !key_of(addr, &key))
		return;
	(void)pthread_mutex_lock(&peers->lock);
	at = find(peers, key);
	p = *at;
	if (p && --p->count == 0) {
		*at = p->next;
		free(p);
	}
	(void)pthread_mutex_unlock(&peers->lock);
}
