/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker keeps of the superuser's rights, until its stack has started. */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

/* setuid() that keeps them. */
int ngx_mtcp_setuid_keeping(uid_t uid);

/* Gives them back. */
void ngx_mtcp_rights_drop(ngx_log_t *log);
