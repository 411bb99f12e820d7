/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes, named after what they promise. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * DEFINE_CLEANUP(type, fn): makes fn##p(), which frees what a pointer variable of that type
 * holds when the variable leaves its scope: CLEANUP(cert_freep) struct cert *c = NULL;
 */
#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline void fn##p(type **p) /* NOLINT(bugprone-macro-parentheses) */                \
	{                                                                                          \
		fn(*p);                                                                            \
	}

/* take(ptr): the value of ptr, which is left NULL: the cleanup no longer owns it. */
#define take(ptr)                                                                                  \
	({                                                                                         \
		__typeof__(ptr) taken_ = (ptr);                                                    \
		(ptr) = NULL;                                                                      \
		taken_;                                                                            \
	})

#endif
