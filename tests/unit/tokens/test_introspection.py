"""Introspection: active, inactive, or cannot tell; and who may know."""

import pytest

from authcenter.core.client import AuthMethod, OnOutage
from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import Reason, RevocationsUnknown, StoreUnavailable
from authcenter.core.rules import Rule
from tests.forgery import forged
from tests.workbench import API, OTHER_API, Workbench


async def test_the_answer_for_an_access_token_is_its_claims(bench: Workbench) -> None:
    answer = await bench.issue()
    assert (await bench.introspect(answer.access)).claims == {
        "active": True,
        **answer.claims,
        "token_type": "Bearer",
    }


async def test_the_answer_for_a_refresh_token(bench: Workbench) -> None:
    answer = await bench.issue(scope="read")
    claims = (await bench.introspect(answer.refresh)).claims
    assert claims == {
        "active": True,
        "iss": answer.claims["iss"],
        "sub": bench.alice.subject,
        "client_id": "app",
        "scope": "read",
        "aud": [API],
        "iat": answer.claims["iat"],
        "exp": answer.claims["iat"] + 2_592_000,
        "fam": answer.claims["fam"],
    }


CALLERS = [
    pytest.param("app", True, id="the client it was issued to"),
    pytest.param("api", True, id="one that serves the audience"),
    pytest.param("elsewhere", False, id="one that serves another"),
    pytest.param("other", False, id="one that may ask for the audience"),
    pytest.param("spa", False, id="a public client that serves the audience"),
]


@pytest.mark.parametrize(("caller", "entitled"), CALLERS)
async def test_who_may_know_of_an_access_token(bench: Workbench, caller: str, entitled: bool) -> None:
    await bench.client("api", serves=frozenset({API}))
    await bench.client("elsewhere", serves=frozenset({OTHER_API}))
    await bench.client("spa", serves=frozenset({API}), auth_methods=frozenset({AuthMethod.NONE}))
    token = (await bench.issue()).access
    answer = await bench.introspect(token, caller)
    assert (answer.claims is not None) == entitled
    assert answer.rule is (None if entitled else Rule.CALLER_NOT_ENTITLED)


async def test_a_public_client_may_not_even_know_of_its_own(bench: Workbench) -> None:
    await bench.client("spa", grants=frozenset({"password", "refresh_token"}), auth_methods={AuthMethod.NONE})
    answer = await bench.issue(client="spa")
    for token in (answer.access, answer.refresh):
        assert (await bench.introspect(token, "spa")).rule is Rule.CALLER_NOT_ENTITLED


@pytest.mark.parametrize("caller", ["other", "api"])
async def test_a_refresh_token_is_its_own_clients_only(bench: Workbench, caller: str) -> None:
    await bench.client("api", serves=frozenset({API}))
    answer = await bench.introspect((await bench.issue()).refresh, caller)
    assert (answer.claims, answer.rule) == (None, Rule.REFRESH_FOREIGN)


async def test_inactive_refresh_tokens(bench: Workbench) -> None:
    spent = await bench.issue()
    await bench.refresh(spent.refresh)
    ended = await bench.issue()
    await bench.revoke(ended.refresh)
    lapsed = await bench.issue()
    for token, rule in (
        ("acr_" + "a" * 22 + "." + "b" * 43, Rule.REFRESH_UNKNOWN),
        (spent.refresh, Rule.REFRESH_REPLAYED),
        (ended.refresh, Rule.REFRESH_FAMILY_ENDED),
    ):
        assert (await bench.introspect(token)).rule is rule
    bench.clock.advance(2_592_000)
    assert (await bench.introspect(lapsed.refresh)).rule is Rule.REFRESH_EXPIRED


async def test_looking_at_a_spent_refresh_token_ends_nothing(bench: Workbench) -> None:
    first = await bench.issue()
    second = await bench.refresh(first.refresh)
    assert not await bench.active(first.refresh)
    assert await bench.active(second.refresh)


async def test_an_inactive_access_token_tells_the_operator_why(bench: Workbench) -> None:
    answer = await bench.introspect(forged(bench.signer, {"iss": "https://evil.example"}))
    assert (answer.claims, answer.rule, answer.reason) == (None, Rule.TOKEN_ISSUER, Reason.ISSUER)


async def test_anything_else_is_inactive(bench: Workbench) -> None:
    for text in ("", "x", "a.b.c", "acr_", "acr_x.y", "\u00e9" * 100, "acr_" + "\u00e9" * 22 + "." + "b" * 43):
        assert not await bench.active(text)


async def test_a_record_that_does_not_answer_is_cannot_tell_for_refresh_tokens(bench: Workbench) -> None:
    answer = await bench.issue()
    caller = await bench.core.clients.get("app")
    bench.board.down = True
    introspector = bench._endpoint("introspect").introspector
    assert (await introspector.introspect(answer.access, caller)).claims is not None
    with pytest.raises(StoreUnavailable):
        await introspector.introspect(answer.refresh, caller)


async def test_a_process_that_never_loaded_revocations_cannot_tell(bench: Workbench) -> None:
    token = (await bench.issue()).access
    bench.core.revocations.loaded = False
    with pytest.raises(RevocationsUnknown):
        await bench.introspect(token)


OUTAGES = [
    pytest.param("open", None, None, True, id="all open"),
    pytest.param("closed", None, None, False, id="the policy closed"),
    pytest.param("closed", OnOutage.OPEN, OnOutage.OPEN, False, id="a client cannot be laxer than the policy"),
    pytest.param("open", OnOutage.CLOSED, None, False, id="the token's client closed"),
    pytest.param("open", None, OnOutage.CLOSED, False, id="the caller closed"),
]


@pytest.mark.parametrize(("policy", "client", "caller", "answered"), OUTAGES)
async def test_in_an_outage_the_strictest_counts(
    bench: Workbench, policy: str, client: OnOutage | None, caller: OnOutage | None, answered: bool
) -> None:
    if policy == "closed":
        bench.offer("revocation: {on_outage: closed}")
    await bench.client("issued-to", grants=frozenset({"client_credentials"}), audiences=(API,), on_outage=client)
    await bench.client("asking", serves=frozenset({API}), on_outage=caller)
    token = (await bench.ask("client_credentials", client="issued-to")).access
    assert await bench.active(token, "asking")
    bench.clock.advance(11)
    if answered:
        assert await bench.active(token, "asking")
    else:
        with pytest.raises(RevocationsUnknown):
            await bench.introspect(token, "asking")


async def test_what_is_known_to_be_revoked_is_inactive_in_an_outage_too(bench: Workbench) -> None:
    bench.offer("revocation: {on_outage: closed}")
    answer = await bench.issue()
    bench.core.revocations.replica.add_cut(Cut(CutKind.FAMILY, answer.claims["fam"], "x"))
    bench.clock.advance(11)
    assert not await bench.active(answer.access)
