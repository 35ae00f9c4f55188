"""Well until it is told otherwise at /break, and well again after /mend."""

import http.server
import os

VERSION = open("version").read().strip()
broken = "/tmp/broken"


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            return self.answer(500 if os.path.exists(broken) else 200, "the database is away" if os.path.exists(broken) else "well")
        if self.path == "/break":
            open(broken, "w").close()
        self.answer(200, f"checked v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\n")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
