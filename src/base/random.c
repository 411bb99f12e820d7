/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

enum result random_fill(uint8_t *p, size_t n, struct err *err)
{
	ssize_t got;

	while (n) {
		got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, errno, "getrandom");
		p += got;
		n -= (size_t)got;
	}
	return OK;
}
