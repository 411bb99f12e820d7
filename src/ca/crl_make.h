/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the revocation lists of a CA: the complete one, its delta, and parts of it, each written,
 * read again and verified, recorded with its number, and only then put where it is served from.
 *
 * Parts: a certificate is on that part which the last octets of its serial number say, and names
 * the part's URL in cRLDistributionPoints. The URL is in the part, too (issuingDistributionPoint).
 */
#ifndef CA_CRL_MAKE_H
#define CA_CRL_MAKE_H

#include "ca/authority.h"
#include "ca/crl_file.h"

#define CRL_PARTS_MAX 256

/* What a CA publishes. Strings borrowed. */
struct crl_plan {
	const char *ca;
	const char *directory;  /* of this CA's lists alone */
	const char *url;        /* where they are found: "http://crl.example/demo"; NULL: not told,
				   then there are neither parts nor a way to the delta */
	unsigned parts;         /* 0: none; fixed as long as certificates live that name them */
	int64_t validity;       /* thisUpdate to nextUpdate */
	int64_t interval;       /* a new one at least as often */
	int64_t delta_interval; /* the same for delta lists, which last twice as long; 0: none */
	int64_t full_after;     /* so long the complete list may lack what the delta list tells */
};

/* Lists by number: */
enum { CRL_COMPLETE, CRL_DELTA, CRL_FIRST_PART };

/*
 * The plan as it is for one generation of the CA: the first has its folder and URL, each later one
 * a folder of its own in it, by its number. Strings owned.
 */
RESULT crl_plan_copy(const struct crl_plan *plan, unsigned generation, struct crl_plan *out,
		     struct err *err);
void crl_plan_clear(struct crl_plan *copy);
/* "2/full.crl": the name without its folder, and the generation that this is of. */
struct span crl_plan_split(struct span name, unsigned *generation);

static inline size_t crl_plan_lists(const struct crl_plan *plan)
{
	return CRL_FIRST_PART + plan->parts;
}

#define CRL_NAME_MAX 16
/* "full.crl", "delta.crl", "0.crl"...: the file, and the last part of the URL. */
void crl_plan_name(size_t list, char out[CRL_NAME_MAX]);
/* CRL_... of such a name; SIZE_MAX if the plan has none of it. */
size_t crl_plan_find(const struct crl_plan *plan, struct span name);
/* The scope as the store records it: "" or "3/8". */
void crl_plan_scope(const struct crl_plan *plan, size_t list, char out[STORE_SCOPE_MAX]);
/* The part, 0 to parts - 1, that a certificate is on. serial: content octets or magnitude. */
unsigned crl_plan_part(struct span serial, unsigned parts);

struct crl_maker {
	struct store *store;
	const struct clock *clock;
	const struct log *log;
	struct crypto *c; /* the calling thread's */
	const struct authority_ca *ca;
	const struct crl_plan *plan;
};

/*
 * All lists of the plan anew. set has crl_plan_lists() places; each list that is made takes the
 * place of the one before, of which the reference is given back. A failure leaves the rest as they
 * were.
 */
RESULT crl_make_all(const struct crl_maker *m, struct crl_file **set, struct err *err);
/*
 * The same for a change in between: the delta list goes on to tell what is new since the complete
 * list that it was made for, so that whoever holds that one can use it until the next schedule.
 */
RESULT crl_make_changed(const struct crl_maker *m, struct crl_file **set, struct err *err);
/* The delta list alone, as in between; ERR_NOT_FOUND where there is no complete one yet. */
RESULT crl_make_delta(const struct crl_maker *m, struct crl_file **set, struct err *err);

#endif
