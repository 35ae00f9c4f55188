"""A gRPC service without generated code: its messages are plain bytes."""

import os
import signal
from concurrent import futures

import grpc

VERSION = open("version").read().strip()


def hello(request, context):
    print("hello to", request.decode(), flush=True)
    return f"grpc v{VERSION} says {os.environ.get('GREETING', '')} to {request.decode()}".encode()


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
server.add_generic_rpc_handlers(
    [grpc.method_handlers_generic_handler("Greeter", {"Hello": grpc.unary_unary_rpc_method_handler(hello)})]
)
server.add_insecure_port(f"0.0.0.0:{os.environ['PORT']}")
server.start()
print("serving gRPC on", os.environ["PORT"], flush=True)
signal.signal(signal.SIGTERM, lambda *_: server.stop(10))
server.wait_for_termination()
