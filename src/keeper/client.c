/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "keeper/channel.h"
#include "keeper/wire.h"

/* An RSA-4096 key can take its time on a small machine. */
#define GENERATE_MS 120000

/* One channel, used by one thread at a time. */
struct link {
	struct link *next; /* in the pool */
	int fd;
	bool slow;     /* waits long: for one call, never pooled */
	struct buf in; /* the last reply */
};

struct keeper_client {
	int intro_fd;
	unsigned timeout_ms;
	pthread_mutex_t lock; /* of pool */
	struct link *pool;
	struct meter *meter; /* a histogram a row of calls, and who got no answer */
};

struct keeper_key {
	struct key base;
	struct keeper_client *client;
	char id[KEEPER_ID_MAX + 1];
};

/* ---- what is counted ---- */

static const char *const calls[] = {
	"ping",         "open",         "generate", "decrypt",   "succeed",  "sign-certificate",
	"sign-crl",     "sign-content", "sign-csr", "sign-ocsp", "sign-tls", "sign-audit",
	"sign-next-ca",
};
#define FIRST_SIGN 5
_Static_assert(ARRAY_LEN(calls) == FIRST_SIGN + KEY_FOR_NEXT_CA + 1, "a row for each purpose");
#define UNANSWERED (ARRAY_LEN(calls) * HISTOGRAM_COUNTERS)

static size_t call_of(const struct keeper_request *req)
{
	static const size_t rows[] = {
		[KEEPER_PING] = 0,    [KEEPER_OPEN] = 1,    [KEEPER_GENERATE] = 2,
		[KEEPER_DECRYPT] = 3, [KEEPER_SUCCEED] = 4, [KEEPER_SIGN] = FIRST_SIGN
	};

	return rows[req->op] + (req->op == KEEPER_SIGN ? (size_t)req->purpose : 0);
}

static void count(const struct keeper_client *k, const struct keeper_request *req, int64_t begun)
{
	histogram_add(k->meter, call_of(req) * HISTOGRAM_COUNTERS, clock_mono_us() - begun);
}

bool keeper_client_calls(const struct keeper_client *k, size_t i, struct keeper_client_calls *out)
{
	if (i >= ARRAY_LEN(calls))
		return false;
	out->call = calls[i];
	histogram_read(k->meter, i * HISTOGRAM_COUNTERS, &out->took);
	return true;
}

uint64_t keeper_client_unanswered(const struct keeper_client *k)
{
	return meter_sum(k->meter, UNANSWERED);
}

/* ---- channels ---- */

static void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		(void)close(l->fd);
	buf_wipe(&l->in);
	free(l);
}
DEFINE_CLEANUP(struct link, link_free)

static enum result set_timeout(int fd, unsigned ms, struct err *err)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		return err_errno(err, errno, "keeper: channel timeout");
	return OK;
}

static enum result link_new(struct link **out, const struct keeper_client *k, bool slow,
			    struct err *err)
{
	CLEANUP(link_freep) struct link *l = calloc(1, sizeof(*l));
	enum result r;
	int pair[2];

	if (!l)
		return err_nomem(err);
	l->fd = -1;
	l->slow = slow;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_errno(err, errno, "keeper: socketpair");
	l->fd = pair[0];
	r = channel_introduce(k->intro_fd, pair[1], slow, err);
	(void)close(pair[1]);
	TRY(r);
	TRY(set_timeout(l->fd, slow ? GENERATE_MS : k->timeout_ms, err));
	*out = take(l);
	return OK;
}

static struct link *pool_take(struct keeper_client *k)
{
	struct link *l;

	(void)pthread_mutex_lock(&k->lock);
	l = k->pool;
	if (l)
		k->pool = l->next;
	(void)pthread_mutex_unlock(&k->lock);
	return l;
}

/* Wiped: the reply may have been a decrypted key. */
static void pool_put(struct keeper_client *k, struct link *l)
{
	if (l->slow) {
		link_free(l);
		return;
	}
	explicit_bzero(l->in.data, l->in.len);
	buf_reset(&l->in);
	(void)pthread_mutex_lock(&k->lock);
	l->next = k->pool;
	k->pool = l;
	(void)pthread_mutex_unlock(&k->lock);
}

