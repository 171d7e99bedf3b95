/* SPDX-License-Identifier: BSD-3-Clause */
/* The capture: what a reader of the file finds, and what trouble does. */
#include "io_engine/io_pcap.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io_engine/io_mem.h"
#include "io_engine/io_sum.h"
#include "test/io_engine/wrapped.h"
#include "wire/sum.h"

#define FILE_MAX (1 << 20)

/* A captured wire and where its capture goes. */
struct shot {
	struct io_mem_wire *wire;
	struct io *a; /* captured */
	struct io *b;
	char path[32];
};

static struct shot
shot_new(struct io_pcap_config cfg, const struct io_mem_config *mem)
{
	struct shot s = { .wire = io_mem_wire_new(mem), .path = "/tmp/test_io_pcap.XXXXXX" };
	char err[128] = "";
	int fd = mkstemp(s.path);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
	cfg.path = s.path;
	s.b = io_mem_end(s.wire, 1, 0);
	s.a = io_pcap_new(io_mem_end(s.wire, 0, 0), &cfg, err, sizeof err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.a);
	return s;
}

/* Closes the capture and reads the file; its size. */
static size_t
shot_end(struct shot *s, uint8_t *file)
{
	size_t n = 0;
	FILE *f;

	s->a->ops->close(s->a);
	io_mem_wire_free(s->wire);
	f = fopen(s->path, "rb");
	CU_ASSERT_PTR_NOT_NULL(f);
	if (f) {
		n = fread(file, 1, FILE_MAX, f);
		fclose(f);
	}
	unlink(s->path);
	return n;
}

static uint32_t
word(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof v);
	return v;
}

static bool
send_bytes(struct io *io, int64_t now, uint8_t byte, uint32_t len)
{
	struct io_pkt pkt;

	if (io_alloc(io, &pkt, 1) != 1)
		return false;
	memset(pkt.data, byte, len);
	pkt.len = len;
	if (io_tx(io, now, &pkt, 1))
		return true;
	io_release(io, &pkt, 1);
	return false;
}

static void
recv_any(struct io *io, int64_t now)
{
	struct io_pkt pkt;

	if (io_rx(io, now, &pkt, 1))
		io_release(io, &pkt, 1);
}

static void
test_both_ways_are_written_with_wall_time(void)
{
	uint8_t *file = malloc(FILE_MAX);
	struct shot s = shot_new((struct io_pcap_config){ .wall_offset_ns = SEC(1000) }, NULL);
	size_t n;

	send_bytes(s.a, 5, 0x11, 60);
	send_bytes(s.b, 6, 0x22, 70);
	recv_any(s.a, SEC(2) + 7);
	n = shot_end(&s, file);
	CU_ASSERT_EQUAL_FATAL(n, 24 + 16 + 60 + 16 + 70);
	CU_ASSERT_EQUAL(word(file), 0xa1b23c4d);
	CU_ASSERT_EQUAL(word(file + 4), 0x00040002);
	CU_ASSERT_EQUAL(word(file + 16), 65535);
	CU_ASSERT_EQUAL(word(file + 20), 1);
	CU_ASSERT_EQUAL(word(file + 24), 1000);
	CU_ASSERT_EQUAL(word(file + 28), 5);
	CU_ASSERT_EQUAL(word(file + 32), 60);
	CU_ASSERT_EQUAL(word(file + 36), 60);
	CU_ASSERT_EQUAL(file[40], 0x11);
	CU_ASSERT_EQUAL(word(file + 100), 1002);
	CU_ASSERT_EQUAL(word(file + 104), 7);
	CU_ASSERT_EQUAL(file[100 + 16 + 69], 0x22);
	free(file);
}

static void
test_long_frames_are_cut_and_say_so(void)
{
	uint8_t *file = malloc(FILE_MAX);
	struct shot s = shot_new((struct io_pcap_config){ .snap = 64 }, NULL);
	size_t n;

	send_bytes(s.a, 0, 1, 1000);
	n = shot_end(&s, file);
	CU_ASSERT_EQUAL_FATAL(n, 24 + 16 + 64);
	CU_ASSERT_EQUAL(word(file + 16), 64);
	CU_ASSERT_EQUAL(word(file + 32), 64);
	CU_ASSERT_EQUAL(word(file + 36), 1000);
	free(file);
}

static void
test_refused_frames_are_not_in_the_file(void)
{
	uint8_t *file = malloc(FILE_MAX);
	struct io_mem_config mem = { .depth = 2 };
	struct shot s = shot_new((struct io_pcap_config){ 0 }, &mem);
	struct io_pcap_stats st;
	struct io_pkt pkts[4];

	CU_ASSERT_EQUAL_FATAL(io_alloc(s.a, pkts, 4), 4);
	for (unsigned i = 0; i < 4; i++)
		pkts[i].len = 60;
	CU_ASSERT_EQUAL(io_tx(s.a, 0, pkts, 4), 2);
	io_release(s.a, pkts + 2, 2);
	io_pcap_stats(s.a, &st);
	CU_ASSERT_EQUAL(st.written, 2);
	CU_ASSERT_EQUAL(st.skipped, 0);
	CU_ASSERT_EQUAL(shot_end(&s, file), 24 + 2 * 76);
	free(file);
}

