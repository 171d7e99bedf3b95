/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel and a stack that do nothing but write down what they are asked, and answer as they are
 * told to.  A call is a word: "k.bind(3,10.0.0.1:80)", "s.listen(0,5)"; k is the kernel, s the
 * stack.  The kernel gives numbers from 3 on, the stack from 0.
 */
#pragma once

#include "posix/posix.h"

#define FIRST 0x40000000

/* A context that only a stand-in takes. */
extern const mctx_t two_sides_ctx;
extern const struct kernel_calls two_sides_kernel;
extern const struct stack_calls two_sides_stack;

/* A fresh world, with or without a stack for this process. */
struct posix *two_sides(bool with_stack);

/* Frees it. */
void two_sides_end(struct posix *p);

/* What was called since the last question, with blanks between. */
const char *two_sides_said(void);

/* The next call whose word begins with `call` fails with `err`. */
void two_sides_refuse(const char *call, int err);

/* What the next wait of either side finds: an entry with these events and data.  The bell's entry has
 * the poller as data. */
void two_sides_kernel_finds(uint32_t events, uint64_t data);
void two_sides_stack_finds(uint32_t events, uint64_t data);

/* The address in text, of either family, for the calls. */
struct sockaddr_storage two_sides_address(const char *ip, uint16_t port);
