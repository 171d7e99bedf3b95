# SPDX-License-Identifier: BSD-3-Clause
"""Processes and networks of the bench: everything is ended and removed, whatever happens.

Two networks, both between two processes of this machine, the server on one CPU and the
client on another:

    memif   the stack's:  198.18.0.2 <- shared memory -> 198.18.0.1
    veth    the kernel's: 198.18.1.2, namespace s <- veth -> 198.18.1.1, namespace c
"""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SRCDIR = os.environ.get("MTCP_SRCDIR") or os.path.dirname(os.path.dirname(HERE))
BUILDDIR = os.environ.get("MTCP_BUILDDIR") or os.path.join(SRCDIR, "build", "quickstart")
OURS, OURS_CLIENT = "198.18.0.2", "198.18.0.1"
KERNELS, KERNELS_CLIENT = "198.18.1.2", "198.18.1.1"
NGINX = """daemon off;
master_process off;
worker_rlimit_nofile 65536;
pid {dir}/pid;
error_log stderr;
events {{ worker_connections 16384; multi_accept on; }}
http {{
	access_log off;
	sendfile on;
	tcp_nopush on;
	open_file_cache max=64 inactive=1h;
	keepalive_requests 1000000000;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	server {{ listen 80 backlog=16384; root {www}; }}
}}
"""


class Failed(Exception):
    """A measurement that could not be taken, and why."""


def program(*path):
    return os.path.join(BUILDDIR, *path)


