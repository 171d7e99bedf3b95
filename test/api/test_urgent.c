/* SPDX-License-Identifier: BSD-3-Clause */
/* Urgent text as the application sees it: the answers are Linux's. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "api/ready.h"
#include "mtcp_epoll.h"
#include "test/api/api_test.h"
#include "test/api/fake_stack.h"

void suite_urgent(void);

#define PRI ((uint32_t)MTCP_EPOLLPRI)
#define IN  ((uint32_t)MTCP_EPOLLIN)

static uint32_t
ready(struct fake_stack *f, int id)
{
	return ready_events(&f->ctx, ref_at(&f->ctx, (uint32_t)id), IN | PRI);
}

static bool
at_mark(struct fake_stack *f, int id)
{
	int v = -1;

	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f->ctx, id, SIOCATMARK, &v), 0);
	return v;
}

static int
count(struct fake_stack *f, int id)
{
	int v = -1;

	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f->ctx, id, FIONREAD, &v), 0);
	return v;
}

/* The peer has announced that the byte `at` bytes into the stream is urgent. */
static void
announce(struct fake_stack *f, int id, uint32_t at)
{
	atomic_store(&f->ch.socks[id].rcv_urgent, at);
	fake_fact(f, id, SOCK_URGENT);
}

static bool
reads(struct fake_stack *f, int id, const char *want, int flags)
{
	char buf[32] = "";
	ssize_t n = mtcp_recv(&f->ctx, id, buf, sizeof buf - 1, flags);

	return n == (ssize_t)strlen(want) && strcmp(buf, want) == 0;
}

static void
test_reading_stops_at_the_mark_and_skips_it(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	announce(&f, id, 3);
	fake_receive(&f, id, "abc!def", 7);
	CU_ASSERT_EQUAL(ready(&f, id), IN | PRI);
	CU_ASSERT_EQUAL(count(&f, id), 3);
	CU_ASSERT_FALSE(at_mark(&f, id));
	CU_ASSERT_TRUE(reads(&f, id, "abc", MSG_PEEK));
	CU_ASSERT_TRUE(reads(&f, id, "abc", MSG_WAITALL));
	CU_ASSERT_TRUE(at_mark(&f, id));
	CU_ASSERT_EQUAL(count(&f, id), 0);
	CU_ASSERT_EQUAL(ready(&f, id), IN | PRI);
	CU_ASSERT_TRUE(reads(&f, id, "def", MSG_PEEK));
	CU_ASSERT_TRUE(at_mark(&f, id));
	CU_ASSERT_TRUE(reads(&f, id, "def", 0));
	CU_ASSERT_FALSE(at_mark(&f, id));
	CU_ASSERT_EQUAL(ready(&f, id), 0);
	FAILS_WITH(mtcp_recv(&f.ctx, id, (char[1]){ 0 }, 1, MSG_OOB), EINVAL); /* too late */
	fake_fini(&f);
}

static void
test_msg_oob_gives_out_the_byte_once(void)
{
	struct fake_stack f;
	char c;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	FAILS_WITH(mtcp_recv(&f.ctx, id, &c, 1, MSG_OOB), EINVAL);
	announce(&f, id, 2);
	fake_receive(&f, id, "ab", 2);
	CU_ASSERT_EQUAL(ready(&f, id), IN);
	FAILS_WITH(mtcp_recv(&f.ctx, id, &c, 1, MSG_OOB), EAGAIN);
	fake_receive(&f, id, "!", 1);
	CU_ASSERT_TRUE(reads(&f, id, "!", MSG_OOB | MSG_PEEK));
	CU_ASSERT_EQUAL(ready(&f, id), IN | PRI);
	CU_ASSERT_TRUE(reads(&f, id, "!", MSG_OOB));
	CU_ASSERT_EQUAL(ready(&f, id), IN);
	FAILS_WITH(mtcp_recv(&f.ctx, id, &c, 1, MSG_OOB), EINVAL);
	CU_ASSERT_TRUE(reads(&f, id, "ab", 0));
	CU_ASSERT_TRUE(at_mark(&f, id));
	CU_ASSERT_EQUAL(ready(&f, id), 0); /* the byte is not to be read */
	FAILS_WITH(mtcp_recv(&f.ctx, id, &c, 1, MSG_DONTWAIT), EAGAIN);
	CU_ASSERT_FALSE(at_mark(&f, id));
	fake_fini(&f);
}

