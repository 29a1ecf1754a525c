"""A bots' server on this machine, with a certificate for the vendors' hosts, and a way to it that production hasn't."""

from __future__ import annotations

import datetime
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xinheng.bots import VENDOR_HOSTS
from xinheng.notices.outside import Outside

PUBLIC = "1.2.3.4"
"""An address of the open network; the way of the tests leads it to this machine."""

GOOD = {"errcode": 0, "errmsg": "ok", "code": 0, "msg": "success", "StatusCode": 0}


@dataclass
class Posted:
    """One request as the server got it."""

    host: str
    path: str
    body: dict[str, Any]
    raw: bytes
    headers: dict[str, str]


@dataclass
class Bots:
    """The server. `answer` is what it says to each request: a status, and an object or raw bytes."""

    context: ssl.SSLContext
    posted: list[Posted] = field(default_factory=list)
    answer: Callable[[Posted], tuple[int, Any]] = lambda posted: (200, GOOD)
    extra_headers: dict[str, str] = field(default_factory=dict)
    connected: list[str] = field(default_factory=list)
    port: int = 0
    cut_short: bool = False

    def outside(self, *hosts: str, addresses: tuple[str, ...] = (PUBLIC,)) -> Outside:
        """A way on which names are at `addresses`, and every connection arrives here."""

        def connect(address: str, timeout: float) -> socket.socket:
            self.connected.append(address)
            return socket.create_connection(("127.0.0.1", self.port), timeout)

        return Outside(
            hosts or VENDOR_HOSTS, resolve=lambda host: addresses, connect=connect, context=self.context
        )


@contextmanager
def running_bots(folder: Path, hosts: tuple[str, ...] = tuple(VENDOR_HOSTS)) -> Iterator[Bots]:
    certificate = _certificate(folder, hosts)
    bots = Bots(ssl.create_default_context(cafile=str(certificate)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bots))
    bots.port = server.server_address[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bots
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(bots: Bots) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted = Posted(headers["host"], self.path, json.loads(raw), raw, headers)
            bots.posted.append(posted)
            status, told = bots.answer(posted)
            content = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
            self.send_response(status)
            for name, value in bots.extra_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if bots.cut_short else content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read what was posted, not a log."""

    return Handler


def _certificate(folder: Path, hosts: tuple[str, ...]) -> Path:
    """A file with a key and a certificate of its own for these hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bots of the tests")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "bots.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
