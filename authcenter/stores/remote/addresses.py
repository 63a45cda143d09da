"""Which addresses belong to the public Internet, and which to whoever stands near this server."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Carry an IPv4 address, or lead to one through a gateway nearby: what that is cannot be told from here.
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/23"), IPv6Network("3fff::/20"))
_RELAYS = (IPv4Network("192.88.99.0/24"), IPv4Network("192.0.0.0/24"))


def may_connect(address: str, allowed: Sequence[IPv4Network | IPv6Network], *, public: bool = True) -> bool:
    """Whether an outbound request may go to ``address``.

    Args:
        allowed: Networks that may be reached although they are private. An IPv4 address in IPv6 clothes
            (``::ffff:…``) counts as the IPv4 address it leads to.
        public: Whether public addresses will do; else only those allowed.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    if any(one in network for one in (ip, mapped) if one is not None for network in allowed):
        return True
    return public and is_public(ip)


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether ``ip`` is one machine's on the public Internet, and nothing that leads elsewhere."""
    if ip.is_multicast or not ip.is_global:
        return False
    if isinstance(ip, IPv6Address):
        return ip in _GLOBAL_UNICAST and not any(ip in tunnel for tunnel in _TUNNELS)
    return not any(ip in relay for relay in _RELAYS)
