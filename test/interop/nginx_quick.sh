#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What takes little time of nginx.sh: two workers on a TAP.  Nginx is built for it, without what
# is not asked for, the first time that this build folder is checked.
MTCP_NGINX_QUICK=yes
. "$(dirname "$0")/nginx.sh"
