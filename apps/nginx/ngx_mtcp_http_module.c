/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stack knows of a client's connection, as variables for logs and headers: $mtcp tells which side
 * a connection is on, the others are numbers of its TCP_INFO, and empty on the kernel's side (where
 * nginx's own $tcpinfo_rtt and its like work as ever; they work here, too).
 */
#include "ngx_mtcp.h"

#include <ngx_http.h>

/* Linux's, of which <netinet/tcp.h> knows the first part. */
struct info {
	struct tcp_info first;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate;
};

_Static_assert(offsetof(struct info, pacing_rate) == 104 && offsetof(struct info, delivery_rate) == 160,
               "as the system has it");

static ngx_flag_t
is_the_stacks(ngx_http_request_t *r)
{
	return ngx_mtcp_posix && posix_sockid(ngx_mtcp_posix, r->connection->fd) >= 0;
}

static ngx_int_t
answer(ngx_http_variable_value_t *v, u_char *data, size_t len)
{
	v->len = (unsigned)len & 0xfffffff;
	v->data = data;
	v->valid = 1;
	v->no_cacheable = 1;
	v->not_found = 0;
	return NGX_OK;
}

static ngx_int_t
side(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
	return is_the_stacks(r) ? answer(v, (u_char *)"mtcp", 4) : answer(v, (u_char *)"kernel", 6);
}

static ngx_int_t
absent(ngx_http_variable_value_t *v)
{
	v->not_found = 1;
	return NGX_OK;
}

static uint64_t
member(const struct info *ti, size_t offset, size_t size)
{
	const u_char *at = (const u_char *)ti + offset;

	return size == sizeof(uint64_t) ? *(const uint64_t *)(const void *)at
	                                : *(const uint32_t *)(const void *)at;
}

/* Where a number stands: its offset and size, in one word. */
#define AT(name)  (offsetof(struct info, name) << 8 | sizeof ((struct info *)NULL)->name)

static ngx_int_t
number(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t at)
{
	struct info ti;
	socklen_t len = sizeof ti;
	u_char *text;

	ngx_memzero(&ti, sizeof ti);
	if (!is_the_stacks(r) || getsockopt(r->connection->fd, IPPROTO_TCP, TCP_INFO, &ti, &len) < 0 ||
	    len < (at >> 8) + (at & 0xff))
		return absent(v);
	text = ngx_pnalloc(r->pool, NGX_INT64_LEN);
	if (!text)
		return NGX_ERROR;
	return answer(v, text, (size_t)(ngx_sprintf(text, "%uL", member(&ti, at >> 8, at & 0xff)) - text));
}

/* Times in microseconds, the window in segments, the rate in bytes a second. */
static const ngx_http_variable_t variables[] = {
	{ ngx_string("mtcp"), NULL, side, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_rtt"), NULL, number, AT(first.tcpi_rtt), NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_rttvar"), NULL, number, AT(first.tcpi_rttvar), NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_min_rtt"), NULL, number, AT(min_rtt), NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_rto"), NULL, number, AT(first.tcpi_rto), NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_cwnd"), NULL, number, AT(first.tcpi_snd_cwnd), NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_retransmits"), NULL, number, AT(first.tcpi_total_retrans),
	  NGX_HTTP_VAR_NOCACHEABLE, 0 },
	{ ngx_string("mtcp_delivery_rate"), NULL, number, AT(delivery_rate),
	  NGX_HTTP_VAR_NOCACHEABLE, 0 },
};

static ngx_int_t
add_variables(ngx_conf_t *cf)
{
	size_t i;

	for (i = 0; i < sizeof variables / sizeof variables[0]; i++) {
		ngx_str_t name = variables[i].name;
		ngx_http_variable_t *v = ngx_http_add_variable(cf, &name, variables[i].flags);

		if (!v)
			return NGX_ERROR;
		v->get_handler = variables[i].get_handler;
		v->data = variables[i].data;
	}
	return NGX_OK;
}

static ngx_http_module_t ctx = {
	add_variables, /* preconfiguration */
	NULL,          /* postconfiguration */
	NULL,          /* create main configuration */
	NULL,          /* init main configuration */
	NULL,          /* create server configuration */
	NULL,          /* merge server configuration */
	NULL,          /* create location configuration */
	NULL           /* merge location configuration */
};

ngx_module_t ngx_mtcp_http_module = {
	NGX_MODULE_V1,
	&ctx,
	NULL,
	NGX_HTTP_MODULE,
	NULL, /* init master */
	NULL, /* init module */
	NULL, /* init process */
	NULL, /* init thread */
	NULL, /* exit thread */
	NULL, /* exit process */
	NULL, /* exit master */
	NGX_MODULE_V1_PADDING
};
