"""What becomes of a checked authorization request: a page first, a refusal, or a code (OpenID Connect Core §3.1.2)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from msgspec import structs

from authcenter.accounts.sessions import SignedIn
from authcenter.authorization.acr import told_acr, wants_second
from authcenter.authorization.consents import Consents
from authcenter.authorization.subjects import ClientSubjects
from authcenter.authorization.ticket import Ticket
from authcenter.core.authorization import AuthorizationCode, AuthorizationRequest
from authcenter.core.checks import failed
from authcenter.core.client import Client, Profile
from authcenter.core.clock import Clock
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import new_family_id
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID, Scope
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.stores.ports.codes import AuthorizationCodeStore
from authcenter.tokens.codes import draw_code

_LONGEST_FAPI2_CODE = timedelta(seconds=60)


class Page(StrEnum):
    """What has to be asked first."""

    LOGIN = "login"
    ACCOUNT = "account"
    SECOND_FACTOR = "second factor"
    CONSENT = "consent"


class Ask(Value, frozen=True):
    """Show a page; ``ticket`` says what it is to lead to."""

    page: Page
    ticket: Ticket


class Grant(Value, frozen=True):
    """Answer with this code."""

    code: str


@dataclass(frozen=True, slots=True)
class AuthorizationDecision:
    """Decides, and issues the code.

    Attributes:
        has_second: Whether a person has a second factor.
        record: Has an audit row written (``GroupedAudit.record``).
    """

    consents: Consents
    codes: AuthorizationCodeStore
    subjects: ClientSubjects
    issuer: str
    code_lifetime: Callable[[], int]
    has_second: Callable[[User], Awaitable[bool]]
    clock: Clock
    record: Callable[[Callable[[], Event], datetime], None]

    async def decide(
        self,
        ticket: Ticket,
        request: AuthorizationRequest,
        client: Client,
        signed_in: SignedIn | None,
        origin: RequestOrigin | None = None,
    ) -> Ask | Grant:
        """What to do next.

        Raises:
            OAuthError: Tell the client.
            StoreUnavailable: Cannot tell.
        """
        if ticket.consent == "denied":
            failed("consent", answered="denied", subject=ticket.answered_by)
            code, description = ErrorCode.ACCESS_DENIED, "The person said no."
            raise OAuthError(code, description, rule=Rule.CONSENT_DENIED, hint=f"to {client.client_id}")
        if ticket.proved is not None:
            # It has become a session, or counts no more.
            ticket = structs.replace(ticket, proved=None)
        if ticket.login_after is None and "login" in request.prompt:
            ticket = _again(ticket, self._after(signed_in))
        page, ticket = await self._missing(ticket, request, client, signed_in)
        if page is not None:
            if "none" in request.prompt:
                failed("session", signed_in=signed_in is not None, missing=str(page), prompt="none")
                raise _not_silently(page)
            return Ask(page, ticket)
        if signed_in is None:
            raise _not_silently(Page.LOGIN)
        return Grant(await self._issue(request, client, signed_in, origin))

    async def _missing(
        self, ticket: Ticket, request: AuthorizationRequest, client: Client, signed_in: SignedIn | None
    ) -> tuple[Page | None, Ticket]:
        if signed_in is None:
            # Who signs in now has done what `max_age` asks for, however short it is.
            fresh = ticket.login_after is None and request.max_age is not None
            return Page.LOGIN, _again(ticket, self._after(None)) if fresh else ticket
        ticket = self._too_long_ago(ticket, request, signed_in)
        if ticket.login_after is not None and signed_in.session.auth_time.timestamp() < ticket.login_after:
            return Page.LOGIN, ticket
        if not await self._is_meant(request, client, signed_in):
            if ticket.login_after is not None:
                failed("person", expected=request.hinted_subject, came=signed_in.user.subject)
                code, description = ErrorCode.LOGIN_REQUIRED, "Another person than the one that was meant signed in."
                raise OAuthError(code, description, rule=Rule.LOGIN_OTHER_PERSON, hint=signed_in.user.subject)
            return Page.LOGIN, _again(ticket, self._after(signed_in))
        if "select_account" in request.prompt and not ticket.account_chosen and ticket.login_after is None:
            return Page.ACCOUNT, ticket
        return await self._missing_beside(ticket, request, client, signed_in), ticket

    async def _missing_beside(
        self, ticket: Ticket, request: AuthorizationRequest, client: Client, signed_in: SignedIn
    ) -> Page | None:
        """What has to be asked of the right person, who has signed in lately enough."""
        if await wants_second(request, signed_in.session, lambda: self.has_second(signed_in.user)):
            return Page.SECOND_FACTOR
        return Page.CONSENT if await self._needs_consent(ticket, request, client, signed_in) else None

    def _too_long_ago(self, ticket: Ticket, request: AuthorizationRequest, signed_in: SignedIn) -> Ticket:
        """``max_age``, looked at once: who has just signed in again is not asked a third time."""
        if ticket.login_after is None and request.max_age is not None:
            age = self.clock.now() - signed_in.session.auth_time
            if age > timedelta(seconds=request.max_age) or request.max_age == 0:
                return _again(ticket, self._after(signed_in))
        return ticket

    async def _is_meant(self, request: AuthorizationRequest, client: Client, signed_in: SignedIn) -> bool:
        """Whether it is the person that ``id_token_hint`` or a ``sub`` in ``claims`` names."""
        meant = {sub for sub in (request.hinted_subject, *_claimed_subjects(request)) if sub is not None}
        if not meant:
            return True
        known_as = await self.subjects.known_as(signed_in.user.subject, client)
        return meant == {known_as or signed_in.user.subject}

    async def _needs_consent(
        self, ticket: Ticket, request: AuthorizationRequest, client: Client, signed_in: SignedIn
    ) -> bool:
        if "consent" in request.prompt:
            if ticket.consent is None or ticket.answered_by != signed_in.user.subject:
                return True
        elif client.first_party:
            return False
        # Also where it has just been granted: somebody else may have signed in in between.
        return not await self.consents.covers(signed_in.user.subject, request, client)

    async def _issue(
        self, request: AuthorizationRequest, client: Client, signed_in: SignedIn, origin: RequestOrigin | None
    ) -> str:
        user, acr = signed_in.user, told_acr(request, signed_in.session)
        text, digest = draw_code()
        now, scope = self.clock.now(), request.scope or Scope()
        code = AuthorizationCode(
            digest=digest,
            client_id=client.client_id,
            redirect_uri=request.redirect_uri if request.redirect_uri_sent else None,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            scope=scope,
            audience=granted_audience(request.resources, client, scope, self.issuer),
            subject=user.subject,
            sign_in={**signed_in.session.sign_in, "acr": acr},
            claims=request.claims,
            refreshable=client.refreshable(scope),
            family_id=new_family_id(),
            issued_at=now,
            expires_at=now + self._lifetime(client),
            known_as=await self.subjects.known_as(user.subject, client),
            dpop_jkt=request.dpop_jkt,
        )
        pushed = Digest(request.pushed) if request.pushed is not None else None
        if not await self.codes.add(code, NO_CONSEQUENCES, pushed=pushed):
            failed("pushed_request", spent_at="just now")
            description = "The pushed request has been used."
            raise OAuthError(
                ErrorCode.INVALID_REQUEST_URI, description, rule=Rule.REQUEST_URI_SPENT, hint=client.client_id
            )
        self.record(partial(_issued, code, origin), now)
        return text

    def _lifetime(self, client: Client) -> timedelta:
        lifetime = timedelta(seconds=self.code_lifetime())
        return min(lifetime, _LONGEST_FAPI2_CODE) if client.profile is Profile.FAPI2 else lifetime

    def _after(self, signed_in: SignedIn | None) -> float:
        """When the next sign-in can have been at the earliest, in the whole seconds that ``auth_time`` counts in.

        A sign-in of this very second must not count as that of a person who is asked again now.
        """
        second = float(int(self.clock.seconds()))
        return second if signed_in is None else max(second, signed_in.session.auth_time.timestamp() + 1)


def granted_audience(resources: tuple[str, ...], client: Client, scope: Scope, issuer: str) -> tuple[str, ...]:
    """All resources asked for, else the client's first; for OpenID also this server, for its userinfo."""
    audience = resources or client.audiences[:1] or (issuer,)
    return (*audience, issuer) if OPENID in scope and issuer not in audience else audience


