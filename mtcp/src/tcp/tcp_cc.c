/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of congestion control algorithms, by name and by position. */

#include "tcp/tcp_cc.h"

static const struct cc_ops *const algorithms[] = {
#define X(name) &cc_##name,
	TCP_CC_LIST(X)
#undef X
};

const struct cc_ops *
tcp_cc_find(const char *name)
{
	for (unsigned i = 0; i < array_len(algorithms); i++)
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	return NULL;
}

const struct cc_ops *
tcp_cc_at(unsigned i)
{
	return i < array_len(algorithms) ? algorithms[i] : NULL;
}
