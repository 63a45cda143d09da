"""Back-channel logout: however a session ends, each of its clients that wants to be is told, in its own terms."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from authcenter.authorization.subjects import ClientSubjects
from authcenter.core.digest import Digest
from authcenter.core.ids import Subject
from authcenter.http.pages.browser import new_session_cookie
from authcenter.stores.ports.remote import FetchFailed, FormPosting
from authcenter.tokens.logout_tokens import EVENT, LogoutTokens
from authcenter.workers.back_channel import BackChannelLogout
from authcenter.workers.errands import Assignment, ErrandFailed, Pointless
from authcenter.workers.outbox import OutboxWorker
from tests.unit.authorization.test_authorize import shop
from tests.unit.authorization.test_logout import Leaver, leaver
from tests.workbench import ISSUER, ORIGIN, Workbench, decoded

__all__ = ["leaver", "shop"]


class Clients(FormPosting):
    """The clients' end: keeps what it is sent, and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str]]] = []
        self.status = 200
        self.gone = False

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        if self.gone:
            raise FetchFailed("no answer in time")
        self.got.append((url, form))
        return self.status

    def tokens(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Header and claims of what each URL got."""
        found = {}
        for url, form in self.got:
            assert list(form) == ["logout_token"]
            header, claims, _ = form["logout_token"].split(".")
            found[url] = (json.loads(decoded(header)), json.loads(decoded(claims)))
        assert len(found) == len(self.got)
        return found


def errand(bench: Workbench, clients: Clients) -> BackChannelLogout:
    tokens = LogoutTokens(ISSUER, bench.core.keys, bench.clock)
    return BackChannelLogout(bench.stores.clients, ClientSubjects(bench.stores.pairwise), tokens, clients)


async def delivered(bench: Workbench) -> Clients:
    """What the background runner sends."""
    clients = Clients()
    worker = OutboxWorker(
        outbox=bench.stores.outbox,
        assignments={"backchannel_logout": Assignment(errand(bench, clients))},
        metrics=bench.metrics,
        log=bench.log,
        holder="tests",
        ready=lambda: True,
    )
    await worker.step()
    await worker.settle()
    return clients


async def test_each_client_gets_a_token_of_its_own(leaver: Leaver) -> None:
    hints = {name: (await leaver.tokens(name)).members["id_token"] for name in ("rp1", "rp2", "pair1", "quiet")}
    told = {name: json.loads(decoded(hint.split(".")[1])) for name, hint in hints.items()}
    await leaver.leave(id_token_hint=hints["rp1"])
    got = (await delivered(leaver.bench)).tokens()
    assert set(got) == {f"https://{name}.example/back" for name in ("rp1", "rp2", "pair1")}
    assert told["pair1"]["sub"] != told["rp1"]["sub"]
    now = int(leaver.bench.clock.seconds())
    for name, algorithm in (("rp1", "RS256"), ("rp2", "ES256"), ("pair1", "ES256")):
        header, claims = got[f"https://{name}.example/back"]
        assert (header["typ"], header["alg"]) == ("logout+jwt", algorithm)
        assert header["kid"] in leaver.bench.core.keys.ring.verifying
        assert claims.pop("jti")
        assert claims == {
            "iss": ISSUER,
            "aud": name,
            "iat": now,
            "exp": now + 120,
            "events": {EVENT: {}},
            "sub": told[name]["sub"],
            "sid": told[name]["sid"],
        }
    assert leaver.bench.counted("job_total", job="backchannel_logout", outcome="done") == 3
    assert await leaver.bench.stores.outbox.depth() == 0


@pytest.mark.parametrize("how", ["disable", "logout", "another person", "twice"])
async def test_however_the_session_ends(leaver: Leaver, how: str) -> None:
    bench = leaver.bench
    await leaver.tokens("rp1")
    session = (await bench.stores.sessions.list_of(bench.alice.subject))[0]
    bench.clock.advance(5)
    if how == "another person":
        bob = replace(bench.alice, subject=Subject("usr_bob"))
        _, digest = new_session_cookie()
        await leaver.sessions.sign_in(bob, Digest(digest), ORIGIN, amr=["pwd"], before=session)
    elif how == "twice":
        for _ in range(2):
            await leaver.sessions.end(session, "logged out", "alice", ORIGIN)
    else:
        await getattr(bench.core.accounts, how)("alice", actor="tests")
    ((_, claims),) = (await delivered(bench)).tokens().values()
    assert claims["sid"] == session.session_id
    assert (await delivered(bench)).got == []


async def test_a_session_that_does_not_end_leaves_nothing_to_tell(leaver: Leaver) -> None:
    await leaver.tokens("rp1")
    await leaver.leave()
    assert await leaver.bench.stores.outbox.depth() == 0


async def ended(leaver: Leaver) -> dict[str, Any]:
    """The job that a logout left for ``rp1``."""
    hint = (await leaver.tokens("rp1")).members["id_token"]
    await leaver.leave(id_token_hint=hint)
    (row,) = leaver.bench.record.tables.outbox.values()
    return dict(row.job.payload)


async def test_the_job_holds_no_secret(leaver: Leaver) -> None:
    payload = await ended(leaver)
    assert set(payload) == {"client_id", "sid", "subject"}


@pytest.mark.parametrize("status", [302, 307, 400, 404, 500, 503])
async def test_an_answer_that_is_not_a_success_is_a_failure(leaver: Leaver, status: int) -> None:
    payload, clients = await ended(leaver), Clients()
    clients.status = status
    with pytest.raises(ErrandFailed, match=str(status)):
        await errand(leaver.bench, clients).act(payload)


async def test_a_client_that_does_not_answer_is_a_failure(leaver: Leaver) -> None:
    payload, clients = await ended(leaver), Clients()
    clients.gone = True
    with pytest.raises(ErrandFailed, match="in time"):
        await errand(leaver.bench, clients).act(payload)


@pytest.mark.parametrize("how", ["removed", "disabled"])
async def test_a_client_that_has_gone_is_told_no_more(leaver: Leaver, how: str) -> None:
    payload, bench = await ended(leaver), leaver.bench
    if how == "removed":
        await bench.stores.clients.remove("rp1")
    else:
        await bench.core.clients.disable("rp1", "tests")
    with pytest.raises(Pointless):
        await errand(bench, Clients()).act(payload)