def _again(ticket: Ticket, after: float) -> Ticket:
    return structs.replace(ticket, login_after=after)


def _claimed_subjects(request: AuthorizationRequest) -> list[str]:
    wishes = [member.get("sub") or {} for member in request.claims.values()]
    return [str(wish["value"]) for wish in wishes if "value" in wish]


_SILENT_CODES = {
    Page.LOGIN: ErrorCode.LOGIN_REQUIRED,
    Page.ACCOUNT: ErrorCode.ACCOUNT_SELECTION_REQUIRED,
    Page.SECOND_FACTOR: ErrorCode.LOGIN_REQUIRED,
    Page.CONSENT: ErrorCode.CONSENT_REQUIRED,
}


def _not_silently(page: Page) -> OAuthError:
    description = "The person has to be asked, and prompt=none forbids it."
    return OAuthError(_SILENT_CODES[page], description, rule=Rule.PROMPT_NONE, hint=f"missing: {page}")


def _issued(code: AuthorizationCode, origin: RequestOrigin | None) -> Event:
    context = {
        "fam": code.family_id,
        "sid": code.sign_in.get("sid"),
        "scope": str(code.scope),
        "aud": code.audience,
        "redirect_uri": code.redirect_uri,
    }
    return Event(EventKind.CODE_ISSUED, code.subject, code.client_id, code.subject, origin, context)
