"""Refusals and outages, as exceptions.

Exception
├── OAuthError          a refusal, in the words of RFC 6749 §5.2
│   ├── BearerRefused   an access token that opens nothing here, or none at all (RFC 6750 §3)
│   └── RateLimited     too often (429 with ``Retry-After``, RFC 6585 §4)
├── TokenRejected       a token that does not hold; only some endpoints make a refusal of it
├── Conflict            a name is taken, or somebody else wrote first
├── NotFound            an operator named something that is not there
├── InvalidInput        an operator's document or argument that does not hold
└── Unavailable         nobody is to blame: try again later (503 with ``Retry-After``)
    ├── StoreUnavailable
    └── Overloaded
"""

from enum import StrEnum

from authcenter.core.rules import Rule


class ErrorCode(StrEnum):
    """Error codes on the wire.

    RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9101 §7, OpenID
    Connect Core §3.1.2.6.
    """

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"
    INVALID_TOKEN = "invalid_token"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    ACCESS_DENIED = "access_denied"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    LOGIN_REQUIRED = "login_required"
    INTERACTION_REQUIRED = "interaction_required"
    CONSENT_REQUIRED = "consent_required"
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"
    MFA_REQUIRED = "mfa_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    INVALID_REDIRECT_URI = "invalid_redirect_uri"
    INVALID_CLIENT_METADATA = "invalid_client_metadata"
    INVALID_SOFTWARE_STATEMENT = "invalid_software_statement"
    UNAPPROVED_SOFTWARE_STATEMENT = "unapproved_software_statement"
    INVALID_REQUEST_OBJECT = "invalid_request_object"
    INVALID_REQUEST_URI = "invalid_request_uri"
    AUTHORIZATION_PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    EXPIRED_TOKEN = "expired_token"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    SERVER_ERROR = "server_error"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"


class OAuthError(Exception):
    """A refusal: ``code`` and ``description`` for the client (RFC 6749 §5.2), ``rule`` and ``hint`` for us."""

    def __init__(self, code: ErrorCode, description: str, *, rule: Rule, hint: str, status: int = 400) -> None:
        super().__init__(f"{code} by {rule}: {hint}")
        self.code, self.description, self.status = code, description, status
        self.rule, self.hint = rule, hint


class RateLimited(OAuthError):
    """Too often: try again later. One wording, whoever was limited and by what.

    RFC 6749 §5.2 has no code for it; ``temporarily_unavailable`` (§4.1.2.1) is what client libraries take for 'later'.

    Attributes:
        limit: Slots at once.
        retry_after: Seconds until one is free.
        reset_after: Seconds until all are.
    """

    def __init__(self, rule: Rule, hint: str, *, limit: int, retry_after: float, reset_after: float) -> None:
        description = "Too many requests. Try again later."
        super().__init__(ErrorCode.TEMPORARILY_UNAVAILABLE, description, rule=rule, hint=hint, status=429)
        self.limit, self.retry_after, self.reset_after = limit, retry_after, reset_after


class SessionsFull(OAuthError):
    """As many are signed in for this person as may be; one has to be ended first. For who has proved who they are."""

    def __init__(self, hint: str) -> None:
        description = "Too many sessions are open. End one of them first."
        super().__init__(ErrorCode.ACCESS_DENIED, description, rule=Rule.SESSIONS_FULL, hint=hint, status=403)


class Reason(StrEnum):
    """Why a token does not hold; the ``reason`` label of the metrics."""

    SIGNATURE = "sig"
    KID = "kid"
    EXPIRED = "exp"
    ISSUED_IN_FUTURE = "iat_skew"
    NOT_YET_VALID = "nbf"
    ISSUER = "iss"
    AUDIENCE = "aud"
    TYPE = "typ"
    ALGORITHM = "alg"
    REVOKED = "revoked"
    BINDING = "binding"
    MALFORMED = "malformed"


class TokenRejected(Exception):
    """A token that must not be accepted, and the one check that says so."""

    def __init__(self, reason: Reason, rule: Rule, hint: str) -> None:
        super().__init__(f"{reason} by {rule}: {hint}")
        self.reason, self.rule, self.hint = reason, rule, hint


class BearerRefused(OAuthError):
    """A bearer token that gives no access, or none was sent (RFC 6750 §3).

    Attributes:
        reason: Why the token does not hold, for the metrics; None where nothing is wrong with the token itself.
        scope: What would give access, as the challenge names it; empty: more scope would not help.
        challenge_names_error: RFC 6750 §3.1: not where the request came without any token.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: str,
        *,
        rule: Rule,
        hint: str,
        status: int = 401,
        reason: Reason | None = None,
        scope: str = "",
        challenge_names_error: bool = True,
    ) -> None:
        super().__init__(code, description, rule=rule, hint=hint, status=status)
        self.reason, self.scope, self.challenge_names_error = reason, scope, challenge_names_error


class Conflict(Exception):
    """A name is taken, or the row has changed since it was read."""


class NotFound(Exception):
    """What was named does not exist."""


class InvalidInput(Exception):
    """An operator's argument or document that does not hold; the text names the field."""


