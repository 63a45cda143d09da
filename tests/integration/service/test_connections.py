"""What happens on the wire below a request: slow, split, pipelined, oversized, malformed."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.running import Service

_HANG_SECONDS = 90
_SLOW_CLIENTS = 50


@pytest.fixture(scope="module")
def client(service: Service) -> Credentials:
    return service.operator.client("wire", "client_credentials")


@contextmanager
def connected(service: Service) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.process.port), timeout=_HANG_SECONDS) as connection:
        yield connection


def received(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One answer: its status, headers in lower case, and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(1)
        if not chunk:
            raise ConnectionResetError(f"closed after {data!r}")
        data += chunk
    head = data.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        chunk = connection.recv(1)
        assert chunk, "closed within the body"
        body += chunk
    return int(head[0].split(" ")[1]), headers, body


def token_request(client: Credentials, *, more: str = "") -> bytes:
    body = f"grant_type=client_credentials&client_id={client.client_id}&client_secret={client.secret}{more}"
    return head(f"Content-Length: {len(body)}") + body.encode()


def head(*headers: str, path: str = "/oauth/token") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/x-www-form-urlencoded", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(data: bytes, size: int) -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_chunked_body_is_a_body(service: Service, client: Credentials) -> None:
    body = token_request(client).partition(b"\r\n\r\n")[2]
    with connected(service) as connection:
        connection.sendall(head("Transfer-Encoding: chunked") + chunked(body, 7))
        assert received(connection)[0] == 200


def test_a_chunked_body_has_the_same_limit(service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(head("Transfer-Encoding: chunked") + chunked(b"a=" + b"x" * (64 * 1024 - 1), 8192))
        status, headers, body = received(connection)
    assert (status, headers["content-type"]) == (413, "application/json")
    assert b'"invalid_request"' in body


def test_a_connection_is_good_for_more_after_errors(service: Service, client: Credentials) -> None:
    bad = [token_request(client, more="&scope=nope"), token_request(Credentials("wire", "wrong")), head()]
    with connected(service) as connection:
        for request, status in zip([*bad, token_request(client)], [400, 401, 401, 200], strict=True):
            connection.sendall(request)
            assert received(connection)[0] == status


def test_pipelined_requests_are_answered_in_order(service: Service, client: Credentials) -> None:
    requests = [token_request(client), token_request(client, more="&scope=nope"), token_request(client)]
    with connected(service) as connection:
        connection.sendall(b"".join(requests))
        assert [received(connection)[0] for _ in requests] == [200, 400, 200]


@pytest.mark.parametrize(
    "rest", [pytest.param(b"zz\r\nx", id="a broken chunk"), pytest.param(b"5\r\nxx", id="a chunk cut short")]
)
def test_a_body_that_breaks_off_halfway_is_no_defect(service: Service, client: Credentials, rest: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(head("Transfer-Encoding: chunked") + b"5\r\ngrant\r\n")
        assert service.api.ask(client).status_code == 200, "the request has begun by now"
        connection.sendall(rest)
        connection.shutdown(socket.SHUT_WR)
        assert b" 500 " not in connection.recv(65536)
    assert service.api.metric("authcenter_http_request_seconds_count", status="500") == 0


def test_clients_that_never_finish_block_nobody(service: Service, client: Credentials) -> None:
    with ExitStack() as stack:
        for _ in range(_SLOW_CLIENTS):
            slow = stack.enter_context(connected(service))
            slow.sendall(token_request(client)[:-20])
        assert service.api.ask(client).status_code == 200
    assert service.api.ask(client).status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(head("X-Huge: " + "x" * 100_000), id="huge header"),
        pytest.param(b"POST /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="huge path"),
        pytest.param(head(*(f"X-{n}: 1" for n in range(20_000))), id="twenty thousand headers"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS on a plain port"),
        pytest.param(b"nonsense\r\n\r\n", id="not HTTP"),
        pytest.param(head("Content-Length: -1"), id="negative length"),
        pytest.param(head("Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n", id="two lengths"),
        pytest.param(head("Transfer-Encoding: chunked") + b"zz\r\n", id="broken chunk"),
        pytest.param(head("X-A: b\x00c"), id="NUL in a header"),
    ],
)
def test_what_is_no_request_is_refused_without_a_defect(
    service: Service, client: Credentials, request_bytes: bytes
) -> None:
    with connected(service) as connection:
        try:
            connection.sendall(request_bytes)
            status, headers, _ = received(connection)
        except ConnectionError:  # it may also hang up
            status = 400
        else:
            assert (headers["content-type"], headers["server"]) == ("application/json", "authcenter")
            assert headers["x-request-id"]
    assert 400 <= status < 500
    assert service.api.ask(client).status_code == 200


def test_no_traceback_is_left_in_the_log(service: Service) -> None:
    """After all that this module has done."""
    assert "Traceback" not in service.process.log.read_text()