/* One broken channel means a dead keeper, so the idle ones are broken too. */
static void pool_drop(struct keeper_client *k)
{
	struct link *l;

	while ((l = pool_take(k)))
		link_free(l);
}

/* ---- calls ---- */

static enum result link_send(const struct link *l, const struct keeper_request *req,
			     struct err *err)
{
	uint8_t header[KEEPER_HEADER];
	const struct span parts[] = { SPAN_ARRAY(header), req->id, req->payload };

	keeper_wire_put_request(req, header);
	return channel_send(l->fd, parts, ARRAY_LEN(parts), err);
}

static enum result link_recv(struct link *l, struct keeper_reply *reply, struct err *err)
{
	TRY(channel_recv(l->fd, keeper_wire_reply_length, &l->in, err));
	return keeper_wire_get_reply(buf_span(&l->in), reply, err);
}

/* A channel that has taken the request; an idle one may turn out to be of a keeper that has died.
 */
static enum result send_request(struct keeper_client *k, const struct keeper_request *req,
				struct link **out, struct err *err)
{
	/* of a long request the rest follows: it could not be sent again on another channel */
	bool slow = keeper_request_is_slow(req);
	CLEANUP(link_freep) struct link *l = slow ? NULL : pool_take(k);

	if (l && link_send(l, req, err) == OK) {
		*out = take(l);
		return OK;
	}
	if (l)
		pool_drop(k);
	link_free(take(l));
	TRY(link_new(&l, k, slow, err));
	TRY(link_send(l, req, err));
	*out = take(l);
	return OK;
}

/* What went wrong on the way is for the caller to try again, whatever it was. */
static enum result away(struct keeper_client *k, struct err *err)
{
	pool_drop(k);
	meter_add(k->meter, UNANSWERED, 1);
	return err_prefix(err, ERR_BUSY, "the keeper gave no answer");
}

/* The reply to a request that l has taken. */
static enum result finish(struct keeper_client *k, struct link *sent, struct link **out,
			  struct keeper_reply *reply, struct err *err)
{
	CLEANUP(link_freep) struct link *l = sent;
	enum result r;

	if (link_recv(l, reply, err) != OK)
		return away(k, err);
	if (reply->result == OK) {
		*out = take(l);
		return OK;
	}
	r = err_set(err, reply->result, "%.*s", (int)reply->payload.len,
		    (const char *)reply->payload.p);
	pool_put(k, take(l));
	return r;
}

static enum result call(struct keeper_client *k, const struct keeper_request *req,
			struct link **out, struct keeper_reply *reply, struct err *err)
{
	const int64_t begun = clock_mono_us();
	struct link *l = NULL;
	enum result r;

	if (req->id.len > KEEPER_ID_MAX || req->payload.len > KEEPER_PAYLOAD_MAX)
		return err_set(err, ERR_LIMIT, "keeper: message of %zu bytes, at most %u",
			       req->payload.len, KEEPER_PAYLOAD_MAX);
	if (send_request(k, req, &l, err) != OK)
		return away(k, err);
	r = finish(k, l, out, reply, err);
	count(k, req, begun);
	return r;
}

/* A call whose reply has nothing to read. */
static enum result call_plain(struct keeper_client *k, const struct keeper_request *req,
			      struct err *err)
{
	struct keeper_reply reply;
	struct link *l = NULL;

	TRY(call(k, req, &l, &reply, err));
	pool_put(k, l);
	return OK;
}

/* ---- keys ---- */

static enum result key_sign_there(struct key *key, UNUSED struct crypto *c,
				  enum key_purpose purpose, struct sig_alg alg, struct span message,
				  struct buf *out, struct err *err)
{
	struct keeper_key *k = (struct keeper_key *)key;
	const struct keeper_request req = { .op = KEEPER_SIGN,
					    .id = span_str(k->id),
					    .purpose = purpose,
					    .alg = alg,
					    .payload = message };
	struct keeper_reply reply;
	struct link *l = NULL;

	TRY(call(k->client, &req, &l, &reply, err));
	buf_put(out, reply.payload);
	pool_put(k->client, l);
	return buf_check(out, err);
}

