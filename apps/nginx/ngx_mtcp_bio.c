/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS on the stack's sockets.  OpenSSL is a shared library and calls the system itself, so where nginx gives it
 * a descriptor of the stack's it gets a BIO instead, whose reads and writes are ours.
 */
#include "ngx_mtcp.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

int __real_SSL_set_fd(SSL *ssl, int fd);
int __wrap_SSL_set_fd(SSL *ssl, int fd);

static int
fd_of(BIO *b)
{
	return (int)(intptr_t)BIO_get_data(b);
}

static ngx_flag_t
is_worth_retrying(ssize_t n)
{
	return n < 0 && (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EINTR);
}

static int
bio_write(BIO *b, const char *data, int len)
{
	ssize_t n;

	BIO_clear_retry_flags(b);
	n = posix_send(ngx_mtcp_posix, fd_of(b), data, (size_t)len, 0);
	if (is_worth_retrying(n))
		BIO_set_retry_write(b);
	return (int)n;
}

/* An end without TLS's own goodbye is told apart by BIO_eof(). */
static int
bio_read(BIO *b, char *data, int len)
{
	ssize_t n;

	BIO_clear_retry_flags(b);
	n = posix_recv(ngx_mtcp_posix, fd_of(b), data, (size_t)len, 0);
	if (is_worth_retrying(n))
		BIO_set_retry_read(b);
	else if (n == 0)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return (int)n;
}

/* The socket is nginx's to close. */
static long
bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	switch (cmd) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP:
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	case BIO_CTRL_GET_CLOSE:
		return BIO_NOCLOSE;
	default:
		return 0;
	}
}

static int
bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO_METHOD *
method_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mtcp");

	if (m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
	    BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create))
		return m;
	BIO_meth_free(m);
	return NULL;
}

int
__wrap_SSL_set_fd(SSL *ssl, int fd)
{
	static BIO_METHOD *method;
	BIO *b;

	if (!ngx_mtcp_posix || posix_sockid(ngx_mtcp_posix, fd) < 0)
		return __real_SSL_set_fd(ssl, fd);
	if (!method)
		method = method_new();
	b = method ? BIO_new(method) : NULL;
	if (!b)
		return 0;
	BIO_set_data(b, (void *)(intptr_t)fd);
	SSL_set_bio(ssl, b, b);
	return 1;
}
