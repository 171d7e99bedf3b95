/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and writing. */
#include "test/api/api_test.h"

#include <sys/ioctl.h>

#include "tcp/tcp_eor.h"

void suite_api_io(void);

static void
test_what_arrives_is_read(void)
{
	struct fake_stack f;
	char buf[16];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	FAILS_WITH(mtcp_read(&f.ctx, id, buf, sizeof buf), EAGAIN);
	fake_receive(&f, id, "hello ", 6);
	fake_receive(&f, id, "world", 5);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 3), 3);
	CU_ASSERT_EQUAL(memcmp(buf, "hel", 3), 0);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, sizeof buf), 8);
	CU_ASSERT_EQUAL(memcmp(buf, "lo world", 8), 0);
	FAILS_WITH(mtcp_read(&f.ctx, id, buf, sizeof buf), EAGAIN);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, NULL, 0), 0);
	FAILS_WITH(mtcp_read(&f.ctx, id, NULL, 1), EFAULT);
	fake_fini(&f);
}

/* Of a small buffer the stack hears sooner: its window could stay shut. */
static void
test_the_stack_hears_of_room_as_often_as_it_needs(void)
{
	struct fake_stack f;
	static char buf[4096];
	uint32_t wakes;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, buf, 1000);
	fake_step(&f);
	wakes = f.sock[id].wakes;
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 1000), 1000);
	fake_step(&f);
	CU_ASSERT_EQUAL(f.sock[id].wakes, wakes);
	atomic_store(&f.ch.socks[id].rcv_step, 256);
	fake_receive(&f, id, buf, 100);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 1000), 100);
	fake_step(&f);
	CU_ASSERT_EQUAL(f.sock[id].wakes, wakes + 1);
	fake_fini(&f);
}

static void
test_the_end_comes_after_the_text(void)
{
	struct fake_stack f;
	char buf[16];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, "bye", 3);
	fake_fin(&f, id);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, sizeof buf), 3);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, sizeof buf), 0);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, sizeof buf), 0);
	fake_fini(&f);
}

static void
test_a_reset_is_told_once_then_the_end_then_epipe(void)
{
	struct fake_stack f;
	char buf[16];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_error(&f, id, ECONNRESET);
	FAILS_WITH(mtcp_read(&f.ctx, id, buf, sizeof buf), ECONNRESET);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, sizeof buf), 0);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), EPIPE);
	mtcp_close(&f.ctx, id);

	id = fake_connected(&f);
	fake_error(&f, id, ECONNRESET);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), ECONNRESET);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), EPIPE);
	fake_fini(&f);
}

static void
test_data_needs_a_connection(void)
{
	struct fake_stack f;
	char c;
	int id, l;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	l = fake_listener(&f, 80);
	FAILS_WITH(mtcp_read(&f.ctx, id, &c, 1), ENOTCONN);
	FAILS_WITH(mtcp_write(&f.ctx, id, &c, 1), EPIPE);
	FAILS_WITH(mtcp_read(&f.ctx, l, &c, 1), ENOTCONN);
	FAILS_WITH(mtcp_write(&f.ctx, l, &c, 1), EPIPE);
	fake_fini(&f);
}

static void
test_peek_leaves_the_bytes(void)
{
	struct fake_stack f;
	char buf[16];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, "abcdef", 6);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, 4, MSG_PEEK), 4);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, sizeof buf, MSG_PEEK), 6);
	CU_ASSERT_EQUAL(memcmp(buf, "abcdef", 6), 0);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, sizeof buf, 0), 6);
	FAILS_WITH(mtcp_recv(&f.ctx, id, buf, sizeof buf, MSG_PEEK), EAGAIN);
	FAILS_WITH(mtcp_recv(&f.ctx, id, buf, sizeof buf, MSG_ERRQUEUE), EINVAL);
	fake_fini(&f);
}

static void
five_more(struct fake_stack *f, void *arg)
{
	int id = *(int *)arg;

	fake_receive(f, id, "01234", 5);
	if (stream_used(&f->ch.socks[id].rcv_w, &f->ch.socks[id].rcv_r) < 10)
		fake_on_wait(f, five_more, arg);
}

static void
test_blocking_reads_wait_for_some_or_all(void)
{
	struct fake_stack f;
	char buf[16];
	int id, off = 0;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &off);
	fake_on_wait(&f, five_more, &id);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 10), 5);
	fake_on_wait(&f, five_more, &id);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, 10, MSG_WAITALL | MSG_PEEK), 10);
	fake_on_wait(&f, five_more, &id);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, 12, MSG_WAITALL), 12);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 12), 3);
	fake_on_wait(&f, NULL, NULL);
	FAILS_WITH(mtcp_recv(&f.ctx, id, buf, 10, MSG_WAITALL | MSG_DONTWAIT), EAGAIN);
	fake_fini(&f);
}

