"""Whom outbound requests may reach."""

from ipaddress import ip_network

import pytest

from authcenter.stores.remote.guard import reachable

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_over_tls_alone(address: str) -> None:
    assert reachable(address, (), secure=True)
    assert not reachable(address, (), secure=False)


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("secure", [True, False])
def test_private_addresses_are_not_reached(address: str, secure: bool) -> None:
    assert not reachable(address, (ip_network("192.0.2.0/24"),), secure=secure)


@pytest.mark.parametrize("secure", [True, False])
def test_what_the_policy_allows_is_reached(secure: bool) -> None:
    allowed = (ip_network("127.0.0.0/8"), ip_network("fc00::/7"))
    assert reachable("127.0.0.1", allowed, secure=secure)
    assert reachable("fc00::1", allowed, secure=secure)
    assert not reachable("10.0.0.1", allowed, secure=secure)
