/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker keeps of the superuser's rights, until its stack has started. */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

/* setuid() that keeps them, and with `xdp` what AF_XDP asks for besides. */
int ngx_mtcp_setuid_keeping(uid_t uid, ngx_flag_t xdp);

/* Gives back what only opening a device asks for; then all. */
void ngx_mtcp_rights_lessen(ngx_log_t *log);
void ngx_mtcp_rights_drop(ngx_log_t *log);
