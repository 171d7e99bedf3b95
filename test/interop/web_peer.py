# SPDX-License-Identifier: BSD-3-Clause
"""What stands behind a proxy, and what speaks through it, where curl does not do.

    web_peer.py serve PORT             an HTTP server: POST answers the SHA-256 of what came, /hello by
                                       whom it was asked, and an upgrade to a WebSocket echoes
    web_peer.py names PORT NAME=IP...  a DNS server on 127.0.0.1 that knows these
    web_peer.py websocket URL SIZE...  a WebSocket; sends a message of each size, prints how many
                                       came back whole
    web_peer.py half HOST PORT PATH    asks, shuts down its half, and prints how many bytes came
    web_peer.py abort HOST PORT PATH N N clients that leave inside an answer: every other one by a reset
"""
import base64
import hashlib
import http.server
import os
import socket
import struct
import sys
import urllib.parse

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
TEXT, BINARY, CLOSE = 1, 2, 8


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()


def read_exactly(f, n):
    data = f.read(n)
    if len(data) != n:
        raise ConnectionError("closed inside a frame")
    return data


def xor(data, mask):
    n = len(data)
    wide = mask * (n // 4 + 1)
    return (int.from_bytes(data, "big") ^ int.from_bytes(wide[:n], "big")).to_bytes(n, "big")


def frame_read(f):
    """RFC 6455 5.2, without fragments."""
    first, second = read_exactly(f, 2)
    n = second & 127
    if n == 126:
        n = struct.unpack(">H", read_exactly(f, 2))[0]
    elif n == 127:
        n = struct.unpack(">Q", read_exactly(f, 8))[0]
    mask = read_exactly(f, 4) if second & 128 else None
    data = read_exactly(f, n)
    return first & 15, xor(data, mask) if mask else data


def frame(op, data, mask=None):
    n, bit = len(data), 128 if mask else 0
    if n < 126:
        head = struct.pack(">BB", 128 | op, bit | n)
    elif n < 65536:
        head = struct.pack(">BBH", 128 | op, bit | 126, n)
    else:
        head = struct.pack(">BBQ", 128 | op, bit | 127, n)
    return head + mask + xor(data, mask) if mask else head + data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
        else:
            self.answer("asked for %s by %s\n" % (self.headers.get("Host"), self.client_address[0]))

    def do_POST(self):
        total = hashlib.sha256()
        for piece in self.pieces():
            total.update(piece)
        self.answer(total.hexdigest())

    def pieces(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while (size := int(self.rfile.readline(), 16)) > 0:
                yield read_exactly(self.rfile, size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            piece = read_exactly(self.rfile, min(left, 1 << 18))
            left -= len(piece)
            yield piece

    def echo(self):
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept_of(self.headers["Sec-WebSocket-Key"]))
        self.end_headers()
        self.close_connection = True
        while True:
            op, data = frame_read(self.rfile)
            self.wfile.write(frame(op, data))
            if op == CLOSE:
                return


def serve(port):
    http.server.ThreadingHTTPServer.request_queue_size = 128
    http.server.ThreadingHTTPServer(("", int(port)), Handler).serve_forever()


def names(port, *known):
    """RFC 1035 4: one question, one answer, or none for what is not A or not known."""
    known = dict(k.split("=") for k in known)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", int(port)))
        while True:
            ask, who = s.recvfrom(512)
            at, labels = 12, []
            while ask[at]:
                labels.append(ask[at + 1:at + 1 + ask[at]].decode())
                at += 1 + ask[at]
            kind = struct.unpack(">H", ask[at + 1:at + 3])[0]
            ip = known.get(".".join(labels).lower())
            found = ip is not None and kind == 1
            answer = ask[:2] + struct.pack(">HHHHH", 0x8180 if ip else 0x8183, 1, int(found), 0, 0) + ask[12:at + 5]
            if found:
                answer += struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(ip)
            s.sendto(answer, who)


def ask_for(host, port, path, more=""):
    s = socket.create_connection((host, int(port)), 20)
    s.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (path, host, more)).encode())
    return s


def websocket(url, *sizes):
    u = urllib.parse.urlsplit(url)
    key, whole = base64.b64encode(os.urandom(16)).decode(), 0
    with ask_for(u.hostname, u.port or 80, u.path,
                 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: %s\r\n" % key) as s, s.makefile("rb") as f:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += read_exactly(f, 1)
        if b" 101 " not in head or accept_of(key).encode() not in head:
            print("refused:", head.split(b"\r\n")[0].decode())
            return 1
        for size in map(int, sizes):
            data = os.urandom(size)
            s.sendall(frame(BINARY, data, os.urandom(4)))
            whole += frame_read(f) == (BINARY, data)
        s.sendall(frame(CLOSE, struct.pack(">H", 1000), os.urandom(4)))
        op, _ = frame_read(f)
        print("%d whole, %s" % (whole, "closed" if op == CLOSE and not f.read(1) else "not closed"))


def half(host, port, path):
    with ask_for(host, port, path, "Connection: close\r\n") as s, s.makefile("rb") as f:
        s.shutdown(socket.SHUT_WR)
        print(len(f.read().split(b"\r\n\r\n", 1)[1]))


def abort(host, port, path, n):
    for i in range(int(n)):
        with ask_for(host, port, path) as s:
            s.recv(1000 * (i + 1))
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


if __name__ == "__main__":
    jobs = {f.__name__: f for f in (serve, names, websocket, half, abort)}
    if len(sys.argv) < 2 or sys.argv[1] not in jobs:
        sys.exit(__doc__)
    sys.exit(jobs[sys.argv[1]](*sys.argv[2:]))
