/* SPDX-License-Identifier: Apache-2.0 */
/* The validity that a PKCS#10 request asks for in Microsoft's enrolment name-value pairs. Pure. */
#ifndef SCEP_VALIDITY_H
#define SCEP_VALIDITY_H

#include "pki/csr.h"

/*
 * ValidityPeriod ("Days") and ValidityPeriodUnits ("30"), whichever of the two has which: Android
 * swaps them. *seconds is 0 where nothing was asked for. ERR_BAD_TEMPLATE: what was asked for says
 * no length of time.
 */
RESULT scep_validity_asked(const struct csr *csr, int64_t *seconds, struct err *err);

#endif
