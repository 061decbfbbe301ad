"""Real servers on loopback that take what is sent to people: HTTP and SMTP. Both can be told to refuse."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Sink:
    """Where it listens, what came, whether it refuses, and what it does before it answers."""

    url: str = ""
    received: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refuses: bool = False
    before_answer: Callable[[], None] = lambda: None


@contextmanager
def http_sink() -> Iterator[Sink]:
    """Takes JSON by POST."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not sink.refuses:
                sink.received.append(orjson.loads(body))
                sink.headers.append(dict(self.headers) | {"body": body.decode()})
            sink.before_answer()
            self.send_response(503 if sink.refuses else 200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        sink.url = f"http://127.0.0.1:{port}/hook"
        yield sink


@contextmanager
def smtp_sink(*, tls: ssl.SSLContext | None = None, offers: Sequence[str] = ()) -> Iterator[Sink]:
    """As much of a mail server as a client needs: HELO, MAIL, RCPT, DATA, QUIT.

    With `tls` it offers STARTTLS and turns to it; `offers` are further extensions. `headers` has what a login said, and
    whether it came through TLS.
    """
    sink = Sink()
    extensions = [*(["STARTTLS"] if tls else []), *offers]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 sink\r\n")
            while line := self.rfile.readline():
                word = line.strip().upper()
                if word.startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    lines: list[bytes] = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part)
                    sink.received.append(message_from_bytes(b"".join(lines), policy=default))
                    self.wfile.write(b"250 taken\r\n")
                elif word.startswith(b"MAIL") and sink.refuses:
                    self.wfile.write(b"451 not now\r\n")
                elif word.startswith(b"EHLO") and extensions:
                    self.wfile.write("".join(f"250-{each}\r\n" for each in ("sink", *extensions)).encode())
                    self.wfile.write(b"250 HELP\r\n")
                elif word.startswith(b"STARTTLS") and tls:
                    self.wfile.write(b"220 go on\r\n")
                    self.request = tls.wrap_socket(self.request, server_side=True)
                    self.setup()
                elif word.startswith(b"AUTH"):
                    private = isinstance(self.request, ssl.SSLSocket)
                    sink.headers.append({"login": line.decode().strip(), "private": str(private)})
                    self.wfile.write(b"235 welcome\r\n")
                elif word.startswith(b"QUIT"):
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

        def finish(self) -> None:
            super().finish()
            self.request.close()  # what TLS made of it; the server knows the socket before

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with serving(Server(("127.0.0.1", 0), Handler)) as port:
        sink.url = f"smtp://127.0.0.1:{port}"
        yield sink


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    """A server at work for as long as the block lasts; its port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
