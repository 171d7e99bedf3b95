/* SPDX-License-Identifier: BSD-3-Clause */
/* What exact is made of: each measures its share and reports it. */
#pragma once

/* epserver and a client that asks: short connections, kept ones.  `dir` holds a file "64". */
void exact_http(char *dir);

/* Plain applications on 1, 2 ... 32 cores at once, all as busy. */
void exact_cores(void);

/* Plain applications: full segments in and out, timers, idle steps. */
void exact_plain(void);
