"""When people are asked again, whom a request means, and what ``prompt=none`` forbids (Core §3.1.2.1)."""

import pytest

from tests.unit.authorization.test_authorize import REDIRECT, VERIFIER, Visitor, shop, visitor

__all__ = ["shop", "visitor"]


async def test_prompt_login_asks_even_who_is_signed_in_and_only_once(visitor: Visitor) -> None:
    await visitor.sign_in(ago=10)
    await visitor.consent()
    assert (await visitor.authorize(prompt="login")).page == "/login"
    assert (await visitor.back()).page == "/login"
    await visitor.sign_in()
    assert "code" in (await visitor.back()).told


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}])
async def test_a_sign_in_of_the_same_second_is_not_taken_for_a_new_one(visitor: Visitor, asked: dict[str, str]) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert (await visitor.authorize(**asked)).page == "/login"
    assert (await visitor.back()).page == "/login"
    visitor.bench.clock.advance(1)
    await visitor.sign_in()
    assert "code" in (await visitor.back()).told


@pytest.mark.parametrize(("max_age", "asked"), [("30", False), ("9", True), ("0", True)])
async def test_a_sign_in_too_long_ago_is_asked_for_again(visitor: Visitor, max_age: str, asked: bool) -> None:
    await visitor.sign_in(ago=10)
    await visitor.consent()
    outcome = await visitor.authorize(max_age=max_age)
    assert (outcome.page == "/login") is asked
    if asked:
        await visitor.sign_in()
        visitor.bench.clock.advance(3)
        assert "code" in (await visitor.back()).told


async def test_an_account_is_chosen_once(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert (await visitor.authorize(prompt="select_account")).page == "/login"
    assert "code" in (await visitor.back(account_chosen=True)).told


@pytest.mark.parametrize(
    ("prepare", "change", "error"),
    [
        pytest.param((), {}, "login_required", id="nobody"),
        pytest.param(("sign_in",), {}, "consent_required", id="no consent yet"),
        pytest.param(("sign_in", "consent"), {"max_age": "0"}, "login_required", id="too long ago"),
    ],
)
async def test_prompt_none_shows_no_page(
    visitor: Visitor, prepare: tuple[str, ...], change: dict[str, str], error: str
) -> None:
    for act in prepare:
        await getattr(visitor, act)()
    visitor.bench.clock.advance(5)
    assert (await visitor.authorize(prompt="none", **change)).told["error"] == error


async def test_prompt_none_is_answered_with_a_code_where_nothing_is_missing(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    assert "code" in (await visitor.authorize(prompt="none")).told


async def test_a_hint_means_one_person(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent()
    code = (await visitor.authorize()).told["code"]
    tokens = await visitor.bench.ask(
        "authorization_code", client="shop", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    hint = tokens.members["id_token"]
    visitor.bench.clock.advance(1_000)
    assert "code" in (await visitor.authorize(id_token_hint=hint, prompt="none")).told
    assert (await visitor.authorize(id_token_hint=hint, client_id="ours")).told["error"] == "invalid_request"
    other = '{"id_token": {"sub": {"value": "usr_bob"}}}'
    assert (await visitor.authorize(claims=other, prompt="none")).told["error"] == "login_required"
    assert (await visitor.authorize(claims=other)).page == "/login"
    await visitor.sign_in()
    assert (await visitor.back()).told["error"] == "login_required"


async def test_a_pairwise_client_meets_its_own_name(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent("pair")
    names = set()
    for _ in range(2):
        code = (await visitor.authorize(client_id="pair")).told["code"]
        tokens = await visitor.bench.ask(
            "authorization_code", client="pair", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
        )
        names.add(tokens.claims["sub"])
    assert len(names) == 1
    assert visitor.bench.alice.subject not in names
