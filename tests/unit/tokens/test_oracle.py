"""PyJWT as the oracle: what we sign it verifies, what it signs with our key we verify, and nothing altered holds."""

import asyncio
import json
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.errors import TokenRejected
from authcenter.jose.algorithms import Alg
from tests.forgery import GOOD, forged
from tests.workbench import API, ISSUER, START, Workbench, stored_key

ALGS = [pytest.param(alg, id=alg.value) for alg in Alg]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \u00e9"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
extras = st.dictionaries(
    texts.filter(lambda name: name not in {*GOOD, "sid"}),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def process(cheap_hashing: PasswordHashing) -> Workbench:
    """One whose ring holds a key of every algorithm."""
    bench = Workbench(cheap_hashing)
    for alg in Alg:
        bench.record.tables.keys[stored_key(alg).kid] = stored_key(alg)

    async def start() -> None:
        await bench.start()

    asyncio.run(start())
    return bench


def published(bench: Workbench, alg: Alg) -> Any:
    """The key as a client finds it in the JWK set."""
    keys = jwt.PyJWKSet.from_dict(json.loads(bench.core.keys.ring.jwks))
    return keys[bench.core.keys.ring.signing[alg].kid].key


@pytest.mark.parametrize("alg", ALGS)
async def test_what_we_issue_pyjwt_verifies(process: Workbench, alg: Alg) -> None:
    if process.policy.current.tokens.signing_alg != alg:
        process.offer(f"tokens: {{signing_alg: {alg.value}}}")
    answer = await process.issue()
    claims = jwt.decode(
        answer.access,
        published(process, alg),
        algorithms=[alg.value],
        audience=API,
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    assert claims == answer.claims
    assert jwt.get_unverified_header(answer.access)["typ"] == "at+jwt"


@pytest.mark.parametrize("alg", ALGS)
@settings(max_examples=15)
@given(extra=extras)
def test_what_pyjwt_signs_with_our_key_we_verify(process: Workbench, alg: Alg, extra: dict[str, Any]) -> None:
    key = process.core.keys.ring.signing[alg]
    token = jwt.encode({**GOOD, **extra}, key.private, alg.value, {"typ": "at+jwt", "kid": key.kid})
    process.clock.at = START
    assert dict(process.core.verifier.check(token).claims) == {**GOOD, **extra}


@pytest.mark.parametrize("alg", ALGS)
@settings(max_examples=15)
@given(extra=extras)
def test_what_we_sign_pyjwt_verifies(process: Workbench, alg: Alg, extra: dict[str, Any]) -> None:
    token = forged(process.core.keys.ring.signing[alg], extra)
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    assert jwt.decode(token, published(process, alg), algorithms=[alg.value], options=options) == {**GOOD, **extra}


@pytest.fixture(scope="module")
def signed(process: Workbench) -> dict[Alg, str]:
    """A token by each algorithm, made once: ES256 signs otherwise each time, and an example must be the same twice."""
    return {alg: forged(process.core.keys.ring.signing[alg]) for alg in (Alg.ES256, Alg.EDDSA, Alg.RS256)}


@settings(max_examples=300)
@given(data=st.data())
def test_no_single_character_may_differ(process: Workbench, signed: dict[Alg, str], data: st.DataObject) -> None:
    token = signed[data.draw(st.sampled_from(list(signed)))]
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda character: character != token[at]))
    mutated = data.draw(
        st.sampled_from(
            [token[:at] + other + token[at + 1 :], token[:at] + token[at + 1 :], token[:at] + other + token[at:]]
        )
    )
    process.clock.at = START
    assert process.core.verifier.check(token)
    with pytest.raises(TokenRejected):
        process.core.verifier.check(mutated)


@settings(max_examples=200)
@given(
    text=st.text(max_size=200)
    | st.lists(st.binary(max_size=60), min_size=2, max_size=4).map(lambda parts: b".".join(parts).decode("latin-1"))
)
def test_whatever_comes_is_rejected_and_nothing_else_happens(process: Workbench, text: str) -> None:
    with pytest.raises(TokenRejected):
        process.core.verifier.check(text)