class Unavailable(Exception):
    """Cannot tell now.

    Attributes:
        retry_after: Seconds after which trying again makes sense.
    """

    rule = Rule.STORE_UNAVAILABLE

    def __init__(self, hint: str, *, retry_after: int = 1) -> None:
        super().__init__(hint)
        self.hint, self.retry_after = hint, retry_after


class StoreUnavailable(Unavailable):
    """A store did not answer, or not in time."""


class SharedStateUnavailable(Unavailable):
    """Redis did not answer. Whoever asks has a fallback and catches this."""

    rule = Rule.SHARED_STATE_UNAVAILABLE


class Overloaded(Unavailable):
    """A bounded pool is full."""

    rule = Rule.PASSWORD_POOL_FULL


class RevocationsUnknown(Unavailable):
    """The policy says ``closed``, and this process knows too little about revocations."""

    rule = Rule.REVOCATIONS_STALE


class PolicyUnknown(Unavailable):
    """Nobody has told this process yet what its policy is."""

    rule = Rule.POLICY_UNKNOWN


class AuditFull(Unavailable):
    """What happened now could not be proven: there is no place left for audit rows."""

    rule = Rule.AUDIT_FULL


class CutPending(Unavailable):
    """All that is issued to a subject or client up to this second is refused: what it gets now would be dead."""

    rule = Rule.TOKEN_CUT_PENDING


def invalid_request(rule: Rule, description: str, hint: str = "", *, status: int = 400) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_REQUEST, description, rule=rule, hint=hint or description, status=status)


def invalid_client(rule: Rule, hint: str) -> OAuthError:
    """One wording for every cause, so that a stranger cannot tell which check refused."""
    return OAuthError(ErrorCode.INVALID_CLIENT, "Client authentication failed.", rule=rule, hint=hint, status=401)


def invalid_grant(rule: Rule, hint: str) -> OAuthError:
    """One wording for every cause, so that a stranger cannot tell which check refused."""
    return OAuthError(ErrorCode.INVALID_GRANT, "The grant is not valid.", rule=rule, hint=hint)


def invalid_scope(rule: Rule, hint: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_SCOPE, "The requested scope is not valid.", rule=rule, hint=hint)


def invalid_target(rule: Rule, hint: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_TARGET, "The requested resource is not valid.", rule=rule, hint=hint)


def unauthorized_client(rule: Rule, hint: str) -> OAuthError:
    description = "The client may not use this grant type."
    return OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, description, rule=rule, hint=hint)


def first_party_only(rule: Rule, hint: str) -> OAuthError:
    description = "Only first-party clients may do this."
    return OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, description, rule=rule, hint=hint, status=403)


def bearer_missing(hint: str) -> BearerRefused:
    description = "A bearer token is needed."
    return BearerRefused(
        ErrorCode.INVALID_REQUEST, description, rule=Rule.BEARER_MISSING, hint=hint, challenge_names_error=False
    )


def bearer_malformed(hint: str) -> BearerRefused:
    """401 and not RFC 6750's 400: NGINX knows 401 and 403, and makes a failure of the server of all else."""
    description = "The Authorization header is malformed."
    return BearerRefused(ErrorCode.INVALID_REQUEST, description, rule=Rule.BEARER_MALFORMED, hint=hint)


def invalid_token(reason: Reason, rule: Rule, hint: str) -> BearerRefused:
    """One wording for every cause, so that a stranger cannot tell which check refused."""
    description = "The access token is not valid."
    return BearerRefused(ErrorCode.INVALID_TOKEN, description, rule=rule, hint=hint, reason=reason)


def not_an_operator(hint: str) -> BearerRefused:
    description = "Only operators may do this."
    code, rule = ErrorCode.INSUFFICIENT_SCOPE, Rule.CALLER_NOT_OPERATOR
    return BearerRefused(code, description, rule=rule, hint=hint, status=403)


def insufficient_scope(rule: Rule, scope: str, hint: str) -> BearerRefused:
    """``scope``: what would be enough (RFC 6750 §3.1)."""
    description = "The access token lacks a scope."
    return BearerRefused(ErrorCode.INSUFFICIENT_SCOPE, description, rule=rule, hint=hint, status=403, scope=scope)
