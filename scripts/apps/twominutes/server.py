"""Needs two minutes before it listens, or START_SECONDS."""

import http.server
import os
import time

VERSION = open("/version").read().strip()


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        text = f"twominutes v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


print("reading the index", flush=True)
time.sleep(float(os.environ.get("START_SECONDS", 120)))
print("listening", flush=True)
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
