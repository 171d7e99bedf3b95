/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What epwget was told on its command line, read, checked and made ready.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "apps/app_args.h"
#include "apps/http.h"
#include "apps/wget_response.h"
#include "apps/wget_source.h"

#define REQUEST_MAX (HTTP_PATH_MAX + HTTP_HOST_MAX + 256)

struct options {
	struct app_args common;
	const char *target; /* the URL as it was given */
	struct http_url url;
	struct sockaddr_storage server;
	socklen_t server_len;
	char request[REQUEST_MAX];
	size_t request_len;
	long flows; /* 0: no limit */
	long concurrency;
	long per_flow; /* requests on each connection */
	long timeout_s;
	long duration_s; /* 0: until all flows have ended */
	long warm_up_s;
	long rate; /* of an open loop, requests/s of all cores; 0: closed loop */
	bool poisson;
	struct sources sources;
	const char *out; /* -o */
	const char *json, *report;
	bool progress; /* a line on standard error */
	bool merge;
	char **inputs; /* of --merge, up to a NULL */
	struct response_check check;
};

/* APP_GO_ON, or the status to exit with; what is wrong has been said. */
int options_read(struct options *o, int argc, char **argv);
