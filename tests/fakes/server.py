"""A server on a loopback port whose every answer a test decides."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Received:
    """One request as it came, and the number of the connection it came on, from 0."""

    connection: int
    method: str
    target: str
    headers: dict[str, bytes]
    body: bytes


# None closes the connection without an answer.
Answer = Callable[[Received], "bytes | None"]


def answer(
    status: str = "200 OK", body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Server:
    """Keeps what it received; each connection has a thread."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.received: list[Received] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *details: object) -> None:
        # Closing alone would leave the thread in accept(), and the port open.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.drop()

    def drop(self) -> None:
        """Close all connections, as a server does with idle ones."""
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            number = len(self._open) - 1
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    @property
    def connections(self) -> list[socket.socket]:
        """The connections that neither side has closed."""
        return [one for one in self._open if one.fileno() >= 0]

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as file:
            while True:
                try:
                    received = _read(file, number)
                    if received is None:
                        return
                    self.received.append(received)
                    reply = self._answer(received)
                    if reply is None:
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    connection.sendall(reply)
                except ValueError:
                    _end(connection)
                    return
                except OSError:
                    return


def _end(connection: socket.socket) -> None:
    """Read to the end what is no request. Closed before, it resets the connection.

    The client could then lose the answer that it has not read.
    """
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def _read(file: object, number: int) -> Received | None:
    line = file.readline()  # type: ignore[attr-defined]
    if not line.strip():
        return None
    method, target, _ = line.decode().split(" ")
    headers: dict[str, bytes] = {}
    while line := file.readline().rstrip(b"\r\n"):  # type: ignore[attr-defined]
        name, _, value = line.partition(b":")
        headers[name.decode().lower()] = value.strip(b" ")
    length = headers.get("content-length", b"0")
    body = file.read(int(length)) if length.isdigit() else b""  # type: ignore[attr-defined]
    return Received(number, method, target, headers, body)
