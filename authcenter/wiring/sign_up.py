"""Signing up, joined: the pages and their JSON twin over one service."""

from collections.abc import Callable, Sequence

from authcenter.accounts.sessions import Sessions
from authcenter.accounts.sign_up import SignUp
from authcenter.accounts.sign_up_links import SignUpLinks
from authcenter.authorization.ticket import Tickets
from authcenter.federation.offered import Offered
from authcenter.http.api.sign_up import SignUpApi
from authcenter.http.pages import sign_up_completion
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.one_time_link import OneTimeLink, link_to
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.sign_up import KeptTicket, SignUpPage
from authcenter.http.pages.sign_up_completion import SignUpCompletionPage
from authcenter.wiring.core import Core
from authcenter.wiring.limits import Limits


def sign_up_links(core: Core) -> SignUpLinks:
    """Who sends the links that were asked for: in the background."""
    return SignUpLinks(
        store=core.stores.sign_ups,
        users=core.stores.users,
        letters=core.letters,
        policy=lambda: core.policy.current.accounts,
        clock=core.clock,
        link=lambda token: link_to(sign_up_completion.PATH, token),
    )


def sign_up_endpoints(
    core: Core,
    limits: Limits,
    pages: Pages,
    tickets: Tickets,
    sessions: Sessions,
    arrival: Arrival,
    offered: Callable[[], Sequence[Offered]],
) -> tuple[SignUpPage, SignUpCompletionPage, SignUpApi]:
    """Its three endpoints; each answers 404 while the policy does not let strangers sign up.

    Args:
        offered: The identity providers that people may sign up by instead.
    """
    sign_up = SignUp(
        store=core.stores.sign_ups,
        users=core.stores.users,
        outbox=core.stores.outbox,
        letters=core.letters,
        rules=core.password_rules,
        hashing=core.hashing,
        policy=lambda: core.policy.current.accounts,
        mails=limits.mails,
        limit=limits.sign_ups,
        clock=core.clock,
    )
    link = OneTimeLink(sign_up_completion.PATH, sign_up_completion.COOKIE, pages.cookies)
    kept = KeptTicket(tickets, pages.cookies)
    return (
        SignUpPage(pages, tickets, kept, sign_up, offered),
        SignUpCompletionPage(pages, kept, link, sign_up, sessions, arrival),
        SignUpApi(sign_up, lambda header: pages.catalogue.choose((), header).language),
    )
