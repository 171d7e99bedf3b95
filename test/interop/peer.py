# SPDX-License-Identifier: BSD-3-Clause
"""A kernel peer for what curl cannot do: it keeps connections and watches how they end.

    peer.py idle HOST SECONDS...     one connection; waits, asks, prints microseconds
    peer.py latency HOST N           one request at a time; prints each time in microseconds
    peer.py hold HOST N [FILE]       N connections; when FILE exists asks on each; without
                                     FILE only listens.  Prints how each ended.
    peer.py abuse HOST SECONDS       connections that are broken off at all moments
    peer.py stay HOST N FILE         N connections; asks on each, again and again, until FILE exists.
                                     The file /who tells whose a connection is; prints how many
                                     connections and requests each had, and how many broke
    peer.py asks HOST SECONDS        one connection after another, a request on each; prints how many
                                     asked, whose first SYN was lost, and failed
    peer.py echo N                   an echo server on port 7 for N connections
    peer.py urgent N                 sends N connections to port 13 abc!def, of which ! is urgent
    peer.py talk HOST BYTES          a client of one
    peer.py sink [CC]                reads one connection to port 5001, as `perf -s -1` does, and
                                     prints bytes, seconds from the first to the last, Mbit/s
    peer.py source HOST SECONDS [CC] sends there for so long, as `perf -c HOST` does, and prints
                                     what TCP_INFO knows, every second to standard error
"""
import contextlib
import os
import random
import select
import socket
import struct
import sys
import threading
import time

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(host, timeout=5.0):
    s = socket.create_connection((host, 80), timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def ask(s, path=b"1"):
    """One request on an open connection; its whole answer has arrived at the end."""
    s.sendall(GET % path)
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise ConnectionError("closed inside a response")
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError("answered " + repr(head[:40]))
    size = [int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")]
    while len(body) < size[0]:
        more = s.recv(65536)
        if not more:
            raise ConnectionError("closed inside a response")
        body += more
    return body


def timed(s):
    begun = time.perf_counter_ns()
    ask(s)
    return (time.perf_counter_ns() - begun) / 1000


def idle(host, *waits):
    s = connect(host)
    ask(s)
    for seconds in waits:
        time.sleep(float(seconds))
        print("%.0f" % timed(s))


def latency(host, n):
    s = connect(host)
    for _ in range(200):
        ask(s)
    for _ in range(int(n)):
        print("%.1f" % timed(s))


def ending(s, limit):
    """How the other side ended a connection, and after how many milliseconds."""
    begun = time.monotonic()
    s.settimeout(limit)
    try:
        while s.recv(65536):
            pass
        how = "fin"
    except socket.timeout:
        how = "nothing"
    except OSError:
        how = "reset"
    return how, (time.monotonic() - begun) * 1000


def hold(host, n, go=None):
    held = []
    for i in range(int(n)):
        s = connect(host)
        if i % 2:
            ask(s)
        else:  # in the middle of a large answer that nobody reads
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(GET % b"big")
        held.append(s)
    time.sleep(0.2)
    print("ready", flush=True)
    if go:
        while not os.path.exists(go):
            time.sleep(0.02)
        for s in held:
            try:
                s.sendall(GET % b"1")
            except OSError:
                pass
    else:
        select.select(held[1::2], [], [], 30)
    ends = [ending(s, 5.0) for s in held]
    count = {k: sum(1 for e in ends if e[0] == k) for k in ("fin", "reset", "nothing")}
    print("fin %(fin)d reset %(reset)d nothing %(nothing)d" % count, "slowest %.0f ms" % max(e[1] for e in ends))


def abuse(host, seconds):
    """All the ways to leave: a reset at once, inside a request, inside an answer, or silence."""
    dice = random.Random(7)
    until = time.monotonic() + float(seconds)
    made, kept = 0, []
    while time.monotonic() < until:
        try:
            s = connect(host)
            made += 1
            way = dice.randrange(6)
            if way >= 1:
                s.sendall(GET[: dice.randrange(1, 12)] if way == 1 else GET % b"big")
            if way >= 3:
                s.recv(dice.randrange(1, 100000))
            if way == 5:  # stays for a while and reads nothing
                kept.append(s)
                if len(kept) > 50:
                    kept.pop(0).close()
                continue
            if way % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        except OSError as e:
            print("abuse:", e)
            return 1
    for s in kept:
        s.close()
    print("abuse: %d connections broken off" % made)
    return 0


def stay_on(s, owner, end, counts):
    try:
        while not os.path.exists(end):
            if ask(s, b"who") != owner:
                raise ConnectionError("answered by another process")
            counts[0] += 1
            time.sleep(0.002)
    except OSError as e:
        counts[1] = str(e) or type(e).__name__


def stay(host, n, end):
    held = []
    for _ in range(int(n)):
        s = connect(host)
        held.append((s, ask(s, b"who"), end, [0, ""]))
    threads = [threading.Thread(target=stay_on, args=h, daemon=True) for h in held]
    for t in threads:
        t.start()
    print("ready", flush=True)
    for t in threads:
        t.join()
    for w in sorted({h[1] for h in held}):
        mine = [h[3] for h in held if h[1] == w]
        print("process %s: %d connections, %d requests, %d broke" % (
            w.decode().strip(), len(mine), sum(c[0] for c in mine), sum(c[1] != "" for c in mine)))


def asks(host, seconds):
    until, asked, late, failed = time.monotonic() + float(seconds), 0, 0, 0
    while time.monotonic() < until:
        asked += 1
        begun = time.monotonic()
        try:
            with connect(host) as s:
                late += time.monotonic() - begun > 0.9
                ask(s)
        except OSError as e:
            failed += 1
            print("failed: %s" % e)
    print("%d asked, %d of them by a second SYN, %d failed" % (asked, late, failed))
    return failed > 0


def echo(n):
    listener = socket.create_server(("", 7))
    for _ in range(int(n)):
        s, _ = listener.accept()
        with s, contextlib.suppress(ConnectionError):
            for data in iter(lambda: s.recv(65536), b""):
                s.sendall(data)


def urgent(n):
    listener = socket.create_server(("", 13))
    for _ in range(int(n)):
        s, _ = listener.accept()
        with s, contextlib.suppress(ConnectionError):
            s.sendall(b"abc")
            s.send(b"!", socket.MSG_OOB)
            s.sendall(b"def")
            s.recv(1)


def talk(host, size):
    """Sends random bytes while it reads them back."""
    said, heard = os.urandom(int(size)), []
    s = socket.create_connection((host, 7), 5.0)

    def listen():
        for data in iter(lambda: s.recv(65536), b""):
            heard.append(data)

    listener = threading.Thread(target=listen)
    listener.start()
    s.sendall(said)
    s.shutdown(socket.SHUT_WR)
    listener.join()
    return 0 if b"".join(heard) == said else "the echo differs"


def use(s, cc):
    if cc:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, cc[0].encode())


def facts(s):
    """A few fields of Linux's struct tcp_info."""
    raw = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    w = struct.unpack("=8B24I", raw)
    return ("cwnd %d ssthresh %d rtt %d rttvar %d rto %d unacked %d lost %d retrans %d reordering %d ca %d"
            % (w[8 + 18], w[8 + 17], w[8 + 15], w[8 + 16], w[8 + 0], w[8 + 4], w[8 + 6], w[8 + 23],
               w[8 + 20], w[1]))


def sink(*cc):
    with socket.create_server(("", 5001)) as listener:
        use(listener, cc)
        listener.settimeout(60)
        s, _ = listener.accept()
    s.settimeout(60)
    total, first, last = 0, 0, 0
    buffer = bytearray(65536)
    while True:
        n = s.recv_into(buffer)
        if n == 0:
            break
        last = time.monotonic()
        first = first or last
        total += n
    print("received %d bytes in %.3f s: %.3f Mbit/s" % (total, last - first, total * 8e-6 / (last - first)))


def source(host, seconds, *cc):
    s = socket.socket()
    use(s, cc)
    s.settimeout(60)
    s.connect((host, 5001))
    piece = os.urandom(65536)
    now = begun = shown = time.monotonic()
    while now - begun < float(seconds):
        s.send(piece)
        now = time.monotonic()
        if now - shown >= 1:
            shown = now
            print("%5.1f s %s" % (now - begun, facts(s)), file=sys.stderr, flush=True)
    print("tcp_info " + facts(s))
    s.shutdown(socket.SHUT_WR)
    while s.recv(65536):
        pass


JOBS = {f.__name__: f for f in (idle, latency, hold, abuse, stay, asks, echo, urgent, talk, sink, source)}

if __name__ == "__main__":
    sys.exit(JOBS[sys.argv[1]](*sys.argv[2:]))
