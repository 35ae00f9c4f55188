"""A parent that forks four children, which accept from one socket. Each answer is a child's, and every
fifth one is its last: the parent forks another."""

import http.server
import os
import signal
import sys

VERSION = open("/version").read().strip()


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        text = f"prefork v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\nchild {os.getpid()}\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


server = http.server.HTTPServer(("", int(os.environ["PORT"])), Page)
server.socket.setblocking(True)


def child():
    if os.fork():
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for _ in range(5):
        server.handle_request()
    os._exit(0)


def stop(*_):
    print("parent stops", flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    sys.exit(0)


if os.getpid() != os.getpgrp():
    os.setpgrp()
for _ in range(4):
    child()
signal.signal(signal.SIGTERM, stop)
while True:
    os.wait()
    print("a child ended, another one begins", flush=True)
    child()
