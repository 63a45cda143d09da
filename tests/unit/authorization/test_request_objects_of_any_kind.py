"""Whatever claims or text a request object is made of, it becomes a form that every store takes, or is refused."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from authcenter.authorization import parameters
from authcenter.core.errors import OAuthError
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from tests.unit.authorization.signing import request_object, sign
from tests.unit.authorization.test_request_objects import read

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
names = st.sampled_from(sorted({*parameters.NAMES, "resource", "exp", "nbf", "iat", "aud", "sub", "request"}))


@given(st.dictionaries(names, values, max_size=4))
def test_any_claims_make_a_form_that_every_store_takes_or_are_refused(claims: dict[str, Any]) -> None:
    form = form_or_refusal(request_object(claims))
    if isinstance(form, OAuthError):
        assert form.code == "invalid_request_object"
        return
    for text in (*form.values.values(), *form.resources):
        assert "\0" not in text
        text.encode()
    asked = claims_or_refusal(form)
    if isinstance(asked, OAuthError):
        return
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(asked)) == asked
    assert "\\u0000" not in json.dumps(asked)


@given(st.text(max_size=80) | st.tuples(st.binary(max_size=40), st.binary(max_size=40)).map(lambda two: sign(*two)))
def test_any_text_is_a_request_object_or_refused(written: str) -> None:
    form = form_or_refusal(written)
    assert isinstance(form, Form) or form.code == "invalid_request_object"


def form_or_refusal(written: str) -> Form | OAuthError:
    try:
        return asyncio.run(read(written))
    except OAuthError as refusal:
        return refusal


@given(values)
def test_any_claims_parameter_is_stored_or_refused(asked: Any) -> None:
    read_back = claims_or_refusal(Form({"claims": json.dumps({"userinfo": asked})}))
    if isinstance(read_back, OAuthError):
        assert read_back.rule is Rule.CLAIMS_MALFORMED
        return
    msgspec.msgpack.encode(read_back)
    json.dumps(read_back, allow_nan=False).encode()


def claims_or_refusal(form: Form) -> Mapping[str, Any] | OAuthError:
    try:
        return parameters.claims(form)
    except OAuthError as refusal:
        return refusal
