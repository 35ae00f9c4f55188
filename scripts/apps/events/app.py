import os
import queue

from flask import Flask, Response

app = Flask(__name__)
VERSION = open("version").read().strip()
news = queue.Queue()


@app.get("/")
def page():
    return f"events v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\n"


@app.post("/news/<text>")
def tell(text):
    news.put(text)
    return "told"


@app.get("/events")
def events():
    """What is told, to one reader, as it comes. The first event says that it listens."""

    def stream():
        print("a reader came", flush=True)
        yield "data: listening\n\n"
        while True:
            yield f"data: {news.get()}\n\n"

    return Response(stream(), mimetype="text/event-stream")
