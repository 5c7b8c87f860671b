"""From which network address somebody asks."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104  # nobody's address: of a socket without one, where all callers count as one


def address_of(request: HttpRequest) -> str:
    """The caller's address: what our own TRUSTED_PROXIES proxies wrote, never what the caller wrote.

    An IPv6 caller is given by the network of 64 bits, because every household can use any address in its own.
    """
    proxies = getattr(settings, "TRUSTED_PROXIES", 0)
    said = request.META.get("REMOTE_ADDR", "")
    if proxies:
        chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        said = chain[-proxies] if len(chain) >= proxies else said
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
