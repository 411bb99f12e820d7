/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCEPTER_VERSION_H
#define SCEPTER_VERSION_H

/* Of the headers; scepter_version() tells that of the library. */
#define SCEPTER_VERSION "0.1.0"

#endif