static void
test_sums_left_to_the_port_are_good_in_the_copy(void)
{
	static const uint8_t head[34] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0,
		60, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	static const uint8_t pseudo[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, 40 };
	uint16_t sum = wire_sum_fold(wire_sum_add(0, pseudo, sizeof pseudo));
	uint8_t *file = malloc(FILE_MAX);
	struct io_mem_config mem = { .caps = IO_CAP_TX_IP_SUM | IO_CAP_TX_TCP_SUM };
	struct shot s = shot_new((struct io_pcap_config){ 0 }, &mem);
	struct io_pkt pkt;

	CU_ASSERT_EQUAL_FATAL(io_alloc(s.a, &pkt, 1), 1);
	memset(pkt.data, 0x55, 74);
	memcpy(pkt.data, head, sizeof head);
	memcpy(pkt.data + 50, &sum, sizeof sum);
	pkt.len = 74;
	pkt.l2_len = 14;
	pkt.l3_len = 20;
	pkt.l4_len = 20;
	pkt.flags = IO_TX_IP_SUM | IO_TX_TCP_SUM;
	CU_ASSERT_EQUAL(io_tx(s.a, 0, &pkt, 1), 1);
	CU_ASSERT_EQUAL_FATAL(shot_end(&s, file), 24 + 16 + 74);
	CU_ASSERT_EQUAL(io_sum_judge(file + 40, 74), IO_RX_IP_GOOD | IO_RX_L4_GOOD);
	free(file);
}

static void
test_the_limit_ends_the_capture_not_the_traffic(void)
{
	uint8_t *file = malloc(FILE_MAX);
	struct shot s = shot_new((struct io_pcap_config){ .limit = 24 + 76 * 3 + 10 }, NULL);
	struct io_pcap_stats st;

	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_TRUE(send_bytes(s.a, 0, 1, 60));
	io_pcap_stats(s.a, &st);
	CU_ASSERT_EQUAL(st.written, 3);
	CU_ASSERT_EQUAL(st.skipped, 7);
	CU_ASSERT_EQUAL(st.error, 0);
	CU_ASSERT_EQUAL(shot_end(&s, file), 24 + 76 * 3);
	free(file);
}

static void
test_more_than_the_buffer_holds_is_all_there(void)
{
	uint8_t *file = malloc(FILE_MAX);
	struct shot s = shot_new((struct io_pcap_config){ .snap = 1514 }, NULL);

	for (unsigned i = 0; i < 500; i++) {
		CU_ASSERT_TRUE(send_bytes(s.a, 0, to_u8(i & 255), 1514));
		recv_any(s.b, 0);
	}
	CU_ASSERT_EQUAL(shot_end(&s, file), 24 + 500 * (16 + 1514));
	CU_ASSERT_EQUAL(file[24 + 400 * (16 + 1514) + 16 + 1513], 400 & 255);
	free(file);
}

static void
test_a_file_that_cannot_be_made_is_one_clear_line(void)
{
	struct io_mem_wire *w = io_mem_wire_new(NULL);
	struct io_pcap_config cfg = { .path = "/nonexistent/x.pcap" };
	char err[128] = "";

	CU_ASSERT_PTR_NULL(io_pcap_new(io_mem_end(w, 0, 0), &cfg, err, sizeof err));
	CU_ASSERT_STRING_EQUAL(err,
	                       "capture file /nonexistent/x.pcap: No such file or directory");
	io_mem_wire_free(w);
}

static void
test_a_full_disk_at_the_start_is_one_clear_line(void)
{
	struct io_mem_wire *w = io_mem_wire_new(NULL);
	struct io_pcap_config cfg = { .path = "/dev/full" };
	char err[128] = "";

	CU_ASSERT_PTR_NULL(io_pcap_new(io_mem_end(w, 0, 0), &cfg, err, sizeof err));
	CU_ASSERT_STRING_EQUAL(err, "capture file /dev/full: No space left on device");
	io_mem_wire_free(w);
}

static void
test_the_inner_engine_is_told_of_the_beginning(void)
{
	static uint8_t file[FILE_MAX];
	struct shot s = shot_new((struct io_pcap_config){ 0 }, &(struct io_mem_config){ 0 });

	check_begins(s.a, io_mem_end(s.wire, 0, 0));
	shot_end(&s, file);
}

void suite_io_pcap(void);

void
suite_io_pcap(void)
{
	CU_pSuite s = CU_add_suite("io_pcap", NULL, NULL);

	CU_add_test(s, "both ways are written with wall time",
	            test_both_ways_are_written_with_wall_time);
	CU_add_test(s, "long frames are cut and say so", test_long_frames_are_cut_and_say_so);
	CU_add_test(s, "refused frames are not in the file",
	            test_refused_frames_are_not_in_the_file);
	CU_add_test(s, "sums left to the port are good in the copy",
	            test_sums_left_to_the_port_are_good_in_the_copy);
	CU_add_test(s, "the limit ends the capture, not the traffic",
	            test_the_limit_ends_the_capture_not_the_traffic);
	CU_add_test(s, "more than the buffer holds is all there",
	            test_more_than_the_buffer_holds_is_all_there);
	CU_add_test(s, "a file that cannot be made is one clear line",
	            test_a_file_that_cannot_be_made_is_one_clear_line);
	CU_add_test(s, "a full disk at the start is one clear line",
	            test_a_full_disk_at_the_start_is_one_clear_line);
	CU_add_test(s, "the inner engine is told of the beginning",
	            test_the_inner_engine_is_told_of_the_beginning);
}
