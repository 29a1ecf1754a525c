"""Posting to a bot outside, and to nothing inside: not even where a name, a redirect or an answer says so.

The name is resolved once, every address it has must be a public one, and the connection goes to the address that was
looked at: a name that leads elsewhere a moment later changes nothing. Certificate and Host are those of the name.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from xinheng.bots import NotAllowed, allowed_address
from xinheng.notices.channel import NotSent
from xinheng.notices.fault import words_of

TIMEOUT = 5.0  # seconds, for finding, connecting, sending and the whole answer together
MOST_BYTES = 64 * 1024  # of the answer
_PORT = 443
_INSIDE_TOO = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # one cloud's own services, at an address that looks public
        "192.0.0.0/24",  # another's metadata; not every Python counts it as inside
        "64:ff9b::/96",  # carries an IPv4 address, whichever it is
        "64:ff9b:1::/48",
    )
)


def system_resolve(host: str) -> list[str]:
    """The addresses of a name, as the system finds them. Raises OSError."""
    found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def system_connect(address: str, timeout: float) -> socket.socket:
    """A connection to an address. Raises OSError."""
    return socket.create_connection((address, _PORT), timeout)


def is_public(address: str) -> bool:
    """Whether an IP address is of the open network, and hides no other address in itself."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or ip.sixtofour or ip.teredo):
        return False
    inside = ip.is_multicast or ip.is_reserved or ip.is_unspecified or any(ip in net for net in _INSIDE_TOO)
    return ip.is_global and not inside


@dataclass(frozen=True)
class Outside:
    """The way out: which hosts may be posted to, how names are resolved and connections made."""

    hosts: Collection[str]
    resolve: Callable[[str], Sequence[str]] = system_resolve
    connect: Callable[[str, float], socket.socket] = system_connect
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def post(self, address: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post JSON, and read the JSON object that is answered with status 200. Raises NotSent."""
        try:
            parts = allowed_address(address, self.hosts)
        except NotAllowed as fault:
            raise NotSent(str(fault)) from None
        host = parts.hostname or ""
        target = parts.path or "/"
        status, answer = self._exchange(host, f"{target}?{parts.query}" if parts.query else target, body)
        if status != http.client.OK:
            raise NotSent(f"{host} 回了 HTTP {status}")
        if len(answer) > MOST_BYTES:
            raise NotSent(f"{host} 的回答超过 {MOST_BYTES // 1024} KiB")
        try:
            told = json.loads(answer)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise NotSent(f"{host} 的回答不是 JSON")
        return told

    def _exchange(self, host: str, target: str, body: dict[str, Any]) -> tuple[int, bytes]:
        began = time.monotonic()
        try:
            plain = self._connected(host)
        except (OSError, UnicodeError) as fault:
            raise NotSent(f"{host} 连不上：{words_of(fault)}") from fault
        # an answer that comes byte by byte keeps within each wait, and never ends: so all of it is cut off
        line = plain.dup()
        cut = threading.Timer(max(TIMEOUT - (time.monotonic() - began), 0), _hang_up, [line])
        cut.daemon = True
        cut.start()
        try:
            return _asked(self.context.wrap_socket(plain, server_hostname=host), host, target, body)
        except (OSError, http.client.HTTPException, ValueError) as fault:
            raise NotSent(f"{host} 没有答完：{words_of(fault)}") from fault
        finally:
            cut.cancel()
            line.close()
            plain.close()

    def _resolved(self, host: str) -> Sequence[str]:
        """The addresses of a name. The system's resolver knows no time limit of ours: it is left behind."""
        found: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found.put(self.resolve(host))
            except (OSError, UnicodeError) as fault:
                found.put(fault)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = found.get(timeout=TIMEOUT)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _connected(self, host: str) -> socket.socket:
        """A connection to the first address that answers; none where one of them isn't public."""
        addresses = self._resolved(host)
        if not addresses or not all(map(is_public, addresses)):
            raise NotSent(f"{host} 解析到的不是公网地址，没有连接")
        *others, last = addresses
        for address in others:
            try:
                return self.connect(address, TIMEOUT / len(addresses))
            except OSError:
                continue
        return self.connect(last, TIMEOUT / len(addresses))


def _asked(secured: ssl.SSLSocket, host: str, target: str, body: dict[str, Any]) -> tuple[int, bytes]:
    with secured:
        connection = http.client.HTTPConnection(host)
        connection.auto_open = 0  # never by itself to wherever the name leads now
        connection.sock = secured
        connection.request(
            "POST",
            target,
            json.dumps(body, ensure_ascii=False).encode(),
            {"Content-Type": "application/json; charset=utf-8", "Connection": "close"},
        )
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES + 1)


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
