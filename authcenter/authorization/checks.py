"""The matrix of checks: what an authorization request must pass, step by step, at each endpoint that takes one.

The first two steps decide whether there is anybody to answer: what they refuse is told to the person on a page, for a
redirect URI that nobody registered is an attacker's (RFC 9700 §4.11). What later steps refuse is told to the client.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from authcenter.authorization import parameters
from authcenter.authorization.hints import IdTokenHints
from authcenter.authorization.reading import Asked, Way
from authcenter.authorization.redirects import registered
from authcenter.core.authorization import AuthorizationRequest, ResponseMode
from authcenter.core.checks import failed, passed
from authcenter.core.client import Client, Profile
from authcenter.core.clock import Clock
from authcenter.core.errors import ErrorCode, OAuthError, invalid_request, invalid_target
from authcenter.core.form import Form
from authcenter.core.marks import marked_uri
from authcenter.core.resource import STANDARD_SCOPES
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from authcenter.core.value import Value
from authcenter.proofs.pkce import METHOD, is_challenge
from authcenter.stores.ports.clients import ClientLookup, ResourceLookup

GRANT = "authorization_code"


class Answerable(Value, frozen=True):
    """Somebody to answer: a client and its redirect URI, both checked.

    Attributes:
        mode: How; a mode that is not known is answered as a query says so.
    """

    client: Client
    redirect_uri: str
    redirect_uri_sent: bool
    mode: ResponseMode
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationChecks:
    """Reads and checks authorization requests."""

    clients: ClientLookup
    resources: ResourceLookup
    hints: IdTokenHints
    issuer: str
    clock: Clock

    async def client(self, form: Form) -> Client:
        """Step 1, where the browser brings the request: the client. Where the client brings it, it authenticates.

        Raises:
            OAuthError: There is nobody to answer: tell the person.
            StoreUnavailable: Cannot tell.
        """
        client_id = form.get("client_id")
        if client_id is None:
            failed("parameter", missing="client_id")
            raise invalid_request(Rule.PARAMETER_MISSING, "The parameter client_id is missing.")
        client = await self.clients.find(client_id)
        if client is None or client.disabled_at is not None:
            rule = Rule.CLIENT_UNKNOWN if client is None else Rule.CLIENT_DISABLED
            disabled_at = str(client.disabled_at) if client else None
            failed("client", client_id=client_id, known=client is not None, disabled_at=disabled_at)
            raise invalid_request(rule, "The application is not known here.", f"client {client_id!a:.80}")
        passed("client", client_id=client_id)
        return client

    def answerable(self, form: Form, client: Client) -> Answerable:
        """Step 2: where the client may be answered.

        Raises:
            OAuthError: Nowhere: tell the person, or whoever pushed the request.
        """
        sent = form.get("redirect_uri")
        uri = _redirect_uri(client, sent)
        mode = form.get("response_mode") or ""
        known = mode in {one.value for one in ResponseMode}
        return Answerable(
            client, uri, sent is not None, ResponseMode(mode) if known else ResponseMode.QUERY, form.get("state")
        )

    async def check(self, asked: Asked, to: Answerable) -> AuthorizationRequest:
        """Every other step, in the order of the table.

        Raises:
            OAuthError: Tell the client.
            StoreUnavailable: Cannot tell.
        """
        client, form = to.client, asked.form
        for step, ways in _STEPS.items():
            if asked.way in ways:
                step(asked, client)
        resources = self.requested_resources(form, client)
        scope = await self.requested_scope(form, client, resources)
        return AuthorizationRequest(
            client_id=client.client_id,
            redirect_uri=to.redirect_uri,
            redirect_uri_sent=to.redirect_uri_sent,
            response_type=parameters.response_type(form),
            response_mode=parameters.response_mode(form),
            asked_at=self.clock.seconds(),
            scope=scope,
            resources=resources,
            state=parameters.opaque(form, "state"),
            nonce=parameters.opaque(form, "nonce"),
            code_challenge=form.get("code_challenge"),
            prompt=parameters.prompt(form),
            max_age=parameters.max_age(form, client.relying_party.default_max_age),
            hinted_subject=self.hints.subject(form.get("id_token_hint"), client),
            login_hint=form.get("login_hint"),
            acr_values=parameters.words(form, "acr_values") or client.relying_party.default_acr_values,
            claims=parameters.claims(form),
            display=parameters.display(form),
            ui_locales=parameters.languages(form, "ui_locales"),
            pushed=asked.pushed,
            dpop_jkt=form.get("dpop_jkt"),
        )

    def check_still_allowed(self, request: AuthorizationRequest, client: Client) -> None:
        """Once more what may have been taken from the client while the person was busy with pages, up to an hour.

        Raises:
            OAuthError: Tell the client.
        """
        _require_grant(client)
        (request.scope or Scope()).within(client.scopes.unreserved, Rule.SCOPE_NOT_ALLOWED)
        self._require_allowed(request.resources, client)

    def requested_resources(self, form: Form, client: Client) -> tuple[str, ...]:
        """RFC 8707 §2.1: the grant covers all of them. Raises ``OAuthError``: ``invalid_target``."""
        self._require_allowed(form.resources, client)
        return tuple(dict.fromkeys(form.resources))

    def _require_allowed(self, resources: Iterable[str], client: Client) -> None:
        allowed = client.audiences or (self.issuer,)
        for resource in resources:
            if resource not in allowed:
                failed("audience", came=resource, allowed=" ".join(allowed))
                raise invalid_target(Rule.RESOURCE_NOT_ALLOWED, f"{client.client_id} asked for {resource!a:.200}")

    async def requested_scope(self, form: Form, client: Client, resources: tuple[str, ...]) -> Scope:
        """What is asked for, else all that the client may have, but nothing of this server's own: no person can give
        a client that.

        Raises:
            OAuthError: ``invalid_scope``.
            StoreUnavailable: Cannot tell.
        """
        text = form.get("scope")
        if text is None:
            return client.scopes.unreserved
        asked = Scope.parse(text).within(client.scopes.unreserved, Rule.SCOPE_NOT_ALLOWED)
        audience = resources or client.audiences[:1] or (self.issuer,)
        found = [one for name in audience if (one := await self.resources.find(name)) is not None]
        if len(found) < len(audience) or not all(one.scopes for one in found):
            return asked
        defined = Scope(STANDARD_SCOPES.union(*(one.scopes.keys() for one in found)))
        return asked.within(defined, Rule.SCOPE_NOT_OF_RESOURCE)


def _redirect_uri(client: Client, sent: str | None) -> str:
    if sent is None:
        # RFC 6749 §3.1.2.3; OpenID Connect and more than one registered URI make it mandatory.
        if len(client.redirect_uris) == 1 and client.profile is Profile.OAUTH21:
            return client.redirect_uris[0]
        failed("redirect_uri", came=None, registered=" ".join(client.redirect_uris))
        raise invalid_request(Rule.REDIRECT_URI, "The parameter redirect_uri is missing.")
    if not registered(sent, client.redirect_uris):
        came = marked_uri(sent, client.redirect_uris)
        failed("redirect_uri", came=came, registered=" ".join(client.redirect_uris))
        hint = f"{came!a:.300}; registered: {', '.join(client.redirect_uris)!a:.600}"
        raise invalid_request(Rule.REDIRECT_URI, "The redirect URI is not registered for this application.", hint)
    passed("redirect_uri", redirect_uri=sent)
    return sent


def _grant(_: Asked, client: Client) -> None:
    _require_grant(client)


def _require_grant(client: Client) -> None:
    if GRANT not in client.grants:
        failed("grant_type", came=GRANT, allowed=" ".join(sorted(client.grants)))
        description = "The client may not use this grant type."
        raise OAuthError(
            ErrorCode.UNAUTHORIZED_CLIENT, description, rule=Rule.GRANT_NOT_ALLOWED, hint=f"{client.client_id}: {GRANT}"
        )


def _response(asked: Asked, _: Client) -> None:
    parameters.response_mode(asked.form)
    parameters.response_type(asked.form)


def _size(asked: Asked, _: Client) -> None:
    parameters.size(asked.form)


def _dpop_jkt(asked: Asked, _: Client) -> None:
    jkt = asked.form.get("dpop_jkt")
    if jkt is None:
        return
    # RFC 9449 §10: a SHA-256 thumbprint, which looks as an S256 challenge does.
    if not is_challenge(jkt):
        raise invalid_request(Rule.PARAMETER_MALFORMED, "The parameter dpop_jkt is not a thumbprint.")
    failed("key_binding", came=jkt)
    # Ignored, it would give who relies on the binding a code that anybody can redeem; kept, one that nobody can.
    raise invalid_request(Rule.DPOP_UNSERVED, "Codes are not bound to keys here: leave dpop_jkt out.", f"key {jkt}")


def _pkce(asked: Asked, client: Client) -> None:
    """The profile table of DESIGN.md. ``plain``, which is also what no method means, is never taken."""
    challenge, method = asked.form.get("code_challenge"), asked.form.get("code_challenge_method")
    if challenge is None and method is None:
        if client.profile is Profile.OIDC and not client.public:
            return
        verifier_sent = asked.form.get("code_verifier") is not None
        failed("pkce", challenge_sent=False, verifier_sent=verifier_sent, profile=str(client.profile))
        raise invalid_request(Rule.PKCE_REQUIRED, "The parameter code_challenge is missing.", str(client.profile))
    if method != METHOD:
        failed("pkce", expected=METHOD, came=method)
        hint = f"code_challenge_method is {method!a:.20}"
        raise invalid_request(Rule.PKCE_METHOD, "The code challenge method must be S256.", hint)
    if challenge is None or not is_challenge(challenge):
        failed("pkce", challenge_characters=len(challenge or ""))
        raise invalid_request(Rule.PKCE_CHALLENGE, "The code challenge is not one of S256.")
    passed("pkce", method=METHOD)


def _usable(asked: Asked, _: Client) -> None:
    if asked.stale is not None:
        raise asked.stale


def _pushed_first(_: Asked, client: Client) -> None:
    if client.profile is Profile.FAPI2 or client.relying_party.require_pushed_authorization_requests:
        failed("pushed_request", pushed=False, profile=str(client.profile))
        description = "The request must be pushed (RFC 9126)."
        raise invalid_request(Rule.PUSH_REQUIRED, description, f"profile {client.profile}")


def _signed(asked: Asked, client: Client) -> None:
    """FAPI 2.0 Message Signing §5.3.1: who registered how to sign requests signs all of them."""
    must = client.profile is Profile.FAPI2 and client.relying_party.request_object_signing_alg
    if must and not asked.signed:
        failed("request_object", signed=False, profile=str(client.profile))
        code, description = ErrorCode.INVALID_REQUEST_OBJECT, "The request must be signed (RFC 9101)."
        raise OAuthError(code, description, rule=Rule.REQUEST_UNSIGNED, hint=client.client_id)


_Step = Callable[[Asked, Client], None]
_EVERY_WAY = frozenset(Way)
_STEPS: Mapping[_Step, frozenset[Way]] = {
    _usable: frozenset({Way.PUSHED}),
    _pushed_first: frozenset({Way.AUTHORIZE}),
    # What was pushed was signed then, and is kept without its signature.
    _signed: frozenset({Way.AUTHORIZE, Way.PUSH}),
    _response: _EVERY_WAY,
    _grant: _EVERY_WAY,
    _size: _EVERY_WAY,
    _dpop_jkt: _EVERY_WAY,
    _pkce: _EVERY_WAY,
}
"""The matrix: each step, and the ways in which it runs."""
