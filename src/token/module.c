/* SPDX-License-Identifier: Apache-2.0 */
#include "token/module.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define SLOTS_MAX 256
#define PIN_MAX 256
#define RENEW_US 1000000 /* between two initialisations: they cost all tokens their sessions */
#define REFUSALS_MAX 8
#define NO_PIN (CKR_VENDOR_DEFINED | 0x504e) /* ours */

struct token_module {
	void *library;
	struct ck_function_list *calls;
	const struct secret *pin;
	pthread_rwlock_t use; /* held for reading by who calls, for writing by renew */
	unsigned epoch;
	bool initialised;
	int64_t renewed; /* monotonic us */
	/* tokens that refused their PIN, by serial number: three times may lock one for good */
	pthread_mutex_t lock;
	unsigned char refusals[REFUSALS_MAX][16];
	size_t n_refusals;
};

/* ---- errors ---- */

static const struct {
	ck_rv_t rv;
	const char *name;
	bool gone;
	bool odd; /* may be that, or anything else */
} names[] = {
	{ CKR_TOKEN_NOT_PRESENT, "it is not there", true },
	{ CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", true },
	{ CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", true },
	{ CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", false, .odd = true },
	{ CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", false, .odd = true },
	{ CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", true },
	{ CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", true },
	{ CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", true },
	{ CKR_KEY_HANDLE_INVALID, "the key is not in it", true },
	{ CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", true },
	{ CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", true },
	{ CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", true },
	{ CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", true },
	{ CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE", true },
	{ CKR_SESSION_COUNT, "CKR_SESSION_COUNT, it has no session left", false },
	{ CKR_PIN_INCORRECT, "it refuses the PIN, which is not tried again before a restart",
	  false },
	{ CKR_PIN_INVALID, "it refuses the PIN, which is not tried again before a restart", false },
	{ CKR_PIN_LEN_RANGE, "it refuses the PIN, which is not tried again before a restart",
	  false },
	{ NO_PIN, "the file of its PIN cannot be read", false },
	{ CKR_PIN_LOCKED, "its PIN is locked; unlock it with the vendor's tool", false },
	{ CKR_PIN_EXPIRED, "its PIN has expired; change it with the vendor's tool", false },
	{ CKR_USER_PIN_NOT_INITIALIZED, "it has no PIN yet; initialise it", false },
	{ CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", false },
	{ CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID, it has no such algorithm", false },
	{ CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID", false },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", false },
	{ CKR_HOST_MEMORY, "CKR_HOST_MEMORY", false },
};

static size_t row_of(ck_rv_t rv)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(names) && names[i].rv != rv;)
		i++;
	return i;
}

bool token_module_is_gone(ck_rv_t rv)
{
	size_t i = row_of(rv);

	return i < ARRAY_LEN(names) && names[i].gone;
}

bool token_module_is_odd(ck_rv_t rv)
{
	size_t i = row_of(rv);

	return i < ARRAY_LEN(names) && names[i].odd;
}

enum result token_module_fail(const struct token_uri *uri, ck_rv_t rv, const char *what,
			      struct err *err)
{
	size_t i = row_of(rv);
	char number[32];
	const char *name = number;

	(void)snprintf(number, sizeof(number), "PKCS#11 error 0x%lx", (unsigned long)rv);
	if (i < ARRAY_LEN(names))
		name = names[i].name;
	return err_set(err, ERR_BUSY, "token \"%.*s\": %s: %s", (int)uri->token.len,
		       uri->token.len ? (const char *)uri->token.data : "", what, name);
}

/* ---- the module ---- */

static ck_rv_t initialise(struct token_module *m)
{
	struct ck_c_initialize_args args = { .flags = CKF_OS_LOCKING_OK };
	ck_rv_t rv = m->calls->C_Initialize(&args);

	m->initialised = rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
	m->renewed = clock_mono_us();
	if (++m->epoch == 0)
		m->epoch = 1;
	return m->initialised ? CKR_OK : rv;
}

static RESULT load(struct token_module *m, const char *path, struct err *err)
{
	CK_C_GetFunctionList get;
	ck_rv_t rv;

	m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!m->library)
		return err_set(err, ERR_CONFIG, "keys.pkcs11.module: %s", dlerror());
	*(void **)&get = dlsym(m->library, "C_GetFunctionList");
	if (!get || get(&m->calls) != CKR_OK || !m->calls)
		return err_set(err, ERR_CONFIG, "keys.pkcs11.module: %s is no PKCS#11 module",
			       path);
	rv = initialise(m);
	/* a service that is not there yet is asked again; what the caller got wrong stays so */
	if (rv == CKR_CANT_LOCK || rv == CKR_ARGUMENTS_BAD)
		return err_set(err, ERR_CONFIG,
			       "keys.pkcs11.module: %s is not for use by threads (0x%lx)", path,
			       (unsigned long)rv);
	return OK;
}

enum result token_module_open(struct token_module **out, const char *path, const struct secret *pin,
			      struct err *err)
{
	CLEANUP(token_module_freep) struct token_module *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	(void)pthread_rwlock_init(&m->use, NULL);
	(void)pthread_mutex_init(&m->lock, NULL);
	m->pin = pin;
	TRY(load(m, path, err));
	*out = take(m);
	return OK;
}

void token_module_free(struct token_module *m)
{
	if (!m)
		return;
	if (m->calls && m->initialised)
		(void)m->calls->C_Finalize(NULL);
	if (m->library)
		(void)dlclose(m->library);
	(void)pthread_rwlock_destroy(&m->use);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

const struct ck_function_list *token_module_calls(const struct token_module *m)
{
	return m->calls;
}

unsigned token_module_enter(struct token_module *m)
{
	(void)pthread_rwlock_rdlock(&m->use);
	return m->epoch;
}

void token_module_leave(struct token_module *m)
{
	(void)pthread_rwlock_unlock(&m->use);
}

void token_module_renew(struct token_module *m, unsigned epoch)
{
	(void)pthread_rwlock_wrlock(&m->use);
	if (m->epoch == epoch && clock_mono_us() - m->renewed > RENEW_US) {
		if (m->initialised)
			(void)m->calls->C_Finalize(NULL);
		(void)initialise(m);
	}
	(void)pthread_rwlock_unlock(&m->use);
}

/* ---- tokens ---- */

/* A token's names stand in fields of fixed size, filled up with blanks. */
static bool is_field(const unsigned char *field, size_t size, const struct buf *want)
{
	while (size && (field[size - 1] == ' ' || field[size - 1] == '\0'))
		size--;
	return want->len == 0 || span_eq(span_of(field, size), buf_span(want));
}

static bool is_like(const struct ck_token_info *info, const struct token_uri *uri)
{
	return (info->flags & CKF_TOKEN_INITIALIZED) &&
	       is_field(info->label, sizeof(info->label), &uri->token) &&
	       is_field(info->manufacturer_id, sizeof(info->manufacturer_id), &uri->manufacturer) &&
	       is_field(info->serial_number, sizeof(info->serial_number), &uri->serial) &&
	       is_field(info->model, sizeof(info->model), &uri->model);
}

ck_rv_t token_module_find_slot(struct token_module *m, const struct token_uri *uri,
			       ck_slot_id_t *slot)
{
	ck_slot_id_t slots[SLOTS_MAX];
	unsigned long n = SLOTS_MAX, i;
	struct ck_token_info info;
	ck_rv_t rv;

	if (!m->initialised)
		return CKR_TOKEN_NOT_PRESENT;
	rv = m->calls->C_GetSlotList(1, slots, &n);
	if (rv != CKR_OK)
		return rv;
	for (i = 0; i < n; i++) {
		if (uri->has_slot && uri->slot != slots[i])
			continue;
		if (m->calls->C_GetTokenInfo(slots[i], &info) == CKR_OK && is_like(&info, uri)) {
			*slot = slots[i];
			return CKR_OK;
		}
	}
	return CKR_TOKEN_NOT_PRESENT;
}

/* ---- sessions ---- */

static bool was_refused(const struct token_module *m, const struct ck_token_info *info)
{
	bool was = false;
	size_t i;

	for (i = 0; i < m->n_refusals; i++)
		was |= memcmp(m->refusals[i], info->serial_number, 16) == 0;
	return was;
}

static void note_refusal(struct token_module *m, const struct ck_token_info *info)
{
	if (m->n_refusals < REFUSALS_MAX)
		memcpy(m->refusals[m->n_refusals++], info->serial_number, 16);
}

static bool is_refusal(ck_rv_t rv)
{
	return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
}

static ck_rv_t find_pin(const struct token_module *m, const struct token_uri *uri,
			struct secret *out)
{
	struct buf path = { 0 };
	ck_rv_t rv = CKR_OK;

	if (!uri->pin_file.len)
		return m->pin && secret_set(out, secret_span(m->pin), NULL) != OK ? CKR_HOST_MEMORY
										  : CKR_OK;
	buf_put(&path, buf_span(&uri->pin_file));
	if (!buf_cstr(&path) || secret_read_file(out, buf_cstr(&path), PIN_MAX, NULL) != OK)
		rv = NO_PIN;
	buf_clear(&path);
	return rv;
}

/* Under the lock: threads that come together try a PIN once. */
static ck_rv_t log_in_locked(struct token_module *m, const struct token_uri *uri,
			     const struct ck_token_info *info, ck_session_handle_t session)
{
	SECRET pin = SECRET_INIT;
	ck_rv_t rv;

	if (was_refused(m, info))
		return CKR_PIN_INCORRECT;
	rv = find_pin(m, uri, &pin);
	if (rv == CKR_OK)
		rv = m->calls->C_Login(session, CKU_USER, pin.bytes.data, pin.bytes.len);
	if (rv == CKR_USER_ALREADY_LOGGED_IN)
		rv = CKR_OK;
	if (is_refusal(rv))
		note_refusal(m, info);
	return rv;
}

static ck_rv_t log_in(struct token_module *m, const struct token_uri *uri,
		      const struct ck_token_info *info, ck_session_handle_t session)
{
	ck_rv_t rv;

	if (!(info->flags & CKF_LOGIN_REQUIRED))
		return CKR_OK;
	(void)pthread_mutex_lock(&m->lock);
	rv = log_in_locked(m, uri, info, session);
	(void)pthread_mutex_unlock(&m->lock);
	return rv;
}

ck_rv_t token_module_open_session(struct token_module *m, const struct token_uri *uri,
				  ck_slot_id_t slot, bool write, ck_session_handle_t *session)
{
	struct ck_token_info info;
	ck_session_handle_t s = 0;
	ck_rv_t rv;

	rv = m->calls->C_GetTokenInfo(slot, &info);
	if (rv == CKR_OK)
		rv = m->calls->C_OpenSession(
		    slot, CKF_SERIAL_SESSION | (write ? CKF_RW_SESSION : 0), NULL, NULL, &s);
	if (rv != CKR_OK)
		return rv;
	rv = log_in(m, uri, &info, s);
	if (rv != CKR_OK) {
		(void)m->calls->C_CloseSession(s);
		return rv;
	}
	*session = s;
	return CKR_OK;
}
