"""Addresses as limits count them."""

import pytest

from authcenter.limits.address import network_of

ROWS = [
    pytest.param("192.0.2.1", "192.0.2.1", id="IPv4"),
    pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6"),
    pytest.param("2001:db8:1:2::", "2001:db8:1:2::/64", id="the network itself"),
    pytest.param("2001:db8:1:3::1", "2001:db8:1:3::/64", id="its neighbour"),
    pytest.param("::1", "::/64", id="loopback"),
    pytest.param("::ffff:192.0.2.1", "192.0.2.1", id="IPv4 in IPv6"),
    pytest.param("fe80::1%eth0", "fe80::/64", id="with a zone"),
    pytest.param("no:address", "no:address", id="no address"),
    pytest.param("", "", id="a socket without one"),
]


@pytest.mark.parametrize(("address", "network"), ROWS)
def test_what_is_counted_for(address: str, network: str) -> None:
    assert network_of(address) == network
