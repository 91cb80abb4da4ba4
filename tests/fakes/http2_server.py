"""A server on a loopback port that speaks HTTP/2 alone, in clear or over TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

Headers = list[tuple[str, str]]
# Gives the status and more headers for a request's headers.
Answer = Callable[[dict[str, str]], tuple[int, Headers]]
MOST = 65536


def authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that only its own authority has signed: that one's file, and a
    server's TLS context."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=harness"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    return certificate, context


@contextlib.contextmanager
def serving(
    answer: Answer, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The server's address, and the headers of each request that it has received."""
    received: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, answer, tls, received))
        thread.start()
        scheme = "https" if tls else "http"
        try:
            yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", received
        finally:
            # Closing alone would leave the thread in accept().
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(
    listening: socket.socket,
    answer: Answer,
    tls: ssl.SSLContext | None,
    received: list[dict[str, str]],
) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        # A client that does not trust the certificate ends the connection.
        with contextlib.suppress(OSError), plain, _over(plain, tls) as connection:
            _serve(connection, answer, received)


def _over(plain: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(plain, server_side=True) if tls else plain


def _serve(connection: socket.socket, answer: Answer, received: list[dict[str, str]]) -> None:
    h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    h2.initiate_connection()
    connection.sendall(h2.data_to_send())
    while data := connection.recv(MOST):
        for event in h2.receive_data(data):
            if isinstance(event, RequestReceived):
                received.append({str(name): str(value) for name, value in event.headers})
            elif isinstance(event, StreamEnded):
                status, headers = answer(received[-1])
                h2.send_headers(event.stream_id, [(":status", str(status)), *headers])
                h2.send_data(event.stream_id, b'{"spoken": 2}', end_stream=True)
        connection.sendall(h2.data_to_send())
