"""The HTTP server: one thread for each connection."""

import json
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from toyserve.engine import Engine
from toyserve.protocol import BadRequest, completion, error, model_list, parse


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, engine: Engine, host: str, port: int) -> None:
        self.engine = engine
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """As the parent does, without asking a name server for this host's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    @property
    def model(self) -> str:
        return self.server.engine.model.config.name

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {})
        elif self.path == "/v1/models":
            self.answer(200, model_list(self.model))
        else:
            self.answer(404, error(f"no such path: {self.path}"))

    def do_POST(self) -> None:
        if self.path != "/v1/completions":
            self.answer(404, error(f"no such path: {self.path}"))
            return
        try:
            body = self.read_json()
            self.complete(body)
        except BadRequest as e:
            self.answer(e.status, error(str(e)))

    def complete(self, body: dict[str, Any]) -> None:
        request = parse(body)
        pieces = list(self.server.engine.generate(request))
        text = "".join(piece.text for piece in pieces)
        self.answer(200, completion(self.model, text, pieces[-1].finish))

    def read_json(self) -> dict[str, Any]:
        size = int(self.headers.get("Content-Length", 0))
        try:
            body = json.loads(self.rfile.read(size))
        except ValueError as e:
            raise BadRequest(f"the body is not JSON: {e}") from e
        if not isinstance(body, dict):
            raise BadRequest("the body is not an object")
        return body

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def serve(engine: Engine, host: str, port: int) -> None:
    with Server(engine, host, port) as server:
        server.serve_forever()
