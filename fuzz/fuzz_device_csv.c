/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of devices, and what a request says of its own. */
#include "ca/device_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct device_csv_options options = { .once = true };
	CLEANUP(device_csv_clear) struct device_csv csv = { .n = 0 };
	CLEANUP(device_keys_clear) struct device_keys keys = { .n = 0 };
	BUF complaints = BUF_INIT;
	size_t i;

	if (device_csv_parse(&csv, span_of(data, size), &options, &complaints, NULL) == OK)
		for (i = 0; i < csv.n; i++)
			if (csv.entries[i].key.len == 0)
				__builtin_trap();
	if (device_keys_read(&keys, span_of(data, size), span_of(data, size), NULL) != OK)
		return 0;
	return 0;
}
