/* SPDX-License-Identifier: Apache-2.0 */
/* A question to whoever sits at the terminal of this process. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include "base/secret.h"

/*
 * Asks for a line that is not shown while it is typed. A signal that would end the process ends the
 * question, and the terminal is as it was. ERR_NOT_FOUND: there is no terminal.
 */
RESULT terminal_ask(const char *question, struct secret *out, struct err *err);

#endif
