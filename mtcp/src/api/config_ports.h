/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys that speak of ports: port, address, mtu, gateway, stat_print, and the
 * lines of route.conf.  They name ports that may be defined further down, so
 * they are kept as written and brought together when all is read.
 */
#pragma once

#include "api/config.h"
#include "api/config_text.h"

/* The port that `name` means: the whole of what `port` says, or one of its devices; -1: none. */
int ports_index(const struct config *cfg, const char *name);

/* For the table of keys. */
void ports_set(struct config *cfg, char *value, struct config_log *log);
void ports_show(const struct config *cfg, FILE *out);
void ports_set_address(struct config *cfg, char *value, struct config_log *log);
void ports_show_address(const struct config *cfg, FILE *out);
void ports_set_mtu(struct config *cfg, char *value, struct config_log *log);
void ports_show_mtu(const struct config *cfg, FILE *out);
void ports_set_gateway(struct config *cfg, char *value, struct config_log *log);
void ports_show_gateway(const struct config *cfg, FILE *out);
void ports_set_stat_print(struct config *cfg, char *value, struct config_log *log);
void ports_show_stat_print(const struct config *cfg, FILE *out);

/* Fills cfg->port[].ip and cfg->stack's ports and routes from what was written.
 * What cannot be resolved is left out: ports_check() complains. */
void ports_derive(struct config *cfg);

/* Complains about all that ports_derive() had to leave out, and a missing address. */
void ports_check(const struct config *cfg, struct config_log *log);