/* Pieces put together until there are `enough` octets, or none left. */
static enum result gather(struct key_pieces *pieces, size_t enough, struct buf *out,
			  struct err *err)
{
	struct span piece = SPAN_NONE;

	while (out->len < enough) {
		TRY(pieces->next(pieces, &piece, err));
		if (piece.len == 0)
			break;
		buf_put(out, piece);
		TRY(buf_check(out, err));
	}
	return OK;
}

static enum result send_rest(struct keeper_client *k, const struct link *l,
			     struct key_pieces *pieces, struct span piece, struct err *err)
{
	uint64_t left = pieces->total - KEEPER_LONG_HEAD;

	while (piece.len && piece.len <= left) {
		left -= piece.len;
		if (channel_send(l->fd, &piece, 1, err) != OK)
			return away(k, err);
		TRY(pieces->next(pieces, &piece, err));
	}
	if (left || piece.len)
		return err_set(err, ERR_INTERNAL, "keeper: a message that is not as long as said");
	return OK;
}

static enum result check_long(const struct keeper_request *req, const struct key_pieces *pieces,
			      struct err *err)
{
	uint64_t max = req->purpose == KEY_FOR_CRL ? KEEPER_LONG_MAX : KEEPER_PAYLOAD_MAX;

	if (pieces->total <= max)
		return OK;
	return err_set(err, ERR_LIMIT, "keeper: message of %llu bytes, at most %llu",
		       (unsigned long long)pieces->total, (unsigned long long)max);
}

static enum result sign_long(const struct keeper_key *k, struct keeper_request *req,
			     struct key_pieces *pieces, struct buf *out, struct err *err)
{
	CLEANUP(link_freep) struct link *l = NULL;
	const int64_t begun = clock_mono_us();
	struct keeper_reply reply;
	struct link *done = NULL;
	BUF begin = BUF_INIT;

	TRY(check_long(req, pieces, err));
	TRY(gather(pieces, KEEPER_LONG_HEAD, &begin, err));
	req->payload = span_sub(buf_span(&begin), 0, KEEPER_LONG_HEAD);
	req->more = pieces->total - req->payload.len;
	if (send_request(k->client, req, &l, err) != OK)
		return away(k->client, err);
	TRY(send_rest(k->client, l, pieces, span_sub(buf_span(&begin), KEEPER_LONG_HEAD, SIZE_MAX),
		      err));
	TRY(finish(k->client, take(l), &done, &reply, err));
	count(k->client, req, begun);
	buf_put(out, reply.payload);
	pool_put(k->client, done);
	return buf_check(out, err);
}

static enum result key_sign_pieces_there(struct key *key, struct crypto *c,
					 enum key_purpose purpose, struct sig_alg alg,
					 struct key_pieces *pieces, struct buf *out,
					 struct err *err)
{
	struct keeper_key *k = (struct keeper_key *)key;
	struct keeper_request req = {
		.op = KEEPER_SIGN, .id = span_str(k->id), .purpose = purpose, .alg = alg
	};
	BUF held = BUF_INIT;

	if (pieces->total > KEEPER_PAYLOAD_MAX)
		return sign_long(k, &req, pieces, out, err);
	TRY(gather(pieces, SIZE_MAX, &held, err));
	return key_sign_there(key, c, purpose, alg, buf_span(&held), out, err);
}

static enum result key_decrypt_there(struct key *key, UNUSED struct crypto *c,
				     const struct transport_alg *alg, struct span cipher,
				     struct secret *out, struct err *err)
{
	struct keeper_key *k = (struct keeper_key *)key;
	const struct keeper_request req = {
		.op = KEEPER_DECRYPT, .id = span_str(k->id), .transport = *alg, .payload = cipher
	};
	struct keeper_reply reply;
	struct link *l = NULL;
	enum result r;

	TRY(call(k->client, &req, &l, &reply, err));
	r = secret_set(out, reply.payload, err);
	pool_put(k->client, l);
	return r;
}

static void key_free_here(struct key *key)
{
	free(key);
}

static const struct key_ops keeper_key_ops = {
	.sign = key_sign_there,
	.decrypt = key_decrypt_there,
	.free = key_free_here,
	.sign_pieces = key_sign_pieces_there,
};

