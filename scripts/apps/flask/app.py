import os

from flask import Flask, redirect, request, url_for

app = Flask(__name__)
VERSION = open("version").read().strip()


@app.get("/")
def page():
    return f"flask v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\n"


@app.post("/form")
def form():
    app.logger.warning("a form came for %s", request.form["name"])
    return redirect(url_for("thanks", name=request.form["name"], _external=True))


@app.get("/thanks")
def thanks():
    return f"thanks, {request.args['name']}"
