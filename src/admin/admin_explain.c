/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "admin/call.h"
#include "admin/cert_json.h"
#include "base/hex.h"

#define EVENTS_MAX 50
#define CERTS_MAX 10

/*
 * What to do about it, by the step that failed first and the word of the decision; NULL: any. The
 * first row that fits counts.
 */
static const struct advice {
	const char *step;
	const char *error;
	const char *text;
} advices[] = {
	{ "challenge", NULL,
	  "Make a challenge for this device with \"scepterctl challenge new\" and enter it there; "
	  "\"scepterctl challenge list --all\" shows what became of the old one." },
	{ "renewal", NULL,
	  "The device's certificate cannot stand for a challenge now: see \"renewal\" of the "
	  "certificate profile and \"authorisation\" of the endpoint, or enrol the device anew "
	  "with "
	  "a challenge." },
	{ "key", NULL,
	  "Somebody else may have this device's key: have it make a new one. \"scepterctl key "
	  "show\" "
	  "tells who said so and why." },
	{ "approval", NULL,
	  "An operator decides: \"scepterctl request list --all\" shows what was said." },
	{ "profile", "bad-algorithm",
	  "Have the device make a key of a kind and size that the certificate profile takes, or "
	  "allow its key under \"keys\" of the profile and reload the server." },
	{ "profile", NULL,
	  "Change the names that the device asks for, or what \"subject\" and \"san\" of the "
	  "certificate profile allow, and reload the server." },
	{ "issue", NULL,
	  "The certificate would have broken RFC 5280 or the rule of the CA's key: compare the "
	  "certificate profile with it (validity, names)." },
	{ "decryption", NULL,
	  "The request is not encrypted for this server's certificate: let the device fetch the CA "
	  "certificates again (GetCACert), and check that it uses this endpoint's URL." },
	{ NULL, "bad-algorithm",
	  "The device uses an algorithm below the endpoint's floor: configure it for SHA-256 and "
	  "AES, or open \"legacy\" for this endpoint only." },
	{ "signature", NULL,
	  "The request was changed on its way, or the device signs with another key than the "
	  "certificate in the request says: capture the message and read it with \"scepter "
	  "decode\"." },
	{ NULL, "bad-pop",
	  "The device must sign the PKCS#10 request with the key that it asks the certificate "
	  "for." },
	{ NULL, "bad-time", "Set the device's clock." },
	{ NULL, NULL,
	  "Read the step that failed; capture the message and read it with \"scepter decode\"." },
};

static const char *advise(const char *step, const char *error)
{
	const struct advice *a = advices;

	while ((a->step && strcmp(a->step, step) != 0) ||
	       (a->error && strcmp(a->error, error) != 0))
		a++;
	return a->text;
}

/* ---- the story ---- */

struct story {
	json_t *events;
	json_t *certs;
	char outcome[16]; /* of the latest decision: "issued", "rejected", "" */
	const char *advice;
};

static void story_clear(struct story *s)
{
	json_decref(s->events);
	json_decref(s->certs);
}

/* The steps of an event; what is no list of steps is left out. */
static json_t *steps_of(const struct store_event *e)
{
	json_t *steps = e->detail ? json_loads(e->detail, 0, NULL) : NULL;

	if (json_is_array(steps))
		return steps;
	json_decref(steps);
	return json_array();
}

/* "rejected: denied" of the last step gives "denied". */
static const char *error_word(const char *decision)
{
	const char *colon = strstr(decision, ": ");

	return colon ? colon + 2 : "";
}

static const char *advice_of(const json_t *steps)
{
	const char *step = "", *error = "", *name, *text;
	const json_t *one;
	size_t i;

	json_array_foreach(steps, i, one)
	{
		name = json_string_value(json_object_get(one, "step"));
		text = json_string_value(json_object_get(one, "text"));
		if (!name || !text || !json_is_false(json_object_get(one, "ok")))
			continue;
		if (strcmp(name, "decision") == 0)
			error = error_word(text);
		else if (!*step)
			step = name;
	}
	return advise(step, error);
}

static void judge(struct story *s, const char *kind, const json_t *steps)
{
	const char *word = strrchr(kind, '.');

	if (s->outcome[0] || strncmp(kind, "enrol.", 6) != 0 || !word)
		return;
	(void)snprintf(s->outcome, sizeof(s->outcome), "%s", word + 1);
	s->advice = strcmp(word, ".rejected") == 0 ? advice_of(steps) : NULL;
}

static json_t *text_or_null(const char *text)
{
	return text ? admin_call_json_text(span_str(text)) : json_null();
}

/* They come newest first and are told oldest first. */
static enum result add_event(void *ctx, const struct store_event *e, struct err *err)
{
	struct story *s = ctx;
	json_t *steps = steps_of(e), *event;

	judge(s, e->kind, steps);
	event =
	    json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)e->id,
		      "time", admin_call_json_time(e->time), "kind", e->kind, "endpoint",
		      text_or_null(e->endpoint), "ca", text_or_null(e->ca), "serial",
		      e->serial.len ? admin_call_json_hex(e->serial) : json_null(), "actor",
		      text_or_null(e->actor), "reason", text_or_null(e->reason), "steps", steps);
	return json_array_insert_new(s->events, 0, event) == 0 ? OK : err_nomem(err);
}

static enum result add_cert(void *ctx, const struct store_cert *c, struct err *err)
{
	struct story *s = ctx;

	return json_array_append_new(s->certs, admin_cert_json(c, false)) == 0 ? OK
									       : err_nomem(err);
}

static RESULT tell(struct admin_call *call, struct span transaction, struct story *s,
		   struct err *err)
{
	struct store_event_filter events = { .transaction = transaction,
					     .limit = EVENTS_MAX,
					     .newest_first = true };
	struct store_cert_filter certs = { .transaction = transaction, .limit = CERTS_MAX };

	TRY(store_each_event(call->api->store, &events, add_event, s, err));
	TRY(store_each_cert(call->api->store, &certs, add_cert, s, err));
	return admin_cert_add_status(call->api->store, s->certs, err);
}

/*
 * A transactionID is text that often is hexadecimal itself. As text first; what was given in
 * hexadecimal because it cannot be typed comes second.
 */
static RESULT find(struct admin_call *call, struct buf *id, struct story *s, struct err *err)
{
	BUF bytes = BUF_INIT;

	buf_put(id, buf_span(&call->arg));
	TRY(buf_check(id, err));
	TRY(tell(call, buf_span(id), s, err));
	if (json_array_size(s->events) || hex_parse(buf_span(&call->arg), &bytes, NULL) != OK ||
	    bytes.len == 0)
		return OK;
	TRY(tell(call, buf_span(&bytes), s, err));
	if (json_array_size(s->events)) {
		buf_clear(id);
		*id = buf_take(&bytes);
	}
	return OK;
}

enum result admin_explain_show(struct admin_call *call, struct err *err)
{
	CLEANUP(story_clear) struct story s = { json_array(), json_array(), "", NULL };
	BUF id = BUF_INIT;

	TRY(find(call, &id, &s, err));
	if (json_array_size(s.events) == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "no transaction \"%.80s\" was seen: did the request reach this "
			       "server, and does the access log show it?",
			       admin_call_arg(call));
	return admin_call_answer(call,
				 json_pack("{s:o, s:o, s:s, s:o, s:O, s:O}", "transaction",
					   admin_call_json_text(buf_span(&id)), "hex",
					   admin_call_json_hex(buf_span(&id)), "outcome", s.outcome,
					   "advice", text_or_null(s.advice), "events", s.events,
					   "certs", s.certs),
				 err);
}
