# SPDX-License-Identifier: BSD-3-Clause
"""Mixed load on an nginx that is reloaded and whose workers are killed; every failed request is explained.

    nginx_soak.py HOST MASTER WORKERS ERROR_LOG SECONDS CALM RELOAD KILL

The master, a process number, gets SIGHUP every RELOAD seconds, one of its workers SIGKILL every KILL seconds; not
in the last CALM of the SECONDS, in which workers grow old enough to tell of their memory.
nginx tells with each answer which worker has sent it (X-Worker), so that a request that fails is known to be

    killed       on a connection of a worker that was killed, or one that was being opened when it was
    reload       begun or failed between SIGHUP and a second after the last new worker has started and
                 the last old one has closed its idle connections
    unexplained  anything else

wrk tells no times: it runs for a few seconds again and again, and its errors are explained by what happened
meanwhile, no more of them than it has connections.  Clients that break off are there to disturb: what happens
to them is not counted.  The resident memory of each worker is watched, and whether it answers at all.  Prints `name value' for the script
that has started it; the judge is nginx_soak.sh."""
import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import threading
import time

PATIENCE = 15       # of a client, for a whole request
SETTLED = 1         # after the last new worker has started, and the old ones know
WRK_SECONDS = 4
DEAF_AFTER = 5      # seconds of a worker's life without an answer
GROWN_UP = 150      # seconds of a worker's life: before, it has not yet touched all that it has at hand
POST = os.urandom(100000)


def say(*words):
    print(*words, flush=True)


class Request:
    """What is known of one that failed."""

    def __init__(self, kind, connection):
        self.kind, self.begun, self.ended = kind, time.time(), 0.0
        self.opened, self.worker, self.connection = connection.opened, connection.worker, connection
        self.fresh, self.why = not connection.worker, ""


class Book:
    """What was asked, what failed, and what happened to nginx."""

    def __init__(self):
        self.asked = {}
        self.answered = {}      # by which worker, how often
        self.failed = []
        self.slices = []        # of wrk: (kind, begun, ended, errors, connections, why)
        self.kills = []         # (when, process)
        self.reloads = []       # (SIGHUP, new workers have started and old ones do not accept any more)
        self.over = False

    def count(self, kind, n=1):
        self.asked[kind] = self.asked.get(kind, 0) + n

    def was_killed(self, r):
        return any(r.ended >= when - 0.1 and (r.worker == pid or not r.worker and r.opened <= when + 0.1)
                   for when, pid in self.kills)

    def in_reload(self, begun, ended):
        return any(ended >= since and begun <= until + SETTLED for since, until in self.reloads)

    def why_failed(self, r):
        if self.was_killed(r):
            return "killed"
        return "reload" if self.in_reload(r.begun, r.ended) else "unexplained"

    def why_wrk(self, begun, ended, errors, connections):
        """By what happened meanwhile: each time, each connection may fail once."""
        kills = sum(begun - 0.1 <= when <= ended for when, _ in self.kills)
        if kills and errors <= connections * kills:
            return "killed"
        reloads = sum(ended >= since and begun <= until + SETTLED for since, until in self.reloads)
        few = errors <= connections * (kills + reloads)
        return "reload" if reloads and few else "unexplained"


# ---- clients ---------------------------------------------------------------------

