/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * The head that next to every peer sends, read in one pass over its bytes: where
 * it ends, what it asks or tells, all at once.
 *
 * These never refuse.  What they are not sure of they leave to http.c, which reads
 * anything and knows the status for what is wrong; whatever they accept it reads
 * alike.
 */
#include "apps/http.h"

/* The length of the head that buf starts with, and *r filled; 0: cut short, or unusual. */
size_t http_request_quick(struct http_request *r, const char *buf, size_t len);
size_t http_response_quick(struct http_response *r, const char *buf, size_t len);

/*
 * http_target_path() for a target without escapes, dots, queries and empty segments:
 * the length of its path.  -1 for others, and for those that do not fit.
 */
ssize_t http_path_quick(char *path, size_t size, const char *target, size_t len);
