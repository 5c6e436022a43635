"""Servers of this machine that take what a channel would take, and keep it."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Robot:
    """A webhook: what it was sent, and how it answers."""

    address: str = ""
    answer: bytes = b'{"errcode": 0, "errmsg": "ok"}'
    status: int = 200
    delay: float = 0.0
    paths: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)


@contextmanager
def robot(answer: bytes = b'{"errcode": 0, "errmsg": "ok"}') -> Iterator[Robot]:
    """A webhook on the loopback address."""
    kept = Robot(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"].startswith("application/json")
            kept.paths.append(self.path)
            kept.bodies.append(json.loads(body))
            time.sleep(kept.delay)
            try:
                self.send_response(kept.status)
                self.end_headers()
                self.wfile.write(kept.answer)
            except OSError:
                pass  # whoever asked has gone

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.address = f"http://127.0.0.1:{server.server_port}/robot/send?access_token=t0ken-of-the-robot"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def mailbox() -> Iterator[tuple[str, list[bytes]]]:
    """A mail server that speaks just enough SMTP; the address, and the messages that came."""
    came: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(text)
                    came.append(b"".join(lines))
                elif word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 ok\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"smtp://127.0.0.1:{server.server_address[1]}", came
    finally:
        server.shutdown()
        server.server_close()
