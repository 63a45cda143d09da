"""The guard of outbound requests, against a real server that does what an attacker's would."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from aiohttp import web

from authcenter.core.secret import Secret
from authcenter.stores.ports.remote import FetchFailed, FetchRefused
from authcenter.stores.remote.addresses import may_connect
from authcenter.stores.remote.fetch import MOST_AT_ONCE, MOST_BYTES, GuardedFetch
from tests.far_server import FarServer, far_server

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
PATIENT = 60.0


@pytest.fixture
async def far() -> AsyncIterator[FarServer]:
    async with far_server() as server:
        yield server


def fetching(*networks: IPv4Network | IPv6Network, seconds: float = PATIENT) -> GuardedFetch:
    return GuardedFetch(lambda: networks, seconds=seconds)


async def test_what_the_policy_allows_is_fetched(far: FarServer) -> None:
    assert await fetching(*LOOPBACK).get(far.puts("/keys", b'{"keys": []}')) == b'{"keys": []}'


HOSTS = [
    pytest.param("127.0.0.1", id="literal"),
    pytest.param("localhost", id="a name that leads here"),
    pytest.param("localhost.", id="a name with its dot"),
    pytest.param("[::1]", id="IPv6 loopback"),
    pytest.param("[::ffff:127.0.0.1]", id="IPv4 in IPv6 clothes"),
    pytest.param("[::ffff:7f00:1]", id="the same in hexadecimal"),
    pytest.param("2130706433", id="one number"),
    pytest.param("0x7f000001", id="one hexadecimal number"),
    pytest.param("127.1", id="short form"),
    pytest.param("0", id="zero"),
    pytest.param("0.0.0.0", id="any address"),
    pytest.param("[::]", id="any IPv6 address"),
    pytest.param("169.254.169.254", id="the metadata service of clouds"),
    pytest.param("10.0.0.1", id="private"),
    pytest.param("[fe80::1]", id="link local"),
    pytest.param("[64:ff9b::7f00:1]", id="NAT64"),
    pytest.param("[2002:7f00:1::]", id="6to4"),
    pytest.param("224.0.0.1", id="multicast"),
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HOSTS)
async def test_nobody_gets_to_private_addresses(far: FarServer, host: str, scheme: str) -> None:
    far.puts("/secret", b"{}")
    with pytest.raises(FetchFailed):
        await fetching().get(far.url("/secret", host, scheme))
    assert far.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_named_as_the_cause(far: FarServer, host: str) -> None:
    with pytest.raises(FetchRefused, match=r"fetch\.allow_private"):
        await fetching().get(far.url("/", host))


async def test_a_redirect_is_not_followed(far: FarServer) -> None:
    far.puts("/secret", b"{}")
    with pytest.raises(FetchFailed, match="302"):
        await fetching(*LOOPBACK).get(far.puts("/away", b"", 302, Location=far.url("/secret")))
    assert far.asked == [("GET", "/away")]


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
async def test_only_200_counts(far: FarServer, status: int) -> None:
    with pytest.raises(FetchFailed, match=str(status)):
        await fetching(*LOOPBACK).get(far.puts("/", b"", status))


async def test_up_to_256_kib_are_taken(far: FarServer) -> None:
    assert len(await fetching(*LOOPBACK).get(far.puts("/", b"x" * MOST_BYTES))) == MOST_BYTES
    with pytest.raises(FetchFailed, match="more than"):
        await fetching(*LOOPBACK).get(far.puts("/", b"x" * (MOST_BYTES + 1)))


async def test_a_body_without_end_is_cut(far: FarServer) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    far.answers["/"] = endless
    with pytest.raises(FetchFailed, match="more than"):
        await fetching(*LOOPBACK).get(far.url("/"))


async def test_a_compressed_answer_is_not_unpacked(far: FarServer) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < MOST_BYTES
    with pytest.raises(FetchFailed, match="compressed"):
        await fetching(*LOOPBACK).get(far.puts("/", bomb, Content_Encoding="gzip"))
    assert far.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("begun", [False, True], ids=["never answers", "stops in its answer"])
async def test_who_is_slow_is_given_up(far: FarServer, begun: bool) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if begun:
            await response.prepare(request)
            await response.write(b"{")
        await far.released.wait()
        return response

    far.answers["/"] = slow
    with pytest.raises(FetchFailed, match="within"):
        await fetching(*LOOPBACK, seconds=0.3).get(far.url("/"))


async def test_sixteen_are_under_way_at_once_and_the_others_wait(far: FarServer) -> None:
    async def slow(_: web.Request) -> web.StreamResponse:
        await far.released.wait()
        return web.Response(body=b"{}")

    far.answers["/"] = slow
    fetch = fetching(*LOOPBACK, seconds=PATIENT)
    under_way = [asyncio.create_task(fetch.get(far.url("/"))) for _ in range(MOST_AT_ONCE + 5)]
    while len(far.asked) < MOST_AT_ONCE:
        await asyncio.sleep(0.01)
    # However long one looks, no more than that have been asked.
    await asyncio.sleep(0.1)
    assert len(far.asked) == MOST_AT_ONCE
    far.released.set()
    assert await asyncio.gather(*under_way) == [b"{}"] * (MOST_AT_ONCE + 5)


async def test_the_environments_proxy_is_not_asked(far: FarServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, far.url("/"))
    with pytest.raises(FetchRefused):
        await fetching().get("http://10.255.255.1/")
    assert far.asked == []


async def test_no_cookie_goes_from_one_request_to_the_next(far: FarServer) -> None:
    fetch, url = fetching(*LOOPBACK), far.puts("/", b"{}", Set_Cookie="a=b; Path=/")
    await fetch.get(url)
    await fetch.get(url)
    assert all("Cookie" not in request.headers for request in far.requests)


@pytest.mark.parametrize("status", [200, 204, 302, 400, 503])
async def test_a_form_is_sent_and_its_status_told(far: FarServer, status: int) -> None:
    assert await fetching(*LOOPBACK).post(far.puts("/out", b"", status), {"logout_token": "a b&c"}) == status
    assert far.asked == [("POST", "/out")]
    assert far.requests[0].content_type == "application/x-www-form-urlencoded"
    assert far.bodies == [b"logout_token=a+b%26c"]


async def test_a_form_does_not_get_to_private_addresses_either(far: FarServer) -> None:
    with pytest.raises(FetchRefused):
        await fetching().post(far.url("/out"), {})
    assert far.asked == []


@pytest.mark.parametrize("status", [200, 302, 400, 500])
async def test_who_asks_reads_the_answer_whatever_its_status(far: FarServer, status: int) -> None:
    away = far.puts("/", b'{"error": "x"}', status, Location=far.url("/elsewhere"))
    for form in (None, {"code": "c"}):
        told = await fetching(*LOOPBACK).ask(away, form=form, authorization=Secret("Bearer t"))
        assert (told.status, told.body) == (status, b'{"error": "x"}')
    assert far.asked == [("GET", "/"), ("POST", "/")]


async def test_who_asks_is_held_to_the_same_limits(far: FarServer) -> None:
    with pytest.raises(FetchRefused):
        await fetching().ask(far.url("/"))
    with pytest.raises(FetchFailed, match="more than"):
        await fetching(*LOOPBACK).ask(far.puts("/", b"x" * (MOST_BYTES + 1)))


async def test_nobody_there_is_a_failure_not_a_refusal() -> None:
    # Bound, so that nobody else can listen there meanwhile.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(FetchFailed) as failed:
            await fetching(*LOOPBACK).get(f"http://127.0.0.1:{deaf.getsockname()[1]}/")
    assert not isinstance(failed.value, FetchRefused)


URLS = [
    pytest.param("ftp://example.com/", id="another scheme"),
    pytest.param("file:///etc/passwd", id="a file"),
    pytest.param("/keys", id="relative"),
    pytest.param("https://", id="no host"),
    pytest.param("https://user:password@example.com/", id="credentials"),
    pytest.param("https://example.com:99999/", id="a port that is none"),
    pytest.param("https://example.com/" + "x" * 2_048, id="endless"),
    pytest.param("", id="empty"),
]


@pytest.mark.parametrize("url", URLS)
async def test_what_is_no_url_to_fetch_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        await fetching(*LOOPBACK).get(url)


async def test_http_goes_only_where_the_policy_says(far: FarServer) -> None:
    elsewhere = ip_network("10.0.0.0/8")
    with pytest.raises(FetchRefused):
        await fetching(elsewhere).get(far.puts("/", b"{}"))


ADDRESSES = [
    pytest.param("8.8.8.8", True, id="public"),
    pytest.param("2606:4700::1111", True, id="public IPv6"),
    *(pytest.param(address, False, id=address) for address in (
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1", "192.0.0.8", "192.168.1.1",
        "192.88.99.1", "198.18.0.1", "203.0.113.1", "224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::808:808", "64:ff9b:1::1",
        "100::1", "2001::1", "2001:db8::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1",
        "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "not an address",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("address", "public"), ADDRESSES)
def test_only_public_addresses_are_reached(address: str, public: bool) -> None:
    assert may_connect(address, ()) is public
    assert not may_connect(address, (), public=False)


ALLOWED = [
    pytest.param("10.1.2.3", "10.0.0.0/8", True, id="listed"),
    pytest.param("10.1.2.3", "10.0.0.0/16", False, id="beside the list"),
    pytest.param("::ffff:10.1.2.3", "10.0.0.0/8", True, id="listed, in IPv6 clothes"),
    pytest.param("fd12::1", "fd00::/8", True, id="listed IPv6"),
    pytest.param("fe80::1%eth0", "fe80::/10", True, id="listed, with a zone"),
]


@pytest.mark.parametrize(("address", "network", "reached"), ALLOWED)
def test_the_policys_networks_are_reached_too(address: str, network: str, reached: bool) -> None:
    assert may_connect(address, [ip_network(network)]) is reached
    assert may_connect(address, [ip_network(network)], public=False) is reached
