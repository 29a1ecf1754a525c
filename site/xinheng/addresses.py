"""Addresses that strangers send or come from: taken apart without trust, kept no finer than needed."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

_NOWHERE = SplitResult("", "", "", "", "")


def split_address(text: str) -> SplitResult:
    """The parts of an address; of one that is none (`http://[bad`), empty parts."""
    try:
        parts = urlsplit(text)
        _ = parts.port, parts.hostname  # both are parsed, and can fail, only when asked for
    except ValueError:
        return _NOWHERE
    return parts


def address_prefix(address: str) -> str:
    """The network a reader comes from: /24 for IPv4, /56 for IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 56), strict=False))
