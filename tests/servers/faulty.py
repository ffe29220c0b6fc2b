"""A receiver that does what no receiver should: for each connection it follows a script of bytes and pauses."""

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

PAUSE_SECONDS = 0.02


class Line:
    """The other end of a connection, for a script."""

    def __init__(self, peer: socket.socket, over: threading.Event) -> None:
        self.peer, self._over = peer, over

    def request(self) -> bytes:
        """Read the request, head and body."""
        taken = b""
        while b"\r\n\r\n" not in taken:
            more = self.peer.recv(65_536)
            if not more:
                return taken
            taken += more
        head, _, body = taken.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(body) < int((lengths or [b"0"])[0]):
            body += self.peer.recv(65_536)
        return head + b"\r\n\r\n" + body

    def say(self, data: bytes) -> None:
        self.peer.sendall(data)

    def drip(self, data: bytes) -> None:
        """Send byte by byte, again and again, until the sender has had enough."""
        while True:
            for byte in data:
                if self._over.wait(PAUSE_SECONDS):
                    return
                self.say(bytes([byte]))

    def pour(self, data: bytes, *, times: int = 10_000) -> None:
        """Send the same as fast as it is taken."""
        for _ in range(times):
            if self._over.is_set():
                return
            self.say(data)

    def hang(self) -> None:
        """Do nothing until the sender goes."""
        self.peer.settimeout(30)
        while self.peer.recv(65_536):
            continue


Script = Callable[[Line], None]


class Faulty:
    """Listens as a context manager and follows the script with everyone who connects.

    taken: what the scripts' `request` may not have read is counted here too: the connections.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script, self._tls = script, tls
        self.connections = 0
        self._over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self._thread = threading.Thread(target=self._serve, name="faulty")

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(30)
        self._listening.close()

    def _serve(self) -> None:
        """One connection after the other: a target has never more than one."""
        while not self._over.is_set():
            try:
                peer, _ = self._listening.accept()
            except TimeoutError:
                continue
            self.connections += 1
            self._follow(peer)

    def _follow(self, peer: socket.socket) -> None:
        peer.settimeout(30)
        try:
            with peer if self._tls is None else self._tls.wrap_socket(peer, server_side=True) as line:
                self._script(Line(line, self._over))
        except OSError:
            peer.close()  # the sender gave up, which is what the scripts are about


def server_tls(key: object, certificate: object) -> ssl.SSLContext:
    """The TLS settings of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate), str(key))
    return context
