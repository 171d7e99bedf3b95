/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether an assertion fires, seen from outside: it is tried in a child process. */
#pragma once

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Builds without checks assert nothing. */
static inline bool
asserts_are_on(void)
{
	bool on = false;

	assert((on = true));
	return on;
}

static inline void
child_runs(void (*f)(void *arg), void *arg)
{
	if (!freopen("/dev/null", "w", stderr))
		_exit(1);
	(void)signal(SIGABRT, SIG_DFL);
	f(arg);
	_exit(0);
}

/* True when f(arg) ends by abort(); what it changes is lost. */
static inline bool
aborts(void (*f)(void *arg), void *arg)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		child_runs(f, arg);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
