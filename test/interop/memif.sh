#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# epserver and epwget, two processes, over memif.
. "$(dirname "$0")/lib.sh"

begin sha256sum
files_between_ours memif
finish
