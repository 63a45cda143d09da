"""Whatever a line is about to say: no secret is recognisable in it, and nothing in it is more than one line's text."""

import io
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from authcenter.telemetry.last_resort import presentable
from authcenter.telemetry.logs import configure_logs
from authcenter.telemetry.request_log import RequestLine, RequestLog

RANDOM = "Zk3v9-QmT_x7LwYc2NfRb8PdHs5JaEuG"
JWT = f"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2F1dGgifQ.{RANDOM}"
LOGIN = b64encode(f"app:{RANDOM}".encode()).decode()

SECRETS = [
    pytest.param(JWT, RANDOM, id="a JWT"),
    pytest.param(JWT.rpartition(".")[0], "eyJpc3MiOiJodHRwczovL2F1dGgifQ", id="a JWT that was cut"),
    *(
        pytest.param(f"{prefix}_{RANDOM}", RANDOM, id=what)
        for prefix, what in [
            ("acc", "a code"),
            ("adc", "a device code"),
            ("aci", "an initial access token"),
            ("acg", "a registration access token"),
        ]
    ),
    pytest.param(f"acr_AbCdEfGhIjKlMnOp.{RANDOM}", RANDOM, id="a refresh token"),
    pytest.param(f"Authorization: Bearer {RANDOM}", RANDOM, id="a bearer header"),
    pytest.param(f"authorization: BEARER {RANDOM}", RANDOM, id="a bearer header in capitals"),
    pytest.param(f"Bearer {RANDOM}", RANDOM, id="a bearer header without its name"),
    pytest.param(f"Authorization: Basic {LOGIN}", LOGIN, id="a basic header"),
    pytest.param(f"basic {LOGIN.rstrip('=')}", LOGIN.rstrip("="), id="a basic header without padding"),
    pytest.param(f"urn:ietf:params:oauth:request_uri:{RANDOM}", RANDOM, id="a pushed request"),
    pytest.param(f"postgresql://app:{RANDOM}@db/app", RANDOM, id="the password of a URL"),
    pytest.param(f'redis://:{RANDOM}"\\{RANDOM}@cache/0', RANDOM, id="the password of a URL, with a quote in it"),
    pytest.param(f"-----BEGIN PRIVATE KEY-----\n{RANDOM}\n-----END PRIVATE KEY-----", RANDOM, id="a private key"),
    pytest.param(f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{RANDOM}", RANDOM, id="a private key that was cut"),
    pytest.param(f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${'A' * 43}", "A" * 43, id="an argon2 hash"),
    pytest.param(f"$2b$12${'B' * 53}", "B" * 53, id="a bcrypt hash"),
]

BEFORE = ["\n", "\t", "\r", "\b", "\f", "\x1f", "\x7f", "\x85", "é", "“", "\U0001f600", "\\", '"', "/"]
"""What JSON writes as an escape, or may."""

ESCAPED = [
    pytest.param(lambda text: text, id="as JSON has it"),
    pytest.param(lambda text: ascii(text)[1:-1], id="as a Python literal has it"),
    pytest.param(quote, id="as a URL has it"),
]

INNOCENT = [
    "Basic authentication is refused for this client",
    "a Bearer token is missing",
    "the mail goes to alice@example.com",
    "https://auth.example:8443/oauth/token",
    "eyJ and acr_short are no tokens",
    "usr_0192f0c1 asked for $2 in acc_ounts",
    "vacc_and_other_names_of_things",
]

FORGERIES = [
    pytest.param('x\n{"event":"request","status":200}', id="line feed"),
    pytest.param("x\r\nforged", id="carriage return"),
    pytest.param("x\x0bforged\x0cforged", id="vertical tab and form feed"),
    pytest.param("x\x85forged\u2028forged\u2029forged", id="line ends of Unicode"),
    pytest.param("x\x1b[2K\x1b[1Aforged", id="escape sequence"),
    pytest.param("x\x9b2Kforged", id="escape sequence of eight bits"),
    pytest.param("x\x7f\x00\x08forged", id="delete, NUL, backspace"),
    pytest.param("x\u202edegrof\u2066\u200b\ufeff", id="direction of writing, no width"),
    pytest.param("x\udcff\ud800forged", id="bytes that are no UTF-8"),
    pytest.param('x","status":200,"y":"', id="quotes"),
    pytest.param("x\\", id="a backslash at the end"),
    pytest.param("\U0001f600 \u00e9", id="beyond ASCII"),
]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("INFO", stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def request_line(text: str) -> bytes:
    """The line of a request that was refused with ``text``, and whose gateway sent it."""
    stream = io.StringIO()
    log = RequestLog(stream)
    fields = {"original_path": text, "client_id": text, "hint": text}
    log.write(RequestLine("request-1", "POST", "/oauth/token", 400, 1.5, "192.0.2.1", **fields), urgent=True)
    return stream.getvalue().encode()


def error_line(text: str) -> bytes:
    """The lines of a defect whose exception quotes ``text``, and of a library that does."""
    stream = io.StringIO()
    configure_logs("INFO", stream)
    try:
        _choke(text)
    except ValueError:
        structlog.get_logger().exception("defect", path=text, nested={text: [text]})
    structlog.get_logger().info(text)
    logging.getLogger("library").warning("choked on %s", text)
    return stream.getvalue().encode()


def _choke(text: str) -> None:
    raise ValueError(text)


LINES = [pytest.param(request_line, 1, id="of a request"), pytest.param(error_line, 3, id="of errors")]


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize(("lines", "_number"), LINES)
@pytest.mark.parametrize(("said", "secret"), SECRETS)
def test_what_looks_like_a_secret_is_struck_out(
    lines: Callable[[str], bytes], _number: int, said: str, secret: str
) -> None:
    for line in lines(f"it was {said} indeed").splitlines():
        assert secret.encode() not in line
        assert b"***" in line
        json.loads(line)


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize(("lines", "_number"), LINES)
@pytest.mark.parametrize("escaped", ESCAPED)
@pytest.mark.parametrize("before", BEFORE, ids=ascii)
@pytest.mark.parametrize(("said", "secret"), SECRETS)
def test_so_is_what_stands_directly_behind_an_escape(
    lines: Callable[[str], bytes],
    _number: int,
    escaped: Callable[[str], str],
    before: str,
    said: str,
    secret: str,
) -> None:
    for line in lines(f"it was {escaped(before)}{said}").splitlines():
        assert secret.encode() not in line
        assert b"***" in line
        json.loads(line)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_does_not_stays(text: str) -> None:
    assert json.loads(presentable(json.dumps({"hint": text}).encode())) == {"hint": text}


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize(("lines", "number"), LINES)
@pytest.mark.parametrize("text", FORGERIES)
def test_no_line_is_forged_by_what_strangers_send(lines: Callable[[str], bytes], number: int, text: str) -> None:
    written = lines(text)
    assert written.count(b"\n") == number
    assert all(0x20 <= byte < 0x7F for byte in written.replace(b"\n", b""))
    told = [json.loads(line, object_pairs_hook=_once) for line in written.decode().splitlines()]
    assert any(text in (line.get("hint"), line.get("path")) for line in told)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    assert len({name for name, _ in pairs}) == len(pairs), "a member stands there twice"
    return dict(pairs)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_a_line_stays_json_whatever_is_struck_out(fields: dict[str, object]) -> None:
    line = presentable(json.dumps(fields, ensure_ascii=False).encode(errors="backslashreplace"))
    assert line.isascii()
    json.loads(line)


@given(st.text(alphabet='eyJ.acr_-"\\ :/@$2bBearsicn{}\n'))
def test_a_line_stays_json_however_much_it_resembles_secrets(text: str) -> None:
    for known in ("eyJhbGciOiJFUzI1", "bearer aaaaaaaaaaaaaaaaaaaaaaaa", "redis://u:p", "-----BEGIN PRIVATE KEY-----"):
        json.loads(presentable(json.dumps({"hint": text + known + text}).encode()))
