#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's end of udp.sh: lengths, many, refused, broadcast or echo, ADDRESS PORT ..."""

import socket
import sys

LENGTHS = [0, 1, 2, 511, 512, 1471, 1472, 1473, 2000, 2952, 2953, 8192, 20000, 40001, 65506, 65507]


def text(n, salt=0):
    return bytes((i * 7 + i // 256 + salt) & 255 for i in range(n))


def family(address):
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def sender(to):
    s = socket.socket(family(to), socket.SOCK_DGRAM)
    s.settimeout(3)
    return s


def lengths(to):
    s = sender(to)
    for n in LENGTHS:
        s.sendto(text(n), to)
        got, by = s.recvfrom(70000)
        assert got == text(n) and by[:2] == to, n


def many(to, count):
    s = sender(to)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.connect(to)
    for i in range(count):
        s.send(text(100, i))
    got = sorted(s.recv(1000) for _ in range(count))
    assert got == sorted(text(100, i) for i in range(count))


def refused(to):
    s = sender(to)
    s.connect(to)
    s.send(b"anybody?")
    try:
        s.recv(100)
    except ConnectionRefusedError:
        return
    raise AssertionError("no refusal")


def broadcast(to, by):
    s = sender(to)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.sendto(b"who is there?", to)
    got, who = s.recvfrom(100)
    assert got == b"who is there?" and who[0] == by, who


def echo(here):
    s = socket.socket(family(here), socket.SOCK_DGRAM)
    s.bind(here)
    print("echoing", flush=True)
    while True:
        got, by = s.recvfrom(70000)
        s.sendto(got, by)


def main():
    what, address = sys.argv[1], (sys.argv[2], int(sys.argv[3]))
    rest = [int(a) if a.isdigit() else a for a in sys.argv[4:]]
    {"lengths": lengths, "many": many, "refused": refused, "broadcast": broadcast, "echo": echo}[what](
        address, *rest
    )


main()
