#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# epserver and epwget, two processes, over virtio-user and vhost-user.
. "$(dirname "$0")/lib.sh"

begin sha256sum
files_between_ours vhost
finish
