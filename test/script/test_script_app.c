/* SPDX-License-Identifier: BSD-3-Clause */
/* The application as the attacker: what it passes must harm nobody, itself included. */
#include "test/api/api_test.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <netinet/tcp.h>

#include "mtcp_epoll.h"
#include "test/tcp/aborts.h"

void suite_script_app(void);

static void
test_null_is_refused_where_bytes_are_wanted(void)
{
	struct iovec hole = { NULL, 10 };
	struct msghdr holes = { .msg_iov = &hole, .msg_iovlen = 1 };
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, "hello", 5);
	FAILS_WITH(mtcp_read(&f.ctx, id, NULL, 5), EFAULT);
	FAILS_WITH(mtcp_recv(&f.ctx, id, NULL, 5, MSG_PEEK), EFAULT);
	FAILS_WITH(mtcp_write(&f.ctx, id, NULL, 5), EFAULT);
	FAILS_WITH(mtcp_send(&f.ctx, id, NULL, 5, MSG_MORE), EFAULT);
	FAILS_WITH(mtcp_readv(&f.ctx, id, NULL, 1), EFAULT);
	FAILS_WITH(mtcp_writev(&f.ctx, id, NULL, 1), EFAULT);
	FAILS_WITH(mtcp_readv(&f.ctx, id, &hole, 1), EFAULT);
	FAILS_WITH(mtcp_writev(&f.ctx, id, &hole, 1), EFAULT);
	FAILS_WITH(mtcp_sendmsg(&f.ctx, id, NULL, 0), EFAULT);
	FAILS_WITH(mtcp_recvmsg(&f.ctx, id, NULL, 0), EFAULT);
	FAILS_WITH(mtcp_sendmsg(&f.ctx, id, &holes, 0), EFAULT);
	FAILS_WITH(mtcp_recvmsg(&f.ctx, id, &holes, 0), EFAULT);
	fake_fini(&f);
}

static void
test_null_is_refused_where_an_address_is_wanted(void)
{
	struct sockaddr_storage ss;
	struct fake_stack f;
	int id, s;

	fake_init(&f);
	id = fake_connected(&f);
	s = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	FAILS_WITH(mtcp_bind(&f.ctx, s, NULL, sizeof(struct sockaddr_in)), EFAULT);
	FAILS_WITH(mtcp_connect(&f.ctx, s, NULL, sizeof(struct sockaddr_in)), EFAULT);
	FAILS_WITH(mtcp_getsockname(&f.ctx, id, NULL, NULL), EFAULT);
	FAILS_WITH(mtcp_getpeername(&f.ctx, id, NULL, NULL), EFAULT);
	FAILS_WITH(mtcp_getpeername(&f.ctx, id, (struct sockaddr *)&ss, NULL), EFAULT);
	fake_fini(&f);
}

static void
test_null_is_refused_where_a_value_is_wanted(void)
{
	struct fake_stack f;
	socklen_t len = 4;
	int id, ep, one = 1;

	fake_init(&f);
	id = fake_connected(&f);
	ep = mtcp_epoll_create1(&f.ctx, 0);
	FAILS_WITH(mtcp_pipe(&f.ctx, NULL), EFAULT);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, NULL, 4), EFAULT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, NULL, &len), EFAULT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, &one, NULL), EFAULT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_INFO, NULL, &len), EFAULT);
	FAILS_WITH(mtcp_socket_ioctl(&f.ctx, id, FIONREAD, NULL), EFAULT);
	FAILS_WITH(mtcp_socket_ioctl(&f.ctx, id, FIONBIO, NULL), EFAULT);
	FAILS_WITH(mtcp_epoll_ctl(&f.ctx, ep, MTCP_EPOLL_CTL_ADD, id, NULL), EFAULT);
	FAILS_WITH(mtcp_epoll_wait(&f.ctx, ep, NULL, 1, 0), EFAULT);
	FAILS_WITH(mtcp_poll(&f.ctx, NULL, 1, 0), EFAULT);
	fake_fini(&f);
}