static void
test_waitall_ends_with_the_connection(void)
{
	struct fake_stack f;
	char buf[16];
	int id, off = 0;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &off);
	fake_receive(&f, id, "abc", 3);
	fake_fin(&f, id);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, 10, MSG_WAITALL), 3);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, buf, 10, MSG_WAITALL), 0);
	fake_fini(&f);
}

static void
test_a_receive_timeout_ends_the_wait(void)
{
	struct fake_stack f;
	struct timeval tv = { 0, 1 }; /* less than a millisecond is one */
	int64_t began;
	char c;
	int id, off = 0;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &off);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
	began = f.now;
	FAILS_WITH(mtcp_read(&f.ctx, id, &c, 1), EAGAIN);
	CU_ASSERT_EQUAL(f.now - began, MS(1));
	fake_fini(&f);
}

static void
test_what_is_written_reaches_the_stack(void)
{
	struct fake_stack f;
	char buf[16];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "hello", 5), 5);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, " you", 4), 4);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "", 0), 0);
	FAILS_WITH(mtcp_write(&f.ctx, id, NULL, 1), EFAULT);
	CU_ASSERT_EQUAL(fake_take(&f, id, buf, sizeof buf), 9);
	CU_ASSERT_EQUAL(memcmp(buf, "hello you", 9), 0);
	fake_fini(&f);
}

static void
test_a_write_stops_at_the_limit(void)
{
	struct fake_stack f;
	static char big[2 * FAKE_SND_LIMIT];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, sizeof big), FAKE_SND_LIMIT);
	FAILS_WITH(mtcp_write(&f.ctx, id, big, 1), EAGAIN);
	CU_ASSERT_EQUAL(fake_take(&f, id, NULL, 100), 100);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, 1000), 100);
	fake_fini(&f);
}

static void
take_all(struct fake_stack *f, void *arg)
{
	fake_take(f, *(int *)arg, NULL, UINT32_MAX);
	fake_on_wait(f, take_all, arg);
}

static void
test_a_blocking_write_writes_all(void)
{
	struct fake_stack f;
	static char big[5 * FAKE_SND_LIMIT];
	int id, off = 0;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &off);
	fake_on_wait(&f, take_all, &id);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, sizeof big), sizeof big);
	fake_on_wait(&f, NULL, NULL);
	fake_take(&f, id, NULL, UINT32_MAX);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, sizeof big), FAKE_SND_LIMIT);
	CU_ASSERT_EQUAL(errno, EINTR); /* a short count, since something went in */
	fake_fini(&f);
}

static void
peer_resets(struct fake_stack *f, void *arg)
{
	fake_error(f, *(int *)arg, ECONNRESET);
}

static void
test_an_error_after_some_bytes_is_kept_for_the_next_call(void)
{
	struct fake_stack f;
	static char big[2 * FAKE_SND_LIMIT];
	int id, off = 0;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &off);
	fake_on_wait(&f, peer_resets, &id);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, sizeof big), FAKE_SND_LIMIT);
	FAILS_WITH(mtcp_write(&f.ctx, id, big, 1), ECONNRESET);
	fake_fini(&f);
}

static void
test_no_writing_after_shutdown(void)
{
	struct fake_stack f;
	char buf[4];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_shutdown(&f.ctx, id, SHUT_RDWR);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), EPIPE);
	fake_receive(&f, id, "ab", 2);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 4), 2);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 4), 0);
	fake_fini(&f);
}

static void
test_msg_more_is_said_of_one_call(void)
{
	struct fake_stack f;
	struct sock *s;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	s = &f.ch.socks[id];
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "a", 1, MSG_MORE), 1);
	CU_ASSERT(atomic_load(&s->opt_bits) & SOCK_OPT_MORE);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "b", 1, MSG_NOSIGNAL | MSG_EOR), 1);
	CU_ASSERT_FALSE(atomic_load(&s->opt_bits) & SOCK_OPT_MORE);
	FAILS_WITH(mtcp_send(&f.ctx, id, "b", 1, MSG_ERRQUEUE), EOPNOTSUPP);
	fake_fini(&f);
}

/* Somebody else needed them. */
static void
take_chunks_away(struct fake_stack *f)
{
	uint64_t word;

	f->starve = true;
	while (spsc_pop(&f->ch.chunks_down, &word))
		spsc_push(&f->ch.chunks_up, word);
	fake_step(f);
}

