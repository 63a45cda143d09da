"""Whom outbound requests may reach: decided on the address that is connected to, whatever name it was found by.

A guard on names, or on the resolver, is not asked about addresses that stand in the URL, nor about a name that
resolves otherwise the second time.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aiohappyeyeballs import AddrInfoType

Network = IPv4Network | IPv6Network
_NAT64 = ip_network("64:ff9b::/96")


class AddressRefused(OSError):
    """Connections to this address are not allowed."""


def reachable(address: str, allowed: Sequence[Network], *, secure: bool) -> bool:
    """Whether a request may go to ``address``.

    Args:
        allowed: Networks that may be reached although they are private (``fetch.allow_private``).
        secure: Whether it goes over TLS; without, only ``allowed`` networks are reached.
    """
    found = ip_address(address.partition("%")[0])
    if any(found in network for network in allowed):
        return True
    return secure and all(one.is_global and not one.is_multicast for one in (found, *_carried(found)))


def guarded_sockets(
    allowed: Callable[[], Sequence[Network]], *, secure: bool
) -> Callable[[AddrInfoType], socket.socket]:
    """Makes sockets for allowed addresses alone; raises ``AddressRefused`` for others."""

    def make(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = info
        if not reachable(str(target[0]), allowed(), secure=secure):
            raise AddressRefused("the address is private")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def _carried(address: IPv4Address | IPv6Address) -> list[Any]:
    """The IPv4 addresses that an IPv6 address stands for, by whichever way of crossing over."""
    if isinstance(address, IPv4Address):
        return []
    inner: list[Any] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in inner if one is not None]
