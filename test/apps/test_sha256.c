/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-256 against the published examples of FIPS 180. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "apps/sha256.h"

static void
hex(struct sha256 *s, char out[2 * SHA256_SIZE + 1])
{
	uint8_t digest[SHA256_SIZE];

	sha256_end(s, digest);
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void
check(const char *text, const char *want)
{
	struct sha256 s;
	char got[2 * SHA256_SIZE + 1];

	sha256_start(&s);
	sha256_add(&s, text, strlen(text));
	hex(&s, got);
	CU_ASSERT_STRING_EQUAL(got, want);
}

static void
test_the_published_examples(void)
{
	check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* A million times "a", in pieces that meet every place of a block. */
static void
test_pieces_of_any_length_add_up(void)
{
	char text[257], got[2 * SHA256_SIZE + 1];
	struct sha256 s;
	size_t done = 0;

	memset(text, 'a', sizeof(text));
	sha256_start(&s);
	for (size_t n = 0; done < 1000000; n = (n + 1) % sizeof(text)) {
		size_t piece = n < 1000000 - done ? n : 1000000 - done;

		sha256_add(&s, text, piece);
		done += piece;
	}
	hex(&s, got);
	CU_ASSERT_STRING_EQUAL(got,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

void suite_sha256(void);

void
suite_sha256(void)
{
	CU_pSuite s = CU_add_suite("sha256", NULL, NULL);

	CU_add_test(s, "the published examples", test_the_published_examples);
	CU_add_test(s, "pieces of any length add up", test_pieces_of_any_length_add_up);
}