static void
test_no_context_is_refused(void)
{
	char c = 0;

	FAILS_WITH(mtcp_socket(NULL, AF_INET, SOCK_STREAM, 0), EINVAL);
	FAILS_WITH(mtcp_read(NULL, 0, &c, 1), EINVAL);
	FAILS_WITH(mtcp_write(NULL, 0, &c, 1), EINVAL);
	FAILS_WITH(mtcp_close(NULL, 0), EINVAL);
	FAILS_WITH(mtcp_epoll_create1(NULL, 0), EINVAL);
	FAILS_WITH(mtcp_accept(NULL, 0, NULL, NULL), EINVAL);
}

/* Any number, of whatever became of it, in every call that takes one. */
static void
test_numbers_that_are_not_open(void)
{
	static const int numbers[] = { -1, INT32_MIN, INT32_MAX, FAKE_SOCKS, FAKE_SOCKS + 1 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct fake_stack f;
	char c = 0;
	int ids[array_len(numbers) + 1], one = 1;

	fake_init(&f);
	memcpy(ids, numbers, sizeof numbers);
	ids[array_len(numbers)] = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, ids[array_len(numbers)]), 0);
	for (size_t i = 0; i < array_len(ids); i++) {
		FAILS_WITH(mtcp_close(&f.ctx, ids[i]), EBADF);
		FAILS_WITH(mtcp_abort(&f.ctx, ids[i]), EBADF);
		FAILS_WITH(mtcp_shutdown(&f.ctx, ids[i], SHUT_WR), EBADF);
		FAILS_WITH(mtcp_read(&f.ctx, ids[i], &c, 1), EBADF);
		FAILS_WITH(mtcp_write(&f.ctx, ids[i], &c, 1), EBADF);
		FAILS_WITH(mtcp_listen(&f.ctx, ids[i], 1), EBADF);
		FAILS_WITH(mtcp_accept(&f.ctx, ids[i], NULL, NULL), EBADF);
		FAILS_WITH(mtcp_bind(&f.ctx, ids[i], (struct sockaddr *)&sin, sizeof sin), EBADF);
		FAILS_WITH(mtcp_connect(&f.ctx, ids[i], (struct sockaddr *)&sin, sizeof sin), EBADF);
		FAILS_WITH(mtcp_setsockopt(&f.ctx, ids[i], IPPROTO_TCP, TCP_NODELAY, &one, 4), EBADF);
		FAILS_WITH(mtcp_epoll_wait(&f.ctx, ids[i], NULL, 1, 0), EBADF);
	}
	fake_fini(&f);
}

static void *
read_from_elsewhere(void *ctx)
{
	char c;

	(void)mtcp_read(ctx, 0, &c, 1);
	return NULL;
}

static void
another_thread_reads(void *ctx)
{
	pthread_t t;

	if (pthread_create(&t, NULL, read_from_elsewhere, ctx) == 0)
		(void)pthread_join(t, NULL);
}

/* A context belongs to one thread (mtcp_api.h): builds with checks stop the program there. */
static void
test_a_second_thread_is_detected(void)
{
	struct fake_stack f;

	fake_init(&f);
	(void)fake_connected(&f);
	CU_ASSERT_EQUAL(aborts(another_thread_reads, &f.ctx), asserts_are_on());
	fake_fini(&f);
}

void
suite_script_app(void)
{
	CU_pSuite s = CU_add_suite("script_app", NULL, NULL);

	CU_add_test(s, "NULL is refused where bytes are wanted (attack: passes NULL)",
	            test_null_is_refused_where_bytes_are_wanted);
	CU_add_test(s, "NULL is refused where an address is wanted (attack: passes NULL)",
	            test_null_is_refused_where_an_address_is_wanted);
	CU_add_test(s, "NULL is refused where a value is wanted (attack: passes NULL)",
	            test_null_is_refused_where_a_value_is_wanted);
	CU_add_test(s, "no context is refused (attack: passes NULL)", test_no_context_is_refused);
	CU_add_test(s, "a second thread is detected (attack: second thread)",
	            test_a_second_thread_is_detected);
	CU_add_test(s, "numbers that are not open (attack: closes twice; attack: uses a closed id)",
	            test_numbers_that_are_not_open);
}
