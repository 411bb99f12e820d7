/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/ca: decisions as the rules for anomalies see them. Each raised is an event, and a
 * warning in the log. */
#ifndef CA_ENROL_ANOMALY_H
#define CA_ENROL_ANOMALY_H

#include "ca/enrol_issue.h"

/* After the decision is durable. */
void enrol_anomaly_refused(const struct enrol_decision *d);
void enrol_anomaly_issued(const struct enrol_decision *d);

#endif
