/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one result type. A function that can fail returns enum result, which the compiler does not
 * let a caller drop, and says in a caller-owned struct err (always the last parameter, may be
 * NULL) what disagreed. On failure a function leaves its outputs untouched.
 *
 * One table (err.c) maps a result to what each protocol and each program says of it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#include "base/attr.h"

enum result {
	OK = 0,
	ERR_NOMEM,        /* out of memory */
	ERR_INTERNAL,     /* a defect or a failing library; never the peer's fault */
	ERR_IO,           /* a file, a socket or the disk failed */
	ERR_BUSY,         /* not now: try again (overload, keeper restarting, store locked) */
	ERR_TIMEOUT,      /* the other side took too long */
	ERR_SYNTAX,       /* bytes that are not what the encoding demands */
	ERR_LIMIT,        /* larger, deeper or more than the documented limit */
	ERR_BAD_ALG,      /* algorithm unknown, or below the floor (SCEP badAlg) */
	ERR_BAD_CHECK,    /* a signature or digest does not verify (SCEP badMessageCheck) */
	ERR_BAD_REQUEST,  /* well-formed, but not permitted or not supported (SCEP badRequest) */
	ERR_BAD_TIME,     /* a time is too far from ours (SCEP badTime) */
	ERR_BAD_CERT_ID,  /* no certificate matches (SCEP badCertId) */
	ERR_BAD_POP,      /* proof of possession fails */
	ERR_BAD_TEMPLATE, /* the names, extensions or key asked for break the certificate profile */
	ERR_KEY_BLOCKED,  /* the key was reported as compromised: it takes another */
	ERR_TOO_MANY,     /* more than a limit of requests, or a quota, allows for now */
	ERR_DENIED,       /* no right to: wrong or used challenge, forbidden address */
	ERR_NOT_FOUND,    /* no such object */
	ERR_CONFLICT,     /* exists already, or changed meanwhile */
	ERR_CONFIG,       /* the configuration is wrong */
	ERR_USAGE,        /* the command line is wrong */
	ERR_COUNT_
};

#define RESULT MUST_USE enum result

#define ERR_TEXT_MAX 512

struct err {
	enum result code;
	char text[ERR_TEXT_MAX]; /* one line, no secret in it */
};

/*
 * Row of the mapping table; SCEP RFC 8894 3.2.1.4, CMP RFC 9810 5.2.3 (bit), CMC RFC 5272 6.1.4,
 * OCSP RFC 6960 4.2.1.
 */
struct err_map {
	const char *name;   /* stable word for logs and JSON: "bad-request" */
	int scep_fail_info; /* 0 badAlg .. 4 badCertId */
	int cmp_fail_info;  /* PKIFailureInfo bit number */
	int cmc_fail_info;  /* CMCFailInfo */
	int http_status;
	int ocsp_status; /* OCSPResponseStatus */
	int exit_code;   /* of the programs */
};

/* Sets *err (if any) and returns code, so that a failing function can end in one line. */
RESULT err_set(struct err *err, enum result code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "text: " before what *err says, as the error travels up. Returns code; OK passes through. */
RESULT err_prefix(struct err *err, enum result code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* err_set(ERR_IO or ERR_NOMEM, ...) with strerror(errnum) behind the text. */
RESULT err_errno(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
RESULT err_nomem(struct err *err);

/* Lets clang's analyzer see what it cannot know of another file: each returns the code given. */
#ifdef __clang_analyzer__
#define err_set(err, code, ...) ((void)err_set(err, code, __VA_ARGS__), (code))
#define err_prefix(err, code, ...) ((void)err_prefix(err, code, __VA_ARGS__), (code))
#define err_errno(err, errnum, ...) ((void)err_errno(err, errnum, __VA_ARGS__), ERR_IO)
#define err_nomem(err) ((void)err_nomem(err), ERR_NOMEM)
#endif

/* Empties *err, to be used again. */
void err_clear(struct err *err);

/* The text, or the result's name where no text was set. Never NULL. */
const char *err_text(const struct err *err);

const struct err_map *err_map(enum result code);
const char *err_name(enum result code);

/* Returns from the calling function when expr does not give OK. */
#define TRY(expr)                                                                                  \
	do {                                                                                       \
		enum result try_ = (expr);                                                         \
		if (try_ != OK)                                                                    \
			return try_;                                                               \
	} while (0)

#endif
