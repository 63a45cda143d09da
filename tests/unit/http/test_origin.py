"""Where a request comes from, past trusted proxies and strangers' headers."""

from ipaddress import ip_network

import pytest

from authcenter.http.origin import OriginReader
from tests.unit.http.requests import request

PROXY, OTHER_PROXY, STRANGER, CLIENT = "10.0.0.1", "10.0.0.2", "198.51.100.9", "203.0.113.5"
TRUSTED = OriginReader([ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")])
XFF, FWD = "X-Forwarded-For", "Forwarded"

ROWS = [
    pytest.param(STRANGER, [(XFF, CLIENT)], STRANGER, id="a stranger's header counts for nothing"),
    pytest.param(STRANGER, [(FWD, f"for={CLIENT}")], STRANGER, id="nor does a stranger's Forwarded"),
    pytest.param(PROXY, [], PROXY, id="the proxy itself"),
    pytest.param(PROXY, [(XFF, CLIENT)], CLIENT, id="one hop"),
    pytest.param(PROXY, [(XFF, f"{CLIENT}, {OTHER_PROXY}")], CLIENT, id="two proxies"),
    pytest.param(PROXY, [(XFF, f"{STRANGER}, {CLIENT}")], CLIENT, id="what the client claimed is to the left"),
    pytest.param(PROXY, [(XFF, f"{OTHER_PROXY}, {CLIENT}")], CLIENT, id="a claim to be a proxy"),
    pytest.param(PROXY, [(XFF, STRANGER), (XFF, CLIENT)], CLIENT, id="two headers are one list"),
    pytest.param(PROXY, [(XFF, f"{CLIENT},,  ,")], CLIENT, id="empty elements"),
    pytest.param(PROXY, [(XFF, f"{OTHER_PROXY}")], OTHER_PROXY, id="nobody but proxies"),
    pytest.param(PROXY, [(XFF, "unknown")], PROXY, id="no address"),
    pytest.param(PROXY, [(XFF, f"{CLIENT}, garbage")], PROXY, id="garbage hides what is to its left"),
    pytest.param(PROXY, [(XFF, f"{CLIENT}:4711")], CLIENT, id="with a port"),
    pytest.param(PROXY, [(XFF, "2001:db8::7")], "2001:db8::7", id="IPv6"),
    pytest.param(PROXY, [(XFF, "[2001:db8::7]:4711")], "2001:db8::7", id="IPv6 with a port"),
    pytest.param(PROXY, [(XFF, "fe80::1%" + "a" * 200)], PROXY, id="an address with a zone, of any length"),
    pytest.param("2001:db8:1::1", [(XFF, CLIENT)], CLIENT, id="an IPv6 proxy"),
    pytest.param("2001:db8:2::1", [(XFF, CLIENT)], "2001:db8:2::1", id="an IPv6 stranger"),
    pytest.param(PROXY, [(FWD, f"for={CLIENT};proto=https;by=x")], CLIENT, id="Forwarded"),
    pytest.param(PROXY, [(FWD, f'for="{CLIENT}:80"')], CLIENT, id="Forwarded with a port"),
    pytest.param(PROXY, [(FWD, 'for="[2001:db8::7]:80"')], "2001:db8::7", id="Forwarded, IPv6"),
    pytest.param(PROXY, [(FWD, f"for={STRANGER}, For={CLIENT}, for={OTHER_PROXY}")], CLIENT, id="Forwarded, chain"),
    pytest.param(PROXY, [(FWD, "for=_hidden")], PROXY, id="Forwarded, obfuscated"),
    pytest.param(PROXY, [(FWD, "for=unknown")], PROXY, id="Forwarded, unknown"),
    pytest.param(PROXY, [(FWD, "proto=https")], PROXY, id="Forwarded without for"),
    pytest.param(PROXY, [(FWD, ";;==,,")], PROXY, id="Forwarded, garbage"),
    pytest.param(PROXY, [(FWD, f"for={CLIENT}"), (XFF, CLIENT)], CLIENT, id="both agree"),
    pytest.param(PROXY, [(FWD, f"for={STRANGER}"), (XFF, CLIENT)], PROXY, id="both differ: one is a stranger's"),
]


@pytest.mark.parametrize(("peer", "headers", "ip"), ROWS)
def test_the_address_of_the_client(peer: str, headers: list[tuple[str, str]], ip: str) -> None:
    assert TRUSTED.read(request(headers, peer)).ip == ip


def test_without_trusted_proxies_no_header_counts() -> None:
    assert OriginReader([]).read(request([(XFF, CLIENT)], PROXY)).ip == PROXY


def test_a_request_id_is_made_here_and_a_trusted_one_kept_beside_it() -> None:
    headers = [("X-Request-Id", "theirs")]
    trusted, stranger = TRUSTED.read(request(headers, PROXY)), TRUSTED.read(request(headers, STRANGER))
    assert trusted.caller_request_id == "theirs"
    assert stranger.caller_request_id == ""
    assert len({trusted.request_id, stranger.request_id, "theirs"}) == 3


def test_headers_are_cut_and_made_storable() -> None:
    headers = [("User-Agent", "x" * 1_000), ("X-Request-Id", "a\udcffb\u00e9")]
    origin = TRUSTED.read(request(headers, PROXY))
    assert len(origin.user_agent) == 200
    assert origin.caller_request_id == "a\\udcffb\u00e9"
    origin.caller_request_id.encode()
