/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets of mtcp: the calls of POSIX with a context in front.
 *
 * A program calls mtcp_init() once, then, in one thread per core, creates a
 * context.  Every socket belongs to the context it was made in.
 *
 * Threads: every call on an mctx_t is made from the thread that created it.
 * Contexts share nothing, so different threads use different contexts without
 * any lock.  The calls without an mctx_t belong to the program's start and end
 * and are made while no context is in use by another thread, except where a
 * call says otherwise.
 *
 * Errors: unless a call says otherwise it returns 0 or more on success and -1
 * with errno set on failure.  These may come from every call on a socket and
 * are not repeated below:
 *   EBADF     sockid is not an open socket of this context
 *   EINVAL    mctx is NULL or an argument has an impossible value
 *   EFAULT    a pointer that must point to something is NULL
 *   ENOTSOCK  sockid is open, but is a pipe or an epoll
 *
 * Blocking: a socket is blocking until mtcp_setsock_nonblock(), FIONBIO,
 * SOCK_NONBLOCK or, for one call, MSG_DONTWAIT says otherwise.  Where a call
 * "may block" a non-blocking socket gets EAGAIN instead.  A call that waits is
 * ended by a signal handler of the calling thread with EINTR.
 */
#ifndef MTCP_API_H
#define MTCP_API_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifndef UNUSED
#define UNUSED(x) (void)x
#endif

/* For struct sockaddr_in.sin_port: let the stack choose the port. */
#ifndef INPORT_ANY
#define INPORT_ANY ((uint16_t)0)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a socket number stands for. */
enum socket_type {
	MTCP_SOCK_UNUSED,
	MTCP_SOCK_STREAM,
	MTCP_SOCK_PROXY,
	MTCP_SOCK_LISTENER,
	MTCP_SOCK_EPOLL,
	MTCP_SOCK_PIPE,
	MTCP_SOCK_DGRAM
};

/* The part of the configuration that a program may read and change itself. */
struct mtcp_conf {
	int num_cores;       /* contexts that can exist at a time */
	int max_concurrency; /* connections per core */
	int max_num_buffers; /* connections per core that can hold data */
	int rcvbuf_size;     /* bytes per connection; 0: sized automatically */
	int sndbuf_size;     /* bytes per connection; 0: sized automatically */
	int tcp_timewait;    /* seconds in TIME-WAIT */
	int tcp_timeout;     /* seconds until an idle connection is closed; -1: never */
};

/* One core of the stack, with all of its sockets. */
typedef struct mtcp_context *mctx_t;

typedef void (*mtcp_sighandler_t)(int);

/* ---- start and end ------------------------------------------------------ */

/*
 * Reads the configuration file, opens the ports it names and reserves memory.
 * Called once, before all else that needs a network.  May take a second.
 * Installs no signal handler, never ends the process, and leaves the caller's
 * CPU affinity and signal mask alone.
 * 0, or -1 after one line on standard error that says what is wrong and where
 * (FILE:LINE for the configuration); nothing is left behind then.
 * ENOENT EACCES (file), EINVAL (its content), ENODEV (port), ENOMEM, EPERM,
 * EALREADY (called twice).
 */
int mtcp_init(const char *config_file);

/*
 * Closes every context that still exists, the ports and all memory.  Resets
 * what connections are left.  Safe without a successful mtcp_init().
 */
void mtcp_destroy(void);

/*
 * Fills *conf.  Before mtcp_init(): the built-in defaults and what
 * mtcp_setconf() changed; afterwards the values in force.  Never blocks.
 */
int mtcp_getconf(struct mtcp_conf *conf);

/*
 * Before mtcp_init(): each field that differs from mtcp_getconf()'s answer
 * overrides the file.  Afterwards, until the first context exists, all but
 * num_cores may change.  Never blocks.
 * EBUSY (a context exists, or num_cores changed after mtcp_init()),
 * EINVAL (a value out of range).
 */
int mtcp_setconf(const struct mtcp_conf *conf);

/*
 * Before mtcp_init(): overrides one key of the file.  assignment is a line of
 * it: "key = value".  A later call for the same key replaces an earlier one.
 * -1 and one line on standard error: EINVAL (unknown key, bad value),
 * EBUSY (after mtcp_init()), ENOMEM.
 */
int mtcp_config_set(const char *assignment);

/*
 * Examines a configuration file without touching the network, privileges or
 * devices.  0 when it is good; -1 when not, with one line
 * "FILE:LINE: what is wrong" per problem written to out.
 * May be called at any time, also without mtcp_init().
 */
int mtcp_check_config(const char *file, FILE *out);

