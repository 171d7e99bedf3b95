/* SPDX-License-Identifier: BSD-3-Clause */
/* The key `exception`: which port has a kernel beside it, on which interface. */
#pragma once

#include "api/config.h"
#include "api/config_text.h"

/* For the table of keys. */
void exceptions_set(struct config *cfg, char *value, struct config_log *log);
void exceptions_show(const struct config *cfg, FILE *out);

/* Complains about what is not the name of a port, or of two exceptions for one. */
void exceptions_check(const struct config *cfg, struct config_log *log);

/* The name of the interface that the kernel has beside the port; NULL: it has none. */
const char *exceptions_tap(const struct config *cfg, unsigned port);
