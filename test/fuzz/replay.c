/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fuzz target without a fuzzer: runs the inputs it is given, files or folders
 * of files, so that every build with any compiler replays the corpus.
 *
 * usage: TARGET_replay FILE|FOLDER...; the last line counts the inputs.
 */
#include "base/base.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_passed, n_failed;

static void
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *copy, *data = malloc(INPUT_MAX);
	size_t n;

	if (!f || !data) {
		perror(path);
		n_failed++;
		free(data);
		return;
	}
	printf("%s\n", path);
	(void)fflush(stdout);
	n = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);
	copy = malloc(n + !n); /* exactly as long: reading past the end is seen */
	if (!copy)
		abort();
	memcpy(copy, data, n);
	free(data);
	(void)LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	n_passed++;
}

static void
replay(const char *path)
{
	struct dirent *d;
	struct stat st;
	DIR *dir;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode) || !(dir = opendir(path))) {
		replay_file(path);
		return;
	}
	while ((d = readdir(dir))) {
		char below[4096];

		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(below, sizeof below, "%s/%s", path, d->d_name);
		replay_file(below);
	}
	(void)closedir(dir);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed > 0 || n_passed == 0;
}
