/* SPDX-License-Identifier: BSD-3-Clause */
/* Pipes: bytes in order, ends that close, epolls that watch. */
#include "test/api/api_test.h"

#include <sys/ioctl.h>

#include "api/api_pipe.h"
#include "mtcp_epoll.h"

void suite_api_pipe(void);

static void
open_pipe(struct fake_stack *f, int p[2])
{
	fake_init(f);
	CU_ASSERT_EQUAL_FATAL(mtcp_pipe(&f->ctx, p), 0);
	mtcp_setsock_nonblock(&f->ctx, p[0]);
	mtcp_setsock_nonblock(&f->ctx, p[1]);
}

static void
test_bytes_come_out_in_order(void)
{
	static char in[3 * 40000], out[3 * 40000];
	struct fake_stack f;
	size_t put = 0, got = 0;
	int p[2], n;

	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (char)(i * 7 + (i >> 9));
	open_pipe(&f, p);
	while (got < sizeof in) {
		if (put < sizeof in)
			put += (size_t)mtcp_write(&f.ctx, p[1], in + put,
			                          min((size_t)40000, sizeof in - put));
		CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f.ctx, p[0], FIONREAD, &n), 0);
		CU_ASSERT_EQUAL((size_t)n, put - got);
		got += (size_t)mtcp_read(&f.ctx, p[0], out + got, 33333);
	}
	CU_ASSERT_EQUAL(memcmp(in, out, sizeof in), 0);
	fake_fini(&f);
}

static void
test_a_pipe_holds_so_much(void)
{
	static char big[2 * PIPE_CAPACITY];
	struct fake_stack f;
	int p[2];

	open_pipe(&f, p);
	FAILS_WITH(mtcp_read(&f.ctx, p[0], big, 1), EAGAIN);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, p[1], big, sizeof big), PIPE_CAPACITY);
	FAILS_WITH(mtcp_write(&f.ctx, p[1], big, 1), EAGAIN);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, p[0], big, sizeof big), PIPE_CAPACITY);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, p[1], big, 0), 0);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, p[0], big, 0), 0);
	fake_fini(&f);
}

static void
test_each_end_has_its_direction(void)
{
	struct fake_stack f;
	char c;
	int p[2];

	open_pipe(&f, p);
	FAILS_WITH(mtcp_write(&f.ctx, p[0], "x", 1), EBADF);
	FAILS_WITH(mtcp_read(&f.ctx, p[1], &c, 1), EBADF);
	FAILS_WITH(mtcp_listen(&f.ctx, p[0], 1), ENOTSOCK);
	FAILS_WITH(mtcp_recv(&f.ctx, p[0], &c, 1, 0), ENOTSOCK);
	FAILS_WITH(mtcp_pipe(&f.ctx, NULL), EFAULT);
	fake_fini(&f);
}

static void
test_a_closed_writer_is_the_end(void)
{
	struct fake_stack f;
	char buf[8];
	int p[2];

	open_pipe(&f, p);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, p[1], "last", 4), 4);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, p[1]), 0);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, p[0], buf, 8), 4);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, p[0], buf, 8), 0);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, p[0]), 0);
	fake_fini(&f);
}

static void
test_a_closed_reader_breaks_the_pipe(void)
{
	struct fake_stack f;
	int p[2];

	open_pipe(&f, p);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, p[0]), 0);
	FAILS_WITH(mtcp_write(&f.ctx, p[1], "x", 1), EPIPE);
	fake_fini(&f);
}

static void
test_epolls_watch_both_ends(void)
{
	static char big[PIPE_CAPACITY];
	struct fake_stack f;
	struct mtcp_epoll_event r = { .events = MTCP_EPOLLIN, .data.u32 = 0 };
	struct mtcp_epoll_event w = { .events = MTCP_EPOLLOUT | (uint32_t)MTCP_EPOLLET,
		                      .data.u32 = 1 };
	struct mtcp_epoll_event ev[2];
	int p[2], ep;

	open_pipe(&f, p);
	ep = mtcp_epoll_create(&f.ctx, 1);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(&f.ctx, ep, MTCP_EPOLL_CTL_ADD, p[0], &r), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(&f.ctx, ep, MTCP_EPOLL_CTL_ADD, p[1], &w), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, ev, 2, 0), 1);
	CU_ASSERT_EQUAL(ev[0].data.u32, 1);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, p[1], big, sizeof big), PIPE_CAPACITY);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, ev, 2, 0), 1);
	CU_ASSERT_EQUAL(ev[0].data.u32, 0);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, p[0], big, sizeof big), PIPE_CAPACITY);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, ev, 2, 0), 1);
	CU_ASSERT_EQUAL(ev[0].data.u32, 1);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, p[1]), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, ev, 2, 0), 1);
	CU_ASSERT_EQUAL(ev[0].events, MTCP_EPOLLHUP);
	fake_fini(&f);
}

static void
test_a_blocking_read_ends_by_a_signal(void)
{
	struct fake_stack f;
	char c;
	int p[2];

	fake_init(&f);
	CU_ASSERT_EQUAL(mtcp_pipe(&f.ctx, p), 0);
	FAILS_WITH(mtcp_read(&f.ctx, p[0], &c, 1), EINTR);
	fake_fini(&f);
}

void
suite_api_pipe(void)
{
	CU_pSuite s = CU_add_suite("api/api_pipe", NULL, NULL);

	CU_add_test(s, "bytes come out in order", test_bytes_come_out_in_order);
	CU_add_test(s, "a pipe holds so much", test_a_pipe_holds_so_much);
	CU_add_test(s, "each end has its direction", test_each_end_has_its_direction);
	CU_add_test(s, "a closed writer is the end", test_a_closed_writer_is_the_end);
	CU_add_test(s, "a closed reader breaks the pipe", test_a_closed_reader_breaks_the_pipe);
	CU_add_test(s, "epolls watch both ends", test_epolls_watch_both_ends);
	CU_add_test(s, "a blocking read ends by a signal", test_a_blocking_read_ends_by_a_signal);
}
