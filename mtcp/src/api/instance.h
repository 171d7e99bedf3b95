/* SPDX-License-Identifier: BSD-3-Clause */
/* What other files of the API may ask the instance. */
#pragma once

#include "io_engine/io.h"

/* How the first port steers, if it does by Toeplitz; NULL: it does not, or there is none. */
const struct io_rss *instance_rss(void);