/*
 * Writes every key with its effective value and where that came from (the
 * file and line, an override of the program, or the default) to out, in the
 * syntax of the configuration file.  After mtcp_init(): the configuration in
 * force; before it: the one that mtcp_check_config() last found good, else the
 * defaults, with overrides applied.  -1 when writing failed.
 */
int mtcp_dump_config(FILE *out);

/*
 * Binds the calling thread to the CPU of context number cpu (0 up to
 * num_cores - 1; CPU number cpu unless core_mask says otherwise) and its
 * memory to that CPU's NUMA node.  0, or -1: EINVAL (no such CPU), EPERM.
 */
int mtcp_core_affinitize(int cpu);

/*
 * Creates the stack of core number cpu, 0 up to num_cores - 1, and starts its
 * stack thread.  The calling thread owns the context from here on.
 * NULL and errno: EINVAL (no such core, or no mtcp_init()), EBUSY (the core has a
 * context), ENOMEM, EAGAIN (no thread).
 */
mctx_t mtcp_create_context(int cpu);

/*
 * Closes the sockets of a context in order (a connection with unsent data gets
 * a moment to send it, then is reset) and frees it.  Blocks until that is done,
 * a second at most.  NULL is allowed.  Where there are several cores its stack
 * thread stays until mtcp_destroy(), or until the core is used again: packets of
 * the others may arrive on its queues.
 */
void mtcp_destroy_context(mctx_t mctx);

/* What a context has cost since it was made. */
struct mtcp_usage {
	uint64_t steps;        /* of its stack */
	uint64_t busy_steps;   /* of them, that found a packet or a request, or sent something */
	uint64_t busy_cycles;  /* that these took, of the processor's time stamp counter */
	uint64_t cycles_per_s; /* how fast that counts */
	uint64_t stack_ns;     /* CPU time of the stack's thread, looking and napping too */
	uint64_t app_ns;       /* CPU time of the calling thread */
};

/*
 * Fills *usage.  Never blocks.  EOPNOTSUPP (the context of an embedded stack, which has
 * no thread and no clock).
 */
int mtcp_getusage(mctx_t mctx, struct mtcp_usage *usage);

/*
 * Installs handler for signum as sigaction() would without SA_RESTART, so that
 * waiting calls end with EINTR.  For programs that want this done for them;
 * the library itself installs none.  The previous handler, or SIG_ERR and errno.
 */
mtcp_sighandler_t mtcp_register_signal(int signum, mtcp_sighandler_t handler);

/* ---- sockets ------------------------------------------------------------ */

/*
 * A new socket.  domain AF_INET or AF_INET6; type SOCK_STREAM or SOCK_DGRAM, or'ed with
 * SOCK_NONBLOCK if wanted (MTCP_SOCK_STREAM is taken as SOCK_STREAM);
 * protocol 0, or IPPROTO_TCP or IPPROTO_UDP.  Never blocks.
 * EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE (max_concurrency reached).
 */
int mtcp_socket(mctx_t mctx, int domain, int type, int protocol);

/*
 * A pipe inside one context whose ends an epoll can watch: pipeid[0] is read,
 * pipeid[1] written, with mtcp_read() and mtcp_write().  Never blocks.  EMFILE.
 */
int mtcp_pipe(mctx_t mctx, int pipeid[2]);

/*
 * Names the local end.  Port 0 picks a free one at once.  The same port may be
 * bound in every context, since each core has a listener of its own; in one context
 * by several sockets, as SO_REUSEADDR and SO_REUSEPORT let them on Linux.
 * Never blocks.  EADDRINUSE (in this context), EADDRNOTAVAIL (no such local
 * address), EAFNOSUPPORT, EINVAL (bound already).
 */
int mtcp_bind(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen);

/*
 * Makes a socket a listener with room for backlog connections that wait for
 * mtcp_accept(); a second call changes backlog.  A socket that is not bound gets
 * a free port.  Never blocks.
 * EADDRINUSE (another listener of this context), EINVAL (connected).
 */
int mtcp_listen(mctx_t mctx, int sockid, int backlog);

/*
 * Takes the next established connection, as a new blocking socket.  addr and
 * addrlen, both or none NULL, receive the peer's address.  May block.
 * EAGAIN, EINVAL (not listening), EMFILE, ECONNABORTED (gone again), EINTR.
 */
int mtcp_accept(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen);

/* As mtcp_accept(); flags is 0 or SOCK_NONBLOCK (SOCK_CLOEXEC has no meaning
 * here and is allowed). */
int mtcp_accept4(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen, int flags);

/*
 * Announces that this context will connect from the num_addr addresses that
 * start at saddr_base (INADDR_ANY: the port's own) to daddr:dport (both in
 * network order).  There for programs that call it: only examines its
 * arguments.  mtcp_connect() chooses local ports whose replies arrive on this
 * context's core, to any number of destinations, announced or not.
 * Never blocks.  EINVAL, ENOMEM.
 */