enum result keeper_key_open(struct key **out, struct keeper_client *k, const char *id,
			    struct err *err)
{
	const struct keeper_request req = { .op = KEEPER_OPEN, .id = span_str(id) };
	CLEANUP(key_freep) struct key *base = NULL;
	struct keeper_reply reply;
	struct keeper_key *key;
	struct link *l = NULL;

	if (!keeper_id_is_good(req.id))
		return err_set(err, ERR_NOT_FOUND, "keeper: \"%s\" is no key id", id);
	key = calloc(1, sizeof(*key));
	if (!key)
		return err_nomem(err);
	base = &key->base;
	base->ops = &keeper_key_ops;
	key->client = k;
	memcpy(key->id, req.id.p, req.id.len);
	TRY(call(k, &req, &l, &reply, err));
	buf_put(&base->spki, reply.payload);
	base->kind = reply.spec.kind;
	base->bits = reply.spec.bits;
	pool_put(k, l);
	TRY(buf_check(&base->spki, err));
	*out = take(base);
	return OK;
}

static RESULT check_id(struct span id, struct err *err)
{
	if (keeper_id_is_good(id))
		return OK;
	return err_set(err, ERR_BAD_REQUEST, "keeper: \"%.*s\" is no key id: [a-z0-9-]{1,63}",
		       (int)id.len, (const char *)id.p);
}

enum result keeper_generate_beside(struct keeper_client *k, const char *id, const char *other,
				   struct key_spec spec, const struct key_rule *rule,
				   struct err *err)
{
	char store[sizeof(KEEPER_STORE_LIKE) + KEEPER_ID_MAX];

	if (!keeper_id_is_good(span_str(other)))
		return err_set(err, ERR_BAD_REQUEST, "keeper: \"%s\" is no key id", other);
	(void)snprintf(store, sizeof(store), KEEPER_STORE_LIKE "%s", other);
	return keeper_generate_in(k, id, store, spec, rule, err);
}

enum result keeper_generate(struct keeper_client *k, const char *id, struct key_spec spec,
			    const struct key_rule *rule, struct err *err)
{
	return keeper_generate_in(k, id, NULL, spec, rule, err);
}

enum result keeper_generate_in(struct keeper_client *k, const char *id, const char *store,
			       struct key_spec spec, const struct key_rule *rule, struct err *err)
{
	struct keeper_request req = { .op = KEEPER_GENERATE, .id = span_str(id), .spec = spec };
	BUF text = BUF_INIT;

	TRY(check_id(req.id, err));
	if (store && strchr(store, '\n'))
		return err_set(err, ERR_BAD_REQUEST, "key store: a line end in it");
	buf_put_str(&text, store ? store : "");
	buf_put_byte(&text, '\n');
	TRY(key_rule_write(rule, &text, err));
	req.payload = buf_span(&text);
	return call_plain(k, &req, err);
}

enum result keeper_succeed(struct keeper_client *k, const char *id, struct key_spec spec,
			   const char *before, struct err *err)
{
	const struct keeper_request req = {
		.op = KEEPER_SUCCEED, .id = span_str(id), .spec = spec, .payload = span_str(before)
	};

	TRY(check_id(req.id, err));
	return call_plain(k, &req, err);
}

enum result keeper_ping(struct keeper_client *k, struct err *err)
{
	return call_plain(k, &(struct keeper_request){ .op = KEEPER_PING }, err);
}

/* ---- the client ---- */

enum result keeper_client_new(struct keeper_client **out, int intro_fd, unsigned timeout_ms,
			      struct err *err)
{
	struct keeper_client *k = calloc(1, sizeof(*k));
	enum result r;

	if (!k)
		return err_nomem(err);
	r = meter_new(&k->meter, UNANSWERED + 1, err);
	if (r != OK) {
		free(k);
		return r;
	}
	k->intro_fd = intro_fd;
	k->timeout_ms = timeout_ms;
	(void)pthread_mutex_init(&k->lock, NULL);
	*out = k;
	return OK;
}

void keeper_client_free(struct keeper_client *k)
{
	if (!k)
		return;
	pool_drop(k);
	(void)pthread_mutex_destroy(&k->lock);
	meter_free(k->meter);
	free(k);
}
