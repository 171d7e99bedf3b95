/* SPDX-License-Identifier: BSD-3-Clause */
/* The interface behind io_kernel.c: made, or found as somebody else has made it. */
#include "io_engine/io_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN "/dev/net/tun"

struct link_setup {
	const struct io_kernel_config *cfg;
	struct ifreq ifr; /* with the name */
	int sock;         /* to ask about it by */
	char *err;
	size_t errlen;
};

static int
failed(const struct link_setup *u, const char *what, const char *advice)
{
	int err = errno;

	snprintf(u->err, u->errlen, "exception = tap:%s: %s: %s%s", u->cfg->name, what,
	         strerror(err), advice);
	return -err;
}

/* -------------------------------------------------------------- addresses -- */

struct addr_msg {
	struct nlmsghdr h;
	struct ifaddrmsg a;
	uint8_t attrs[2 * RTA_SPACE(16)];
};

static void
attr_add(struct addr_msg *m, uint16_t type, const void *data, uint16_t len)
{
	struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)m + NLMSG_ALIGN(m->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	m->h.nlmsg_len = NLMSG_ALIGN(m->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static struct addr_msg
addr_msg(const struct io_kernel_addr *k, unsigned ifindex)
{
	bool v4 = ip_addr_is_v4(&k->ip);
	struct addr_msg m = {
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof m.a), .nlmsg_type = RTM_NEWADDR,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.a = { .ifa_family = v4 ? AF_INET : AF_INET6,
		       .ifa_prefixlen = (uint8_t)(v4 ? k->prefix - 96 : k->prefix),
		       .ifa_index = ifindex },
	};
	const uint8_t *bytes = v4 ? k->ip.b + 12 : k->ip.b;
	uint16_t len = v4 ? 4 : 16;

	attr_add(&m, IFA_LOCAL, bytes, len);
	attr_add(&m, IFA_ADDRESS, bytes, len);
	return m;
}

/* Sends the request and waits for what the kernel says of it.  0 or -errno. */
static int
netlink_ask(int nl, const struct addr_msg *m)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		uint8_t rest[512];
	} answer;

	if (send(nl, m, m->h.nlmsg_len, 0) < 0 || recv(nl, &answer, sizeof answer, 0) < 0)
		return -errno;
	if (answer.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.e.error == -EEXIST ? 0 : answer.e.error;
}

static int
give_addresses(const struct link_setup *u)
{
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), rc = 0;

	if (nl < 0)
		return failed(u, "no netlink socket", "");
	for (unsigned i = 0; i < u->cfg->n_addrs && !rc; i++) {
		struct addr_msg m = addr_msg(&u->cfg->addr[i], if_nametoindex(u->cfg->name));

		rc = netlink_ask(nl, &m);
	}
	close(nl);
	errno = -rc;
	return rc ? failed(u, "its address was refused", "") : 0;
}

/* ------------------------------------------------------------ the interface -- */

static bool
has_mac(struct link_setup *u)
{
	return ioctl(u->sock, SIOCGIFHWADDR, &u->ifr) == 0 &&
	       memcmp(u->ifr.ifr_hwaddr.sa_data, u->cfg->mac, 6) == 0;
}

/* As the port's, so that the network sees one host. */
static int
take_mac(struct link_setup *u)
{
	if (has_mac(u))
		return 0;
	u->ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(u->ifr.ifr_hwaddr.sa_data, u->cfg->mac, 6);
	if (ioctl(u->sock, SIOCSIFHWADDR, &u->ifr) == 0)
		return 0;
	return failed(u, "it cannot take the port's link address",
	              "; set it before (ip link set NAME address ...)");
}

static int
take_mtu(struct link_setup *u)
{
	if (ioctl(u->sock, SIOCGIFMTU, &u->ifr) == 0 && u->ifr.ifr_mtu == u->cfg->mtu)
		return 0;
	u->ifr.ifr_mtu = u->cfg->mtu;
	return ioctl(u->sock, SIOCSIFMTU, &u->ifr) == 0 ? 0 : failed(u, "it cannot take the port's MTU", "");
}

static int
come_up(struct link_setup *u)
{
	if (ioctl(u->sock, SIOCGIFFLAGS, &u->ifr) < 0)
		return failed(u, "its flags cannot be read", "");
	if (u->ifr.ifr_flags & IFF_UP)
		return 0;
	u->ifr.ifr_flags |= IFF_UP;
	return ioctl(u->sock, SIOCSIFFLAGS, &u->ifr) == 0 ? 0 : failed(u, "it cannot be set up", "");
}

static int
set_up(struct link_setup *u, bool made)
{
	int rc = take_mac(u);

	if (!rc)
		rc = take_mtu(u);
	if (!rc && made)
		rc = give_addresses(u);
	return rc ? rc : come_up(u);
}

/* ---------------------------------------------------------------------- opening -- */

static int
attach(struct link_setup *u)
{
	int fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return failed(u, TUN, "");
	u->ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	if (ioctl(fd, TUNSETIFF, &u->ifr) < 0) {
		int rc = failed(u, "no queue of it",
		                errno == EPERM ? "; needs CAP_NET_ADMIN, or a TAP made for this user"
		                               : "; one that exists has to be a TAP with multi_queue");

		close(fd);
		return rc;
	}
	return fd;
}

int
io_kernel_open(const struct io_kernel_config *cfg, struct io **out, char *err, size_t errlen)
{
	struct link_setup u = { .cfg = cfg, .err = err, .errlen = errlen };
	bool made = if_nametoindex(cfg->name) == 0;
	int fd, rc;

	*out = NULL;
	snprintf(u.ifr.ifr_name, sizeof u.ifr.ifr_name, "%s", cfg->name);
	if ((fd = attach(&u)) < 0)
		return fd;
	u.sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rc = u.sock < 0 ? failed(&u, "no socket", "") : set_up(&u, made);
	if (u.sock >= 0)
		close(u.sock);
	if (!rc && !(*out = io_kernel_on(fd, cfg->mac, cfg->mtu))) {
		errno = ENOMEM;
		rc = failed(&u, "no memory", "");
	}
	if (rc)
		close(fd);
	return rc;
}
