"""Addresses as limits count them."""

from ipaddress import IPv6Address, ip_address

_HOST_BITS = 64


def network_of(address: str) -> str:
    """An IPv4 address itself; of IPv6 its /64, within which whoever has one address has them all (RFC 6177 §2)."""
    if ":" not in address:
        return address
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return f"{IPv6Address(int(ip) >> _HOST_BITS << _HOST_BITS)}/{_HOST_BITS}"