class Connection:
    """To the server, until somebody closes it."""

    def __init__(self, host, tls):
        self.host, self.tls = host, tls
        self.opened, self.worker, self.reader, self.writer = time.time(), "", None, None
        self.port, self.sock = 0, None      # of this end

    async def open(self):
        self.sock = socket.socket()
        self.sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(self.sock, (self.host, 443 if self.tls else 80))
        finally:
            self.port = self.sock.getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection(sock=self.sock, ssl=self.tls,
                                                                 server_hostname="x" if self.tls else None)

    def is_open(self):
        return self.writer is not None and not self.reader.at_eof() and not self.writer.is_closing()

    def close(self):
        if self.writer:
            self.writer.close()
        elif self.sock:
            self.sock.close()
        self.reader = self.writer = self.sock = None

    async def ask(self, path, body, keep):
        """The answer's body; the connection is closed unless both sides keep it."""
        head = "%s %s HTTP/1.1\r\nHost: x\r\n" % ("POST" if body else "GET", path)
        if body:
            head += "Content-Length: %d\r\n" % len(body)
        if not keep:
            head += "Connection: close\r\n"
        self.writer.write((head + "\r\n").encode() + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = answer.split(" ", 2)[1]
        worker = re.search(r"\nx-worker: (\d+)", answer)
        self.worker = worker.group(1) if worker else self.worker
        size = re.search(r"\ncontent-length: (\d+)", answer)
        got = await self.reader.readexactly(int(size.group(1)))
        if not keep or "\nconnection: close" in answer:
            self.close()
        if status != "200":
            raise ConnectionError("status " + status)
        return got


async def client(book, host, kind, path, want, pause, keep=False, tls=None, body=b""):
    """Asks again and again; `want' is the length of a right answer."""
    c = Connection(host, tls)
    while not book.over:
        if not c.is_open():
            c.close()
            c = Connection(host, tls)
        r = Request(kind, c)
        book.count(kind)
        try:
            async with asyncio.timeout(PATIENCE):
                if not c.is_open():
                    await c.open()
                if len(await c.ask(path, body, keep)) != want:
                    raise ConnectionError("the answer has another length")
            book.answered[c.worker] = book.answered.get(c.worker, 0) + 1
        except (OSError, EOFError, asyncio.TimeoutError, ssl.SSLError) as why:
            r.ended, r.why = time.time(), str(why) or type(why).__name__
            book.failed.append(r)
            c.close()
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
    c.close()


async def vandal(book, host, pause):
    """Leaves by a reset or in silence, inside a request or inside an answer."""
    loop, kept = asyncio.get_running_loop(), []
    while not book.over:
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            s = socket.socket()
            s.setblocking(False)
            async with asyncio.timeout(PATIENCE):
                await loop.sock_connect(s, (host, 80))
                way = random.randrange(6)
                if way:
                    await loop.sock_sendall(s, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"[:9 if way == 1 else 99])
                if way >= 3:
                    await loop.sock_recv(s, random.randrange(1, 100000))
            if way % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            kept.append(s)
            if way != 5 or len(kept) > 20:
                kept.pop(-1 if way != 5 else 0).close()
            book.count("broken off")
        await asyncio.sleep(pause)
    for s in kept:
        s.close()


def clients(book, host):
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    for _ in range(16):
        yield client(book, host, "kept", "/64k", 65536, 0.1, keep=True)
    for _ in range(4):
        yield client(book, host, "close", "/1", 1, 0.01)
        yield client(book, host, "HTTPS kept", "/64k", 65536, 0.1, keep=True, tls=tls)
        yield client(book, host, "POST", "/post", 3, 0.1, keep=True, body=POST)
        yield vandal(book, host, 0.1)
    for _ in range(2):
        yield client(book, host, "HTTPS close", "/1", 1, 0.1, tls=tls)
        yield client(book, host, "POST close", "/post", 3, 0.2, body=POST)


async def all_clients(book, host):
    await asyncio.gather(*clients(book, host))


def wrk(book, host, kind, connections, script, *args):
    """Moderate by pauses of its script."""
    while not book.over:
        begun = time.time()
        said = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % WRK_SECONDS, "--timeout",
                               "%ds" % PATIENCE, "-s", script, *args, "http://%s/1" % host],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, check=False).stdout
        done = re.search(r"(\d+) requests in", said)
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
        other = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        n = sum(int(x) for m in (errors, other) if m for x in m.groups())
        why = ", ".join(m.group(0) for m in (errors, other) if m)
        if not done:
            n, why = n + 1, said.strip().split("\n")[-1]
        book.count(kind, int(done.group(1)) if done else 0)
        if n:
            book.slices.append((kind, begun, time.time(), n, connections, why))


