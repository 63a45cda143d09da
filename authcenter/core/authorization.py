"""Authorization requests and the codes that answer them (RFC 6749 §4.1, OpenID Connect Core §3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from authcenter.core.value import Value


class ResponseMode(StrEnum):
    """How the answer reaches the client (OAuth 2.0 Multiple Response Types §2.1, Form Post, JARM §2.3)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"
    JWT = "jwt"
    QUERY_JWT = "query.jwt"
    FORM_POST_JWT = "form_post.jwt"


class AuthorizationRequest(Value, frozen=True):
    """An authorization request whose every parameter has been checked. Travels sealed through the browser.

    Attributes:
        redirect_uri: Where the answer goes.
        redirect_uri_sent: Whether the request named it; then the token request must, too (RFC 6749 §4.1.3).
        scope: What was asked for and the client may have; None: nothing was asked for.
        resources: The resources asked for (RFC 8707); none: the client's first audience.
        code_challenge: Of the method S256, the only one; None: none was sent.
        hinted_subject: The ``sub`` of the verified ``id_token_hint``, as this client knows it.
        claims: The ``claims`` parameter (OpenID Connect Core §5.5): ``userinfo`` and ``id_token`` members.
        pushed: The digest of the ``request_uri`` it came by (RFC 9126): spent when it is answered with a code.
        asked_at: Unix seconds.
    """

    client_id: str
    redirect_uri: str
    redirect_uri_sent: bool
    response_type: str
    response_mode: ResponseMode
    asked_at: float
    scope: Scope | None = None
    resources: tuple[str, ...] = ()
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    hinted_subject: str | None = None
    login_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    claims: Mapping[str, Any] = msgspec.field(default_factory=dict)
    display: str | None = None
    ui_locales: tuple[str, ...] = ()
    pushed: bytes | None = None
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A pushed authorization request as it is stored (RFC 9126), known by the digest of its ``request_uri``.

    Attributes:
        parameters: The form it came as; ``resources``: its values of ``resource``.
        spent_at: When it was answered with a code.
    """

    digest: Digest
    client_id: ClientId
    parameters: Mapping[str, str]
    resources: tuple[str, ...]
    expires_at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code as it is stored: known by its digest only, bound to all that its redemption must prove.

    Attributes:
        redirect_uri: What the token request must repeat; None where the authorization request named none.
        code_challenge: S256; None: the token request must not carry a verifier.
        sign_in: Claims of the sign-in: ``auth_time``, ``acr``, ``amr``, ``sid``.
        claims: The ``claims`` parameter of the request.
        known_as: The ``sub`` of its tokens, where that is a pairwise one.
        refreshable: Whether a refresh token goes with the access token.
        family_id: Drawn with the code, so that a second use can end whatever the first one made.
        spent_at: When it was redeemed.
    """

    digest: Digest
    client_id: ClientId
    redirect_uri: str | None
    code_challenge: str | None
    nonce: str | None
    scope: Scope
    audience: tuple[str, ...]
    subject: Subject
    sign_in: Mapping[str, Any]
    claims: Mapping[str, Any]
    refreshable: bool
    family_id: FamilyId
    issued_at: datetime
    expires_at: datetime
    known_as: str | None = None
    dpop_jkt: str | None = None
    spent_at: datetime | None = None
