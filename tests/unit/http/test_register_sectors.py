"""Pairwise clients: a sector is what its document says (OpenID Connect Registration §5)."""

import json

import aiohttp
import pytest

from tests.far_server import FarServer
from tests.unit.http.test_register import CALLBACK, LOCAL, OPEN, far, registered
from tests.workbench import Workbench

__all__ = ["far"]


async def test_a_sector_is_what_its_document_says(bench: Workbench, web: aiohttp.ClientSession, far: FarServer) -> None:
    bench.offer(f"{OPEN}\n{LOCAL}")
    both = [CALLBACK, "https://other.example/cb"]
    uri = far.puts("/sector", json.dumps([*both, "https://third.example/cb"]).encode())
    told = await registered(web, subject_type="pairwise", redirect_uris=both, sector_identifier_uri=uri)
    assert told["sector_identifier_uri"] == uri
    assert (await bench.core.clients.get(told["client_id"])).relying_party.sector == "127.0.0.1"
    assert far.asked == [("GET", "/sector")]


NOBODYS = [
    pytest.param(["com.evil.app://shop.example/cb"], id="a host in a scheme of the app's own"),
    pytest.param(["https://shop.example/cb", "com.evil.app://shop.example/cb"], id="the same host beside https"),
    pytest.param(["http://127.0.0.1/cb"], id="the loopback address, which all native apps share"),
    pytest.param(["http://localhost/cb"], id="the loopback name"),
]


@pytest.mark.parametrize("redirect_uris", NOBODYS)
async def test_what_proves_no_host_makes_no_sector(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer, redirect_uris: list[str]
) -> None:
    """Else an app would know people by the names that the site of that host knows."""
    bench.offer(f"{OPEN}\n{LOCAL}")
    native = {"subject_type": "pairwise", "application_type": "native", "redirect_uris": redirect_uris}
    told = await registered(web, 400, **native)
    assert told["error_description"].startswith("sector_identifier_uri ")
    uri = far.puts("/sector", json.dumps(redirect_uris).encode())
    await registered(web, **native, sector_identifier_uri=uri)


SECTORS = [
    pytest.param(b'["https://other.example/cb"]', id="not the redirect URI"),
    pytest.param(b'["https://app.example/cb2"]', id="nearly the redirect URI"),
    pytest.param(b"[]", id="an empty array"),
    pytest.param(b'{"https://app.example/cb": 1}', id="an object"),
    pytest.param(b'"https://app.example/cb"', id="a text"),
    pytest.param(b"<html>", id="no JSON"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b"\xff", id="not UTF-8"),
]


@pytest.mark.parametrize("body", SECTORS)
@pytest.mark.parametrize("subject_type", ["pairwise", "public"])
async def test_a_sector_document_that_lacks_a_redirect_uri_is_refused(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer, body: bytes, subject_type: str
) -> None:
    bench.offer(f"{OPEN}\n{LOCAL}")
    uri = far.puts("/sector", body)
    told = await registered(web, 400, subject_type=subject_type, sector_identifier_uri=uri)
    assert told["error"] == "invalid_client_metadata"
    assert told["error_description"].startswith("sector_identifier_uri ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_sector_document_is_no_way_into_private_networks(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer, host: str
) -> None:
    bench.offer(f"{OPEN}\nfetch: {{allow_private: [10.0.0.0/8]}}")
    far.puts("/sector", json.dumps([CALLBACK]).encode())
    for scheme in ("http", "https"):
        await registered(web, 400, sector_identifier_uri=far.url("/sector", host, scheme))
    assert far.asked == []


async def test_a_redirected_sector_document_does_not_count(
    bench: Workbench, web: aiohttp.ClientSession, far: FarServer
) -> None:
    bench.offer(f"{OPEN}\n{LOCAL}")
    inside = far.puts("/inside", json.dumps([CALLBACK]).encode())
    await registered(web, 400, sector_identifier_uri=far.puts("/sector", b"", 302, Location=inside))
    assert far.asked == [("GET", "/sector")]