static void
chunks_come(struct fake_stack *f, void *arg)
{
	(void)arg;
	f->starve = false;
	fake_step(f);
	f->posted++;
}

/* Where records end, as the stack is told; `n` of them. */
static void
expect_ends(struct sock *s, const uint32_t *at, uint32_t n)
{
	struct tcp_eor *m = atomic_load(&s->eor);
	uint32_t got;

	CU_ASSERT_FATAL(atomic_load(&s->snd_w.marked));
	CU_ASSERT_EQUAL_FATAL(stream_used(&m->w, &m->r), n * sizeof got);
	for (uint32_t i = 0; i < n; i++) {
		stream_peek(&m->r, &m->w, NULL, i * (uint32_t)sizeof got, (uint8_t *)&got,
		            sizeof got);
		CU_ASSERT_EQUAL(got, at[i]);
	}
}

/* Said once something follows; a write that did not go in whole ends nothing, as on Linux. */
static void
test_msg_eor_ends_a_record(void)
{
	struct fake_stack f;
	struct sock *s;
	static char big[200000];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	s = &f.ch.socks[id];
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "", 0, MSG_EOR), 0);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "ab", 2, 0), 2);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "cd", 2, MSG_EOR), 2);
	CU_ASSERT_FALSE(atomic_load(&s->snd_w.marked));
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "", 0), 0);
	CU_ASSERT_FALSE(atomic_load(&s->snd_w.marked));
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "e", 1), 1);
	expect_ends(s, (uint32_t[]){ 4 }, 1);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "f", 1, MSG_EOR), 1);
	CU_ASSERT(mtcp_send(&f.ctx, id, big, sizeof big, MSG_EOR) < (int)sizeof big);
	CU_ASSERT(fake_take(&f, id, NULL, 1000) > 0);
	CU_ASSERT(mtcp_send(&f.ctx, id, big, sizeof big, 0) > 0);
	expect_ends(s, (uint32_t[]){ 4, 6 }, 2);
	fake_fini(&f);
}

/* Neither is anything lost of it when there is no memory to say so with. */
static void
test_a_record_ends_although_chunks_were_short(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_send(&f.ctx, id, "ab", 2, MSG_EOR), 2);
	CU_ASSERT_EQUAL(fake_take(&f, id, NULL, 2), 2);
	while (f.ctx.empty.n)
		chunk_list_put(&f.chunks, chunk_list_get(&f.ctx.empty));
	take_chunks_away(&f);
	FAILS_WITH(mtcp_write(&f.ctx, id, "c", 1), EAGAIN);
	chunks_come(&f, NULL);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "c", 1), 1);
	expect_ends(&f.ch.socks[id], (uint32_t[]){ 2 }, 1);
	fake_fini(&f);
}

static void
test_pieces_are_one_call(void)
{
	struct fake_stack f;
	char a[3], b[4], buf[16];
	struct iovec out[] = { { buf, 0 }, { (char[]){ "abc" }, 3 }, { (char[]){ "de" }, 2 } };
	struct iovec in[] = { { a, 3 }, { a, 0 }, { b, 4 } };
	struct msghdr msg = { .msg_iov = out, .msg_iovlen = 3 };
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_writev(&f.ctx, id, out, 3), 5);
	CU_ASSERT_EQUAL(mtcp_sendmsg(&f.ctx, id, &msg, 0), 5);
	CU_ASSERT_EQUAL(fake_take(&f, id, buf, 16), 10);
	CU_ASSERT_EQUAL(memcmp(buf, "abcdeabcde", 10), 0);
	fake_receive(&f, id, "uvwxyz", 6);
	CU_ASSERT_EQUAL(mtcp_readv(&f.ctx, id, in, 3), 6);
	CU_ASSERT(memcmp(a, "uvw", 3) == 0 && memcmp(b, "xyz", 3) == 0);
	fake_receive(&f, id, "uvwxyz", 6);
	msg = (struct msghdr){ .msg_iov = in, .msg_iovlen = 3, .msg_namelen = 7 };
	CU_ASSERT_EQUAL(mtcp_recvmsg(&f.ctx, id, &msg, 0), 6);
	CU_ASSERT_EQUAL(msg.msg_namelen, 0);
	FAILS_WITH(mtcp_readv(&f.ctx, id, in, -1), EINVAL);
	FAILS_WITH(mtcp_readv(&f.ctx, id, NULL, 2), EFAULT);
	FAILS_WITH(mtcp_writev(&f.ctx, id, in, 5000), EINVAL);
	FAILS_WITH(mtcp_sendmsg(&f.ctx, id, NULL, 0), EFAULT);
	fake_fini(&f);
}

