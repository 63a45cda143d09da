"""Request bodies to one value per name (RFC 6749 §3.2, Appendix B)."""

from urllib.parse import unquote_to_bytes

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from authcenter.core.checks import failed
from authcenter.core.errors import OAuthError, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule

MAX_BODY_BYTES = 64 * 1024
_MAX_PARAMETERS = 64
_FORM = "application/x-www-form-urlencoded"
_REPEATABLE = "resource"
# As numbers: looking for bytes in bytes raises and drops a TypeError first, at ten times the cost.
_PERCENT, _PLUS = b"%+"
_HEX = frozenset(b"0123456789abcdefABCDEF")


async def read_form(request: web.BaseRequest) -> Form:
    """The request's form.

    Raises:
        OAuthError: ``invalid_request``: another content type, too large, not UTF-8, a broken escape, or a repeated
            parameter.
    """
    if request.headers.get(hdrs.CONTENT_TYPE) != _FORM and request.content_type != _FORM:
        failed("content_type", expected=_FORM, came=request.content_type)
        description = f"The content type must be {_FORM}."
        raise invalid_request(Rule.CONTENT_TYPE, description, f"it is {request.content_type!a:.80}")
    return parse_form(await read_body(request))


async def read_body(request: web.BaseRequest) -> bytes:
    """The request's whole body, of at most 64 KiB. Raises ``OAuthError``: ``invalid_request``."""
    try:
        if hdrs.EXPECT in request.headers and request.headers[hdrs.EXPECT].lower() == "100-continue":
            # RFC 9110 §10.1.1; curl waits a second for it before it sends a large body.
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        # Most bodies come with their head: what is there needs none of `read`'s loops.
        body = request.content.read_nowait() if request.content.is_eof() else await request.read()
    except web.HTTPRequestEntityTooLarge as problem:
        raise _too_large() from problem
    except (ConnectionError, HttpProcessingError, web.RequestPayloadError) as problem:
        # The client has gone away, or its chunks are broken: no defect of ours.
        raise invalid_request(Rule.FORM_MALFORMED, "The body is broken off.", type(problem).__name__) from problem
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def parse_form(body: bytes) -> Form:
    """Parse an urlencoded body. Raises ``OAuthError``: ``invalid_request``."""
    values: dict[str, str] = {}
    resources: list[str] = []
    if body.count(b"&") >= _MAX_PARAMETERS:
        hint = f"{body.count(b'&') + 1} parameters"
        raise invalid_request(Rule.FORM_MALFORMED, "The form has too many parameters.", hint)
    for name, _, value in _pairs(body):
        if name == _REPEATABLE:
            resources.append(value)
        elif name in values:
            # The name is a stranger's: it goes to the operator only.
            failed("parameter", repeated=name)
            raise invalid_request(Rule.PARAMETER_REPEATED, "A parameter is repeated.", f"repeated: {name!a:.80}")
        else:
            values[name] = value
    return Form(values, tuple(resources))


def _pairs(body: bytes) -> list[tuple[str, str, str]]:
    """Names and values, decoded, with what is between them.

    Most bodies hold nothing encoded and are decoded at one stroke.
    """
    if _PERCENT in body or _PLUS in body:
        encoded = [pair.partition(b"=") for pair in body.split(b"&") if pair]
        return [(decode_component(name), "=", decode_component(value)) for name, _, value in encoded]
    return [pair.partition("=") for pair in decode_component(body).split("&") if pair]


def decode_component(raw: bytes) -> str:
    """One form-encoded name or value: ``+`` is a space, escapes are UTF-8.

    Raises:
        OAuthError: ``invalid_request``: not UTF-8, a broken escape, or a NUL, which no database takes.
    """
    if _PERCENT in raw or _PLUS in raw:
        raw = raw.replace(b"+", b" ")
        if _PERCENT in raw:
            if any(len(escape) < 2 or not _HEX.issuperset(escape[:2]) for escape in raw.split(b"%")[1:]):
                raise _malformed("broken escape")
            raw = unquote_to_bytes(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError as problem:
        raise _malformed("not UTF-8") from problem
    if "\0" in text:
        raise _malformed("a NUL character")
    return text


def _too_large() -> OAuthError:
    hint = f"over {MAX_BODY_BYTES} bytes"
    return invalid_request(Rule.BODY_TOO_LARGE, "The body is too large.", hint, status=413)


def _malformed(hint: str) -> Exception:
    return invalid_request(Rule.FORM_MALFORMED, "The form is malformed.", hint)