class Process:
    """A command with its output in a file; `with` ends it."""

    def __init__(self, net, name, command):
        self.name = name
        self.log = os.path.join(net.work, "%s.log" % name)
        with open(self.log, "w", encoding="utf-8") as out:
            # pylint: disable=consider-using-with
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, env=net.env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, seconds, ready):
        until = time.monotonic() + seconds
        while not ready():
            if self.popen.poll() is not None or time.monotonic() > until:
                raise Failed("%s did not start: %s" % (self.name, self.last_line()))
            time.sleep(0.02)

    def says(self, words, seconds=20):
        self.wait_for(seconds, lambda: words in self.text())

    def finish(self, seconds):
        """Its text, once it has ended by itself."""
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failed("%s took more than %d s" % (self.name, seconds)) from None
        return self.text()

    def stop(self):
        """Its text, after SIGTERM, or SIGKILL when that is not enough."""
        for sig, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            if self.popen.poll() is not None:
                break
            self.popen.send_signal(sig)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        return self.text()

    def last_line(self):
        lines = self.text().strip().split("\n")
        return lines[-1] if lines[-1] else "it said nothing"

    def memory(self, kind="Private_"):
        """Bytes that are its own.  "Anonymous": without what it may come to share."""
        with open("/proc/%d/smaps_rollup" % self.popen.pid, encoding="ascii") as f:
            return 1024 * sum(int(line.split()[1]) for line in f
                              if line.startswith(kind))

    def cpu_s(self):
        with open("/proc/%d/stat" % self.popen.pid, encoding="ascii") as f:
            fields = f.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Net:
    """Folders, CPUs and namespaces of one run."""

    def __init__(self):
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu = {"server": cpus[0], "client": cpus[min(1, len(cpus) - 1)]}
        self.work = tempfile.mkdtemp(prefix="mtcp-bench-")
        os.chmod(self.work, 0o755)
        self.www = os.path.join(self.work, "www")
        self.spaces = {}
        self.env = dict(os.environ, LC_ALL="C", RUNTIME_DIRECTORY=os.path.join(self.work, "run"))
        for folder in ("www", "run", "nginx"):
            os.mkdir(os.path.join(self.work, folder))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clear()
        shutil.rmtree(self.work, ignore_errors=True)

    def file(self, name, size):
        with open(os.path.join(self.www, name), "wb") as f:
            f.write(b"x" * size)

    # -- the kernel's network ---------------------------------------------------

    def inside(self, space, *command):
        return ["ip", "netns", "exec", self.spaces[space]] + list(command)

    def run(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, check=False)
        if done.returncode != 0:
            raise Failed("%s: %s" % (" ".join(command), done.stdout.strip()))

    def clear(self):
        """Takes the namespaces away, and with them their links and whoever is left in them."""
        for name in set(self.spaces.values()):
            left = subprocess.run(["ip", "netns", "pids", name], stdout=subprocess.PIPE,
                                  check=False, universal_newlines=True).stdout
            for pid in left.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], check=False)
        self.spaces = {}

    def veth(self, queues=1, addressed="sc"):
        """Both ends, with the kernel's defaults but for what thousands of short connections
        need; an end without an address is for a stack of ours."""
        for letter, address in (("s", KERNELS), ("c", KERNELS_CLIENT)):
            name = "mtcp-%d-%s" % (os.getpid(), letter)
            self.run("ip", "netns", "add", name)
            self.spaces[letter] = name
        n = ["numrxqueues", str(queues), "numtxqueues", str(queues)] if queues > 1 else []
        self.run("ip", "link", "add", "b0", "netns", self.spaces["s"], *n, "type", "veth", "peer",
                 "name", "b0", "netns", self.spaces["c"], *n)
        for letter, address in (("s", KERNELS), ("c", KERNELS_CLIENT)):
            self.run(*self.inside(letter, "sysctl", "-qw",
                                  "net.ipv4.ip_local_port_range=1024 65000",
                                  "net.core.somaxconn=16384",
                                  "net.ipv4.tcp_max_syn_backlog=16384"))
            if letter in addressed:
                self.run(*self.inside(letter, "ip", "address", "add", address + "/24", "dev", "b0"))
            self.run(*self.inside(letter, "ip", "link", "set", "b0", "up"))
            self.run(*self.inside(letter, "ip", "link", "set", "lo", "up"))

    # -- configurations ---------------------------------------------------------

    def conf(self, role, *lines):
        """A configuration for memif or another pair of devices; its name."""
        path = os.path.join(self.work, role + ".conf")
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def pair_conf(self, kind, role, *lines, address=None):
        device, args = {
            "memif": ("net_memif0", "role=%s,socket=%s/memif.sock,socket-abstract=no"
                      % (role, self.work)),
            "vhost-server": ("net_vhost0", "iface=%s/vhost.sock,queues=1" % self.work),
            "vhost-client": ("net_virtio_user0", "path=%s/vhost.sock,queues=1" % self.work),
        }[kind if kind == "memif" else kind + "-" + role]
        return self.conf(role, "eal_args = --vdev=%s,%s" % (device, args), "port = " + device,
                         "address = %s/24" % (address or
                                              (OURS if role == "server" else OURS_CLIENT)),
                         "num_cores = 1", "core_mask = %#x" % (1 << self.cpu[role]), *lines)

    # -- servers and clients -----------------------------------------------------

    def our_server(self, kind="memif", *lines, args=()):
        socket = os.path.join(self.work, kind + ".sock")
        if os.path.exists(socket):
            os.unlink(socket)
        conf = self.pair_conf(kind, "server", *lines)
        p = Process(self, "server", [program("apps", "epserver"), "-p", self.www, "-f", conf,
                                     "--usage", *args])
        try:
            p.says("serving")
            p.wait_for(5, lambda: os.path.exists(socket))
        except Failed:
            p.stop()
            raise
        return p

    def our_client(self, *command, kind="memif", lines=(), address=None):
        conf = self.pair_conf(kind, "client", *lines, address=address)
        return Process(self, "client", list(command) + ["-f", conf])

    def kernel(self, role, *command):
        space = "s" if role == "server" else "c"
        return Process(self, role, self.inside(space, "taskset", "-c", str(self.cpu[role]),
                                               *command))

    def kernel_server(self):
        conf = self.conf("kernel", "num_cores = 1")
        p = self.kernel("server", program("test", "bench", "epserver-kernel"), "-p", self.www,
                        "-f", conf, "--usage")
        try:
            p.says("serving")
        except Failed:
            p.stop()
            raise
        time.sleep(0.1)
        return p

    def kernel_client(self, *command):
        return self.kernel("client", *command, "-f", self.conf("kernel", "num_cores = 1"))

    def nginx(self):
        folder = os.path.join(self.work, "nginx")
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(NGINX.format(dir=folder, www=self.www))
        p = self.kernel("server", "nginx", "-p", folder, "-c", conf, "-e", "stderr")
        time.sleep(0.5)
        if p.popen.poll() is not None:
            raise Failed("nginx did not start: " + p.last_line())
        return p


def usage_of(text):
    """What --usage has said, and how many operations a server has done; {} if nothing."""
    line = re.search(r": usage (core=.*)", text)
    if not line:
        return {}
    usage = {k: int(v) for k, v in (w.split("=") for w in line.group(1).split())}
    done = re.search(r"(\d+) connections, (\d+) requests", text)
    if done:
        usage["connections"], usage["requests"] = int(done.group(1)), int(done.group(2))
    return usage
