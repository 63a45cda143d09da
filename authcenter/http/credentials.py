"""Headers and form to what a request says of its client (RFC 6749 §2.3.1), or its bearer token (RFC 6750 §2.1)."""

import binascii

from aiohttp import hdrs, web

from authcenter.clients.authentication import PresentedClient
from authcenter.core.checks import failed
from authcenter.core.client import AuthMethod
from authcenter.core.errors import OAuthError, bearer_malformed, bearer_missing, invalid_client, invalid_request
from authcenter.core.form import Form
from authcenter.core.marks import marked_client_id
from authcenter.core.rules import Rule
from authcenter.http.forms import decode_component

# Up to Python 3.11 looking a member up in its enum costs as much as a call: those of every request, once.
_BASIC = AuthMethod.SECRET_BASIC
_LONGEST_SCHEME = 12


def client_credentials(request: web.BaseRequest, form: Form) -> PresentedClient:
    """The one way in which the request names its client.

    Raises:
        OAuthError: ``invalid_client``: none, or malformed; ``invalid_request``: several at once.
    """
    header = request.headers.getall(hdrs.AUTHORIZATION, ())
    named, secret = form.get("client_id"), form.get("client_secret")
    if header:
        if len(header) > 1 or secret is not None:
            failed("client_authentication", headers=len(header), secret_in_form=secret is not None)
            description = "The client authenticated in more than one way."
            raise invalid_request(Rule.CREDENTIALS_SEVERAL, description, f"{len(header)} headers, secret in the form")
        presented = read_basic(header[0])
        if named is not None and named != presented.client_id:
            expected, named = marked_client_id(presented.client_id), marked_client_id(named)
            failed("client_authentication", expected=expected, came=named)
            description = "The client_id differs from the Authorization header."
            raise invalid_request(Rule.CREDENTIALS_SEVERAL, description, f"{named!a:.80}, {expected!a:.80}")
        return presented
    if named is None:
        failed("client_authentication", header_sent=False, client_id=None)
        raise invalid_client(Rule.CREDENTIALS_MISSING, "neither Authorization nor client_id")
    if secret is not None:
        return PresentedClient(named, AuthMethod.SECRET_POST, secret)
    return PresentedClient(named, AuthMethod.NONE)


def read_basic(header: str) -> PresentedClient:
    """``Basic`` with id and secret form-encoded before base64.

    Raises:
        OAuthError: ``invalid_client``: another scheme, or malformed.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        failed("client_authentication", expected="Basic", came=_shown(scheme))
        raise invalid_client(Rule.CREDENTIALS_MALFORMED, f"scheme {_shown(scheme)}")
    try:
        decoded = binascii.a2b_base64(encoded.strip(), strict_mode=True)
    except ValueError as problem:
        raise invalid_client(Rule.CREDENTIALS_MALFORMED, "not base64") from problem
    client_id, colon, secret = decoded.partition(b":")
    if not colon or not client_id:
        raise invalid_client(Rule.CREDENTIALS_MALFORMED, "no `id:secret`")
    try:
        return PresentedClient(decode_component(client_id), _BASIC, decode_component(secret))
    except OAuthError as problem:
        raise invalid_client(Rule.CREDENTIALS_MALFORMED, problem.hint) from problem


def bearer_token(request: web.BaseRequest, form: Form | None = None) -> str:
    """The token of the Authorization header, else of ``form`` where there is one; never of the URL, which ends in logs.

    Raises:
        BearerRefused: None, several, or no token in the header.
    """
    headers = request.headers.getall(hdrs.AUTHORIZATION, ())
    if form is not None and (posted := form.get("access_token")):
        if headers:
            raise bearer_malformed("a token in the header and one in the form")
        return posted
    if len(headers) != 1:
        # Which of two would count is what two readers disagree about.
        raise bearer_malformed(f"{len(headers)} Authorization headers") if headers else bearer_missing("no header")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise bearer_missing(f"scheme {_shown(scheme)}")
    token = token.strip(" ")
    if not token or not token.isascii():
        raise bearer_malformed("no token after the scheme")
    return token


def _shown(scheme: str) -> str:
    # Where the scheme was left out, this is the secret itself.
    return scheme if len(scheme) <= _LONGEST_SCHEME and scheme.isascii() and scheme.isalpha() else "left out"