# ---- what happens to nginx ----------------------------------------------------------

class Nginx:
    """The master, its workers, and their memory."""

    def __init__(self, master, workers, log):
        self.master, self.count, self.log = master, workers, log
        self.memory = {}        # of a worker: [(when, KB)...]
        self.masters = []
        self.gone = []          # (when, process)

    def all_workers(self):
        with open("/proc/%d/task/%d/children" % (self.master, self.master), encoding="ascii") as f:
            pids = [int(p) for p in f.read().split()]
        return [p for p in pids if b"worker process" in title(p)]

    def workers(self):
        """Those that are not about to leave."""
        return [p for p in self.all_workers() if b"shutting" not in title(p)]

    def started(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read().count("has started")

    @staticmethod
    def wait_for(seconds, ready):
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def watch(self, book):
        """Memory twice a second, who leaves oftener."""
        there, n = set(), 0
        while not book.over:
            with contextlib.suppress(OSError, IndexError):
                now = set(self.all_workers())
                self.gone += [(time.time(), p) for p in there - now]
                there, n = now, n + 1
                if n % 20 == 0:
                    self.masters.append(rss_kb(self.master))
                    for p in self.workers():
                        self.memory.setdefault(p, []).append((time.time(), rss_kb(p)))
            time.sleep(0.025)

    def reload(self, book):
        before, old, since = self.started(), self.workers(), time.time()
        os.kill(self.master, signal.SIGHUP)
        in_time = self.wait_for(60, lambda: self.started() >= before + self.count)
        new = time.time()
        in_time = self.wait_for(60, lambda: not set(old) & set(self.workers())) and in_time
        book.reloads.append((since, time.time()))
        say("note %.1f reload: %.2f s until new workers had started, %.2f s until old ones knew%s" % (
            since, new - since, book.reloads[-1][1] - since, "" if in_time else ", NOT in time"))
        return in_time

    def kill(self, book):
        before, victims = self.started(), self.workers()
        if not victims:
            return False
        victim = victims[len(book.kills) % len(victims)]
        book.kills.append((time.time(), str(victim)))
        os.kill(victim, signal.SIGKILL)
        in_time = self.wait_for(30, lambda: self.started() > before)
        when = book.kills[-1][0]
        say("note %.1f kill of %d: replaced after %.2f s%s" % (when, victim, time.time() - when,
                                                              "" if in_time else ", NOT in time"))
        return in_time


def title(pid):
    with contextlib.suppress(OSError):
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return f.read()
    return b""


def rss_kb(pid):
    with open("/proc/%d/statm" % pid, encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def happenings(book, nginx, seconds, calm, every_reload, every_kill):
    """True if nginx did as it was told each time; a kill falls between two reloads."""
    begun, in_time = time.monotonic(), True
    last = seconds - calm - 5
    times = [(t, nginx.reload) for t in range(every_reload, last, every_reload)]
    times += [(t - t % every_reload + every_reload * 3 // 4, nginx.kill)
              for t in range(every_kill, last - every_reload * 3 // 4, every_kill)]
    for t, what in sorted(times, key=lambda x: x[0]):
        if time.monotonic() > begun + t + 1:
            say("note left out what was due after %d s: nginx was not ready" % t)
            continue
        time.sleep(max(0, begun + t - time.monotonic()))
        in_time = what(book) and in_time
    time.sleep(max(0, begun + seconds - time.monotonic()))
    return in_time


# ---- the end -------------------------------------------------------------------------

def steady(series):
    """Memory of each tenth of a worker's life, KB."""
    n, sizes = len(series), [kb for _, kb in series]
    return [statistics.median(sizes[n * i // 10:n * (i + 1) // 10]) for i in range(10)]


def report_memory(nginx, at_least):
    """Of workers that lived about as long as from one reload to the next."""
    lives = sorted((s[0][0], s[-1][0] - s[0][0], p, steady(s)) for p, s in nginx.memory.items()
                   if len(s) >= 10 and s[-1][0] - s[0][0] >= at_least)
    for _, life, p, sizes in lives:
        say("note worker %d, %d s: %s KB, by tenths" % (p, life, " ".join("%d" % kb for kb in sizes)))
    old = [sizes for _, life, _, sizes in lives if life >= GROWN_UP]
    if old:
        say("growth_inside %.2f" % statistics.median(100 * (sizes[9] / sizes[5] - 1) for sizes in old))
    n = max(len(old) // 3, 1)
    if len(old) > 3:
        first, last = (statistics.median(sizes[9] for sizes in part) for part in (old[:n], old[-n:]))
        say("growth_across %.2f" % (100 * (last / first - 1)))
    n = max(len(nginx.masters) // 4, 1)
    say("growth_master %.2f" % (100 * (statistics.median(nginx.masters[-n:])
                                       / statistics.median(nginx.masters[n:2 * n] or nginx.masters) - 1)))


def report_answers(book, nginx):
    """Whoever lives for some time has answered somebody."""
    old = [p for p, s in nginx.memory.items() if s[-1][0] - s[0][0] >= DEAF_AFTER]
    say("note answered: " + " ".join("%d by %s" % (n, p) for p, n in sorted(book.answered.items())))
    say("deaf", sum(str(p) not in book.answered for p in old))


def report(book, nginx):
    classes = {"killed": 0, "reload": 0, "unexplained": 0}
    fresh = 0
    say("note workers left: " + " ".join("%d at %.2f" % (p, when) for when, p in nginx.gone))
    for r in book.failed:
        why = book.why_failed(r)
        classes[why] += 1
        fresh += why == "reload" and r.fresh
        say("note failed, %s: %s, begun %.3f, after %.3f s, port %d, %s: %s" % (
            why if why != "reload" or not r.fresh else "reload, new", r.kind, r.begun, r.ended - r.begun,
            r.connection.port, "worker " + r.worker if r.worker else "opened %.3f" % r.opened, r.why))
    for kind, begun, ended, errors, connections, kinds in book.slices:
        why = book.why_wrk(begun, ended, errors, connections)
        classes[why] += errors
        fresh += errors if why == "reload" and "close" in kind else 0
        say("note failed, %s: %d of %s, between %.3f and %.3f: %s" % (why, errors, kind, begun, ended, kinds))
    for kind, n in sorted(book.asked.items()):
        say("note %d asked, %s" % (n, kind))
    say("asked", sum(n for kind, n in book.asked.items() if kind != "broken off"))
    for why, n in classes.items():
        say(why, n)
    say("reload_fresh", fresh)
    say("reloads", len(book.reloads))
    say("reload_longest %.2f" % max([b - a for a, b in book.reloads] or [0]))
    say("kills", len(book.kills))


def main(host, master, workers, log, *times):
    seconds, calm, every_reload, every_kill = (int(t) for t in times)
    book, nginx = Book(), Nginx(int(master), int(workers), log)
    scripts = os.path.dirname(log)
    jobs = [threading.Thread(target=nginx.watch, args=(book,)),
            threading.Thread(target=asyncio.run, args=(all_clients(book, host),))]
    for name, pause in (("kept", 20), ("close", 40)):
        script = os.path.join(scripts, name + ".lua")
        with open(script, "w", encoding="ascii") as f:
            f.write("function delay() return math.random(%d, %d) end\n" % (pause // 2, pause * 3 // 2))
        more = ["-H", "Connection: close"] if name == "close" else []
        jobs.append(threading.Thread(target=wrk, args=(book, host, "wrk " + name, 20, script, *more)))
    for j in jobs:
        j.start()
    in_time = False
    try:
        in_time = happenings(book, nginx, seconds, calm, every_reload, every_kill)
    finally:
        book.over = True
        for j in jobs:
            j.join()
    report(book, nginx)
    report_answers(book, nginx)
    report_memory(nginx, 0.6 * min(every_reload, seconds))
    say("in_time", int(in_time))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main(*sys.argv[1:])
