"""Receivers on loopback: a web server and a mail server that take, refuse, or are away."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

Served = TypeVar("Served", bound=socketserver.BaseServer)


class WebServer(ThreadingHTTPServer):
    """Keeps what is posted; ``answer`` is the status that it gives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Posted)
        self.bodies: list[bytes] = []
        self.tokens: list[str | None] = []
        self.answer = 200

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook?room=1"


class _Posted(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.append(self.headers["Authorization"])
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_what: object) -> None:
        """Keep quiet."""


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as a letter needs; ``refuses`` holds recipients that it does not want."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Letters)
        self.letters: list[str] = []
        self.refuses: set[str] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Letters(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            word = line.decode().strip()
            match word.split(":")[0].upper().split(" ")[0]:
                case "EHLO" | "HELO":
                    self._say("250 here")
                case "RCPT":
                    wanted = not any(name in word for name in self.server.refuses)
                    self._say("250 ok" if wanted else "550 nobody of that name")
                case "DATA":
                    self._say("354 go on")
                    self.server.letters.append(self._body())
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _body(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
            lines.append(line)
        return "".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving(server: Served) -> Iterator[Served]:
    """Serve on a thread until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