/* A server that answers what it reads lives on the chunks it reads. */
static void
test_chunks_that_were_read_are_written(void)
{
	struct fake_stack f;
	char buf[100];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	take_chunks_away(&f);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), EAGAIN);
	for (int i = 0; i < 10; i++) {
		fake_receive(&f, id, "request", 7);
		CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, sizeof buf), 7);
		CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, buf, 7), 7);
		CU_ASSERT_EQUAL(fake_take(&f, id, NULL, 7), 7);
	}
	fake_fini(&f);
}

static void
test_a_writer_without_chunks_waits_for_them(void)
{
	struct fake_stack f;
	int id, off = 0;

	fake_init(&f);
	id = fake_connected(&f);
	take_chunks_away(&f);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), EAGAIN);
	CU_ASSERT(sock_requests(&f.ch.socks[id]) & SOCK_REQ_CHUNKS);
	mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &off);
	fake_on_wait(&f, chunks_come, NULL);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "x", 1), 1);
	fake_fini(&f);
}

/* RFC 9293 3.8.6.2.2: no window update for every byte taken. */
static void
test_the_stack_hears_of_reads_that_matter(void)
{
	struct fake_stack f;
	static char big[65536];
	uint32_t before;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	for (int i = 0; i < 5; i++) {
		fake_receive(&f, id, big, 300);
		CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, big, 300), 300);
	}
	fake_step(&f);
	before = f.sock[id].wakes;
	fake_receive(&f, id, big, sizeof big);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, big, 100), 100);
	fake_step(&f);
	CU_ASSERT_EQUAL(f.sock[id].wakes, before);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, big, 16384), 16384);
	fake_step(&f);
	CU_ASSERT_EQUAL(f.sock[id].wakes, before + 1);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, big, sizeof big), 65536 - 16484);
	fake_step(&f);
	CU_ASSERT_EQUAL(f.sock[id].wakes, before + 2);
	fake_fini(&f);
}

void
suite_api_io(void)
{
	CU_pSuite s = CU_add_suite("api/api_io", NULL, NULL);

	CU_add_test(s, "the stack hears of room as often as it needs",
	            test_the_stack_hears_of_room_as_often_as_it_needs);
	CU_add_test(s, "what arrives is read", test_what_arrives_is_read);
	CU_add_test(s, "the end comes after the text", test_the_end_comes_after_the_text);
	CU_add_test(s, "a reset is told once, then the end, then EPIPE",
	            test_a_reset_is_told_once_then_the_end_then_epipe);
	CU_add_test(s, "data needs a connection", test_data_needs_a_connection);
	CU_add_test(s, "MSG_PEEK leaves the bytes (option: MSG_PEEK)",
	            test_peek_leaves_the_bytes);
	CU_add_test(s, "blocking reads wait for some or all (option: MSG_DONTWAIT)",
	            test_blocking_reads_wait_for_some_or_all);
	CU_add_test(s, "MSG_WAITALL ends with the connection (option: MSG_WAITALL)",
	            test_waitall_ends_with_the_connection);
	CU_add_test(s, "a receive timeout ends the wait (option: SO_RCVTIMEO)",
	            test_a_receive_timeout_ends_the_wait);
	CU_add_test(s, "what is written reaches the stack", test_what_is_written_reaches_the_stack);
	CU_add_test(s, "a write stops at the limit", test_a_write_stops_at_the_limit);
	CU_add_test(s, "a blocking write writes all", test_a_blocking_write_writes_all);
	CU_add_test(s, "an error after some bytes is kept for the next call",
	            test_an_error_after_some_bytes_is_kept_for_the_next_call);
	CU_add_test(s, "no writing after shutdown (option: MSG_NOSIGNAL)",
	            test_no_writing_after_shutdown);
	CU_add_test(s, "MSG_EOR ends a record (option: MSG_EOR)", test_msg_eor_ends_a_record);
	CU_add_test(s, "a record ends although chunks were short",
	            test_a_record_ends_although_chunks_were_short);
	CU_add_test(s, "MSG_MORE is said of one call (option: MSG_MORE)",
	            test_msg_more_is_said_of_one_call);
	CU_add_test(s, "pieces are one call", test_pieces_are_one_call);
	CU_add_test(s, "chunks that were read are written", test_chunks_that_were_read_are_written);
	CU_add_test(s, "a writer without chunks waits for them",
	            test_a_writer_without_chunks_waits_for_them);
	CU_add_test(s, "the stack hears of reads that matter",
	            test_the_stack_hears_of_reads_that_matter);
}
