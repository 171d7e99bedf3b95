/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arp.conf and route.conf: neighbours and routes that never change.  Each file
 * opens with how many entries follow (ARP_ENTRY n, ROUTES n), and that count is
 * checked, so that a file cut short is noticed.
 */
#pragma once

#include "api/config.h"
#include "api/config_text.h"

/* "IP/prefix MAC" lines into cfg->arp.  Ends `text`. */
void static_parse_arp(struct config *cfg, struct config_text *text, struct config_log *log);

/* "IP/prefix device" lines into cfg->route.  Ends `text`. */
void static_parse_routes(struct config *cfg, struct config_text *text, struct config_log *log);

/* Both files from config/ below the working directory, or else from beside the .conf
 * file; neither need exist.  Returns the number of problems. */
int static_load(struct config *cfg, const char *conf_file, FILE *err);