static void
test_in_line_the_byte_is_text(void)
{
	struct fake_stack f;
	int id, on = 1, v = 0;
	socklen_t len = sizeof v;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_OOBINLINE, &v, &len), 0);
	CU_ASSERT_EQUAL(v, 1);
	announce(&f, id, 2);
	fake_receive(&f, id, "ab!c", 4);
	CU_ASSERT_EQUAL(ready(&f, id), IN | PRI);
	FAILS_WITH(mtcp_recv(&f.ctx, id, (char[1]){ 0 }, 1, MSG_OOB), EINVAL);
	CU_ASSERT_EQUAL(count(&f, id), 4);
	CU_ASSERT_TRUE(reads(&f, id, "ab", 0));
	CU_ASSERT_TRUE(at_mark(&f, id));
	CU_ASSERT_EQUAL(count(&f, id), 2);
	CU_ASSERT_TRUE(reads(&f, id, "!c", 0));
	CU_ASSERT_EQUAL(ready(&f, id), 0);
	fake_fini(&f);
}

/* Only the last is urgent: the first of two is text, unless reading stood there. */
static void
test_another_mark_takes_the_place_of_the_first(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	announce(&f, id, 1);
	fake_receive(&f, id, "a1b", 3);
	CU_ASSERT_TRUE(reads(&f, id, "1", MSG_OOB));
	announce(&f, id, 3);
	fake_receive(&f, id, "2", 1);
	CU_ASSERT_TRUE(reads(&f, id, "2", MSG_OOB));
	CU_ASSERT_TRUE(reads(&f, id, "a1b", 0));
	CU_ASSERT_TRUE(at_mark(&f, id));
	announce(&f, id, 5);
	fake_receive(&f, id, "c3", 2);
	CU_ASSERT_TRUE(reads(&f, id, "c", 0));
	CU_ASSERT_TRUE(reads(&f, id, "3", MSG_OOB));
	fake_fini(&f);
}

static void
test_the_end_of_the_text_ends_the_waiting_for_the_byte(void)
{
	struct fake_stack f;
	char c;
	int id, l;

	fake_init(&f);
	id = fake_connected(&f);
	announce(&f, id, 5);
	fake_fin(&f, id);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, &c, 1, MSG_OOB), 0);
	l = fake_listener(&f, 80);
	FAILS_WITH(mtcp_recv(&f.ctx, l, &c, 1, MSG_OOB), ENOTCONN);
	fake_fini(&f);
}

/* The mark is there before the stack can find the text. */
static void
test_msg_oob_marks_what_is_written(void)
{
	struct fake_stack f;
	struct sock *s;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	s = &f.ch.socks[id];
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "ab", 2), 2);
	CU_ASSERT_EQUAL(sock_requests(s) & SOCK_REQ_URGENT, 0);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "cd!", 3, MSG_OOB), 3);
	CU_ASSERT_EQUAL(sock_requests(s) & SOCK_REQ_URGENT, SOCK_REQ_URGENT);
	CU_ASSERT_EQUAL(atomic_load(&s->snd_urgent), 5);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "ef", 2), 2);
	CU_ASSERT_EQUAL(atomic_load(&s->snd_urgent), 5);
	fake_take(&f, id, NULL, UINT32_MAX);
	fake_fini(&f);
}

/* What is left of a connection is not taken for the next one's, nor for a listener's count. */
static void
test_a_connection_taken_back_leaves_no_mark(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	announce(&f, id, 2);
	fake_receive(&f, id, "abc", 3);
	CU_ASSERT_EQUAL(ready(&f, id), IN | PRI);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "x", 1, MSG_OOB), 1);
	CU_ASSERT_EQUAL(mtcp_connect(&f.ctx, id, &nobody, sizeof nobody), 0);
	CU_ASSERT_EQUAL(atomic_load(&f.ch.socks[id].accepted), 0);
	CU_ASSERT_FALSE(ref_at(&f.ctx, (uint32_t)id)->flags & (REF_URGENT | REF_URGENT_KNOWN | REF_URGENT_READ));
	fake_fini(&f);
}

void
suite_urgent(void)
{
	CU_pSuite s = CU_add_suite("urgent", NULL, NULL);

	CU_add_test(s, "reading stops at the mark and skips it (RFC 9293 MUST-33)",
	            test_reading_stops_at_the_mark_and_skips_it);
	CU_add_test(s, "MSG_OOB gives out the byte once (RFC 9293 MUST-32)",
	            test_msg_oob_gives_out_the_byte_once);
	CU_add_test(s, "in line the byte is text (option: SO_OOBINLINE; RFC 6093 4)",
	            test_in_line_the_byte_is_text);
	CU_add_test(s, "another mark takes the place of the first",
	            test_another_mark_takes_the_place_of_the_first);
	CU_add_test(s, "the end of the text ends the waiting for the byte",
	            test_the_end_of_the_text_ends_the_waiting_for_the_byte);
	CU_add_test(s, "MSG_OOB marks what is written (option: MSG_OOB; RFC 9293 MUST-30)",
	            test_msg_oob_marks_what_is_written);
	CU_add_test(s, "a connection taken back leaves no mark",
	            test_a_connection_taken_back_leaves_no_mark);
}
