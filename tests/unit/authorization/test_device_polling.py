"""What a device gets that asks for its tokens: when, once, and until when (RFC 8628 §3.5)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.rules import Rule
from tests.unit.authorization.test_device import Phone, approve, begin, phone, poll, shop
from tests.workbench import API, OTHER_API, refused

__all__ = ["phone", "shop"]


async def test_a_device_that_does_not_wait_is_slowed_down(phone: Phone) -> None:
    codes = await begin(phone)
    for seconds, rule in ((0, Rule.DEVICE_PENDING), (4, Rule.DEVICE_SLOW_DOWN), (9, Rule.DEVICE_SLOW_DOWN)):
        with refused(rule):
            await poll(phone, codes, after=timedelta(seconds=seconds))
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes, after=timedelta(seconds=15))
    # Nobody has to wait for what is there.
    await approve(phone, codes)
    assert (await poll(phone, codes)).access


@pytest.mark.parametrize(
    ("act", "code", "rule"),
    [
        pytest.param("deny", ErrorCode.ACCESS_DENIED, Rule.CONSENT_DENIED, id="denied"),
        pytest.param("", ErrorCode.EXPIRED_TOKEN, Rule.DEVICE_CODE_EXPIRED, id="nobody answered in time"),
        pytest.param("allow", ErrorCode.EXPIRED_TOKEN, Rule.DEVICE_CODE_EXPIRED, id="approved, but fetched too late"),
    ],
)
async def test_a_device_learns_that_it_gets_nothing(phone: Phone, act: str, code: ErrorCode, rule: Rule) -> None:
    codes = await begin(phone)
    if act:
        await approve(phone, codes, act)
    after = timedelta(0 if act == "deny" else 600)
    with pytest.raises(OAuthError) as caught:
        await poll(phone, codes, after=after)
    assert (caught.value.code, caught.value.rule) == (code, rule)
    assert phone.bench.record.tables.families == {}
    assert (len(phone.bench.record.tables.consents) == 1) is (act == "allow")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("", Rule.PARAMETER_MISSING),
        ("adc_short", Rule.DEVICE_CODE_MALFORMED),
        (f"adc_{'A' * 43}", Rule.DEVICE_CODE_UNKNOWN),
    ],
)
async def test_what_is_no_device_code(phone: Phone, code: str, rule: Rule) -> None:
    with refused(rule):
        await poll(phone, {"device_code": code})


async def test_of_fifty_polls_at_once_one_wins_and_what_it_made_is_ended(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    answers = await asyncio.gather(*(poll(phone, codes) for _ in range(50)), return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    lost = {answer.rule for answer in answers if isinstance(answer, OAuthError)}
    assert len(won) == 1
    assert lost == {Rule.DEVICE_CODE_REPLAYED}
    assert phone.bench.ended(won[0].refresh)
    assert not await phone.bench.active(won[0].access, "app")
    assert phone.bench.kinds().count("code.replayed") == 1


async def test_a_second_use_ends_what_the_first_made_however_late(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    tokens = await poll(phone, codes)
    with refused(Rule.DEVICE_CODE_REPLAYED):
        await poll(phone, codes, after=timedelta(hours=5))
    assert phone.bench.ended(tokens.refresh)


async def test_another_client_can_neither_fetch_nor_disturb(phone: Phone) -> None:
    codes = await begin(phone)
    for _ in range(3):
        with refused(Rule.DEVICE_CODE_FOREIGN):
            await poll(phone, codes, client="radio")
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)
    await approve(phone, codes)
    with refused(Rule.DEVICE_CODE_FOREIGN):
        await poll(phone, codes, client="radio")
    tokens = await poll(phone, codes)
    with refused(Rule.DEVICE_CODE_FOREIGN):
        await poll(phone, codes, client="radio")
    assert not phone.bench.ended(tokens.refresh)


async def test_whose_session_ended_before_the_device_asked_gives_it_nothing(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    phone.bench.clock.advance(1)
    await phone.bench.core.accounts.logout("alice", actor="tests")
    await phone.bench.follow()
    with refused(Rule.DEVICE_CODE_CUT):
        await poll(phone, codes, after=timedelta(seconds=5))


@pytest.mark.parametrize(
    ("later", "rule"),
    [
        pytest.param(5, Rule.REFRESH_FAMILY_ENDED, id="its client still as the cache has it"),
        pytest.param(400, Rule.DEVICE_CODE_CUT, id="its client read anew"),
    ],
)
async def test_whose_client_was_cut_off_before_the_device_asked_gets_nothing_that_lasts(
    phone: Phone, later: int, rule: Rule
) -> None:
    """As another instance cuts it off: the replica of this one has not heard of it yet."""
    bench, codes = phone.bench, await begin(phone, "box", scope="read")
    await approve(phone, codes)
    lapses = bench.clock.now() + timedelta(hours=25)
    cut = Cut(CutKind.CLIENT, "box", "stolen", until_now=True, expires_at=lapses)
    await bench.another_core().revocations.cut([cut], "tests")
    with refused(rule):
        tokens = await poll(phone, codes, client="box", after=timedelta(seconds=later))
        bench.clock.advance(2 * 86_400)
        await bench.follow()
        await bench.refresh(tokens.refresh, client="box")


async def test_what_was_taken_from_the_client_before_the_device_asked_is_not_given(phone: Phone) -> None:
    codes = await begin(phone, "box", scope="email read")
    await approve(phone, codes)

    def less(old: ClientMetadata) -> ClientMetadata:
        return replace(old, scopes=frozenset({"read"}))

    await phone.bench.core.clients.update("box", less, "tests")
    await phone.bench.follow()
    assert (await poll(phone, codes, client="box")).members["scope"] == "read"


async def test_whoever_has_been_disabled_gives_it_nothing(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    await phone.bench.core.accounts.disable("alice", actor="tests")
    phone.bench.clock.advance(100)
    with pytest.raises(OAuthError) as caught:
        await poll(phone, codes)
    assert caught.value.code is ErrorCode.INVALID_GRANT


@pytest.mark.parametrize(
    ("client", "scope", "refreshable"),
    [("rp", "openid", False), ("rp", "openid offline_access", True), ("box", "read", True)],
)
async def test_a_refresh_token_goes_with_it_as_the_profile_says(
    phone: Phone, client: str, scope: str, refreshable: bool
) -> None:
    codes = await begin(phone, client, scope=scope)
    await approve(phone, codes)
    tokens = await poll(phone, codes, client=client)
    assert ("refresh_token" in tokens.members) is refreshable
    assert ("id_token" in tokens.members) is ("openid" in scope)


async def test_a_pairwise_client_meets_its_own_name(phone: Phone) -> None:
    codes = await begin(phone, "pair")
    await approve(phone, codes)
    assert (await poll(phone, codes, client="pair")).claims["sub"].startswith("pws_")


async def test_one_resource_of_those_approved_can_be_picked(phone: Phone) -> None:
    codes = await begin(phone, scope="read", resource=OTHER_API)
    await approve(phone, codes)
    with refused(Rule.RESOURCE_EXCEEDS_GRANT):
        await poll(phone, codes, resource=API)
    assert (await poll(phone, codes, resource=OTHER_API)).claims["aud"] == OTHER_API
