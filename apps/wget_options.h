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

#define REQUEST_MAX (HTTP_PATH_MAX + HTTP_HOST_MAX + 256)

struct options {
	struct app_args common;
	struct http_url url;
	struct sockaddr_storage server;
	socklen_t server_len;
	char request[REQUEST_MAX];
	size_t request_len;
	long flows;
	long concurrency;
	long per_flow;        /* requests on each connection */
	long timeout_s;
	const char *out;      /* -o */
	struct response_check check;
};

/* APP_GO_ON, or the status to exit with; what is wrong has been said. */
int options_read(struct options *o, int argc, char **argv);
