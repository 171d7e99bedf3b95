#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# steering.sh with 100,000 connections each way on each kind of port.
export MTCP_STEERING_CONNS=${MTCP_STEERING_CONNS:-100000}
exec bash "$(dirname "$0")/steering.sh"