int mtcp_init_rss(mctx_t mctx, in_addr_t saddr_base, int num_addr, in_addr_t daddr,
                  in_addr_t dport);

/*
 * Opens a connection.  An unbound socket gets a local address by the routes and
 * a free port.  May block until the connection is established; a non-blocking
 * socket gets EINPROGRESS: MTCP_EPOLLOUT tells the end, SO_ERROR how it went.
 * After a failure was returned the socket can be connected again.  AF_UNSPEC takes a
 * connection back, resetting what is open.
 * ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL (no port
 * left), EALREADY, EISCONN, ECONNABORTED (failed, and SO_ERROR took the error),
 * EAFNOSUPPORT, EINTR (goes on in the background).
 */
int mtcp_connect(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen);

/*
 * Ends one direction or both: how is SHUT_RD (local only), SHUT_WR (what was
 * written is sent, then a FIN) or SHUT_RDWR.  Never blocks.  ENOTCONN.
 * On a listener SHUT_RD lets no more connections begin: those whose handshake has begun can still
 * be accepted, others go to another core or process that listens on the port.  As long as there is none
 * they are not refused: a SYN that finds silence comes again.  mtcp_listen() takes it back.
 */
int mtcp_shutdown(mctx_t mctx, int sockid, int how);

/*
 * Gives the number back, for a socket, pipe or epoll.  What was written is still
 * sent, then a FIN; a reset when received data was not read.  Blocks only with
 * SO_LINGER and a time.  Never fails for an open number.
 */
int mtcp_close(mctx_t mctx, int sockid);

/* As mtcp_close(), but drops what is unsent and resets the connection. */
int mtcp_abort(mctx_t mctx, int sockid);

/* ---- data --------------------------------------------------------------- */

/*
 * Up to len bytes into buf: how many, or 0 at the end of the peer's data.
 * May block until a byte or the end has arrived.
 * EAGAIN (also when SO_RCVTIMEO ran out), ECONNRESET (once), ETIMEDOUT (peer
 * silent), ENOTCONN, EINTR.
 */
ssize_t mtcp_read(mctx_t mctx, int sockid, char *buf, size_t len);

/*
 * As mtcp_read() with flags: MSG_PEEK (bytes stay), MSG_DONTWAIT, MSG_WAITALL
 * (all of len unless the connection ends).  EINVAL for another flag.
 */
ssize_t mtcp_recv(mctx_t mctx, int sockid, char *buf, size_t len, int flags);

/*
 * Copies up to len bytes of buf for sending: how many, which is fewer than len
 * only on a non-blocking socket, on an error after some, or with EINTR.
 * May block until there is room.  Raises no signal.
 * EAGAIN (also when SO_SNDTIMEO ran out), EPIPE (after SHUT_WR or a reset that
 * was told), ECONNRESET, ETIMEDOUT, ENOTCONN, EINTR.
 */
ssize_t mtcp_write(mctx_t mctx, int sockid, const char *buf, size_t len);

/*
 * As mtcp_write() with flags: MSG_DONTWAIT, MSG_MORE (more follows at once: hold
 * back a last partial segment), MSG_EOR (what is written later shares no segment with
 * this), MSG_NOSIGNAL, MSG_FASTOPEN (mtcp_sendmsg() only: connects to msg_name and, where
 * its cookie is known, sends with the SYN; EINPROGRESS when nothing could be taken yet).
 */
ssize_t mtcp_send(mctx_t mctx, int sockid, const char *buf, size_t len, int flags);

/*
 * Scattered mtcp_read() and gathered mtcp_write(): the numiov pieces of iov, at
 * most IOV_MAX of them, in order, as one call.  EINVAL for a bad numiov.
 */
int mtcp_readv(mctx_t mctx, int sockid, const struct iovec *iov, int numiov);
int mtcp_writev(mctx_t mctx, int sockid, const struct iovec *iov, int numiov);

/*
 * As mtcp_send() and mtcp_recv() on the pieces of msg->msg_iov, and of a datagram as
 * mtcp_sendto() and mtcp_recvfrom() with the address in msg_name.  A connected
 * stream needs no msg_name: sending ignores it (but for MSG_FASTOPEN),
 * receiving sets msg_namelen to 0.  No control messages: msg_controllen becomes 0
 * on receiving and must be 0 on sending (EINVAL).
 */
ssize_t mtcp_sendmsg(mctx_t mctx, int sockid, const struct msghdr *msg, int flags);
ssize_t mtcp_recvmsg(mctx_t mctx, int sockid, struct msghdr *msg, int flags);

/* ---- datagrams ---------------------------------------------------------- */

