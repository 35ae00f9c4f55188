"""Writes two log files: one of its own, where nobody sees it, and one that is a link to the standard output."""

import os

from flask import Flask

app = Flask(__name__)
VERSION = open("version").read().strip()


def note(file, text):
    with open(f"/var/log/app/{file}", "a") as log:
        log.write(text + "\n")


@app.get("/")
def page():
    note("unseen.log", "a line in a file")
    note("seen.log", "a line in a link to the standard output")
    return f"files v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\n"
