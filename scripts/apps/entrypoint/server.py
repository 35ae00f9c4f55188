"""Keeps uploads in its VOLUME, as a user that is not root."""

import http.server
import os

VERSION = open("version").read().strip()


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/uploads":
            return self.answer(" ".join(sorted(os.listdir("/uploads"))))
        self.answer(f"entrypoint v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\nstage {os.environ['STAGE']}\n")

    def do_PUT(self):
        with open("/uploads/" + os.path.basename(self.path), "wb") as file:
            file.write(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer("kept")

    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