/*
 * A socket of SOCK_DGRAM sends and receives datagrams, of 65,507 bytes at most, whole or
 * not at all.  It has a port when it is bound, connected or sends for the first time; what
 * the stack chooses cannot be guessed.  mtcp_connect() is over at once: it names the peer, whose
 * datagrams alone are received from then on; AF_UNSPEC takes that back.  What is sent waits in
 * the socket until the stack's next turn; long datagrams leave in fragments.  mtcp_read() and
 * mtcp_recv() return one datagram, and what does not fit is lost; mtcp_write() and
 * mtcp_send() send one to the peer.  Errors that only the stack can know (ENETUNREACH,
 * EACCES for a broadcast without SO_BROADCAST, EMSGSIZE of a path), and ECONNREFUSED and
 * others that a connected socket hears of by ICMP, are the result of the next call, once, or
 * SO_ERROR's.  Datagrams beyond SO_RCVBUF (212,992 bytes) are dropped.
 */

/*
 * Sends len bytes to `to`, or with NULL to the peer: len.  May block while the socket holds
 * more than SO_SNDBUF lets it.  flags: MSG_DONTWAIT, MSG_NOSIGNAL.  For a stream: mtcp_send(), and
 * `to` counts with MSG_FASTOPEN only.
 * EAGAIN, EMSGSIZE (too long, or for IP_MTU_DISCOVER), EDESTADDRREQ (no peer), EINVAL
 * (port 0), EADDRNOTAVAIL (no port left), EOPNOTSUPP (another flag), EPIPE (after SHUT_WR).
 */
ssize_t mtcp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
                    const struct sockaddr *to, socklen_t tolen);

/*
 * The next datagram, up to len bytes of it into buf: how many; `from` and fromlen, both or none
 * NULL, receive its sender.  May block until there is one.  flags: MSG_PEEK (it stays), MSG_TRUNC
 * (returns its whole length), MSG_DONTWAIT.  For a stream: mtcp_recv(), `from` left alone.
 * mtcp_recvmsg() sets MSG_TRUNC in msg_flags when some of it was lost.
 * EAGAIN (also when SO_RCVTIMEO ran out), ECONNREFUSED and others (see above), EINTR.
 */
ssize_t mtcp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags,
                      struct sockaddr *from, socklen_t *fromlen);

/* ---- about a socket ----------------------------------------------------- */

/*
 * Options of the levels SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP and IPPROTO_IPV6
 * with the names, types and units of the system's <sys/socket.h>,
 * <netinet/tcp.h> and <netinet/in.h>.  SO_ERROR is cleared by reading.
 * Never block.  ENOPROTOOPT (not supported; logged once), EINVAL (bad value or
 * length), EDOM (a time out of range), ENOBUFS (mtcp_setsockopt(): no memory left to note
 * a value that few sockets have).
 */
int mtcp_getsockopt(mctx_t mctx, int sockid, int level, int optname, void *optval,
                    socklen_t *optlen);
int mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval,
                    socklen_t optlen);

/* Makes a socket or pipe end non-blocking.  Works for listeners too. */
int mtcp_setsock_nonblock(mctx_t mctx, int sockid);

/*
 * request FIONREAD (bytes that can be read now), SIOCOUTQ (bytes the peer has
 * not acknowledged), both into *(int *)argp; FIONBIO (*(int *)argp: 0 blocking, 1
 * not).  Never blocks.  EINVAL for another request (logged once).
 */
int mtcp_socket_ioctl(mctx_t mctx, int sockid, int request, void *argp);

/*
 * The local and the remote address.  *addrlen is the room on entry and the
 * address's length on return; a longer address is cut.  Never block.
 * ENOTCONN (mtcp_getpeername() only).
 */
int mtcp_getsockname(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen);
int mtcp_getpeername(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen);

/* ---- helpers ------------------------------------------------------------ */

/* The number of CPUs that are online: 1 or more.  Callable at any time. */
int GetNumCPUs(void);

/* What the first port wants as endian_check below: 1 when its redirection table
 * counts in an order of its own (i40e), else 0.  Callable at any time. */
int FetchEndianType(void);

/*
 * The core, 0 up to queues - 1, on which the first port delivers packets of the
 * flow from sip:sp to dip:dp, as the packet carries them (from peer to us), all
 * four in host order.  By the port's own key and table; before mtcp_init(), and
 * for a port without RSS, by the usual key and a table that deals queues in
 * turn.  endian_check is FetchEndianType()'s answer.
 * Never blocks; callable from any thread.  -1 and EINVAL when queues < 1.
 */
int GetRSSCPUCore(uint32_t sip, uint32_t dip, uint16_t sp, uint16_t dp, int queues,
                  uint8_t endian_check);

#ifdef __cplusplus
}
#endif

#endif /* MTCP_API_H */
