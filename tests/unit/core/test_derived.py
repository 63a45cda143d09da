"""Secrets derived from the roots, and what is sealed under them."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.derived import MacKeys, SealingKeys, hkdf, seal, unseal

OLD, NEW = b"o" * 32, b"n" * 32


def test_every_label_has_a_key_of_its_own() -> None:
    assert len({hkdf(OLD, label) for label in ("a", "b", "")} | {hkdf(NEW, "a")}) == 4


def test_the_first_root_makes_and_all_verify() -> None:
    before = MacKeys.derive([OLD], "label").make(b"data")
    rotated = MacKeys.derive([NEW, OLD], "label")
    assert rotated.verify(b"data", before)
    assert rotated.make(b"data").partition(".")[0] != before.partition(".")[0]
    assert rotated.make(b"data") == MacKeys.derive([NEW], "label").make(b"data")


def test_what_a_root_made_that_is_gone_does_not_verify() -> None:
    made = MacKeys.derive([OLD], "label").make(b"data")
    assert not MacKeys.derive([NEW], "label").verify(b"data", made)


def test_a_mac_is_hmac_sha256_under_the_derived_secret() -> None:
    made = MacKeys.derive([OLD], "label").make(b"data")
    assert made.partition(".")[2] == hmac.new(hkdf(OLD, "label"), b"data", "sha256").hexdigest()


def test_another_label_does_not_verify() -> None:
    assert not MacKeys.derive([OLD], "other").verify(b"data", MacKeys.derive([OLD], "label").make(b"data"))


@pytest.mark.parametrize("stored", ["", ".", "x", "00000000.", "00000000." + "0" * 64])
def test_what_was_never_made_does_not_verify(stored: str) -> None:
    assert not MacKeys.derive([OLD], "label").verify(b"data", stored)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_mac_is_of_its_data_only(data: bytes, other: bytes) -> None:
    keys = MacKeys.derive([OLD], "label")
    assert keys.verify(other, keys.make(data)) == (data == other)


def test_without_a_root_there_is_nothing_to_derive() -> None:
    with pytest.raises(ValueError, match="no root secret"):
        MacKeys.derive([], "label")


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_is_sealed_opens(plaintext: bytes, bound_to: bytes) -> None:
    assert unseal(OLD, seal(OLD, plaintext, bound_to), bound_to) == plaintext


def test_what_does_not_fit_does_not_open() -> None:
    sealed = seal(OLD, b"secret", b"bound to")
    assert unseal(NEW, sealed, b"bound to") is None
    assert unseal(OLD, sealed, b"bound elsewhere") is None
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        assert unseal(OLD, bytes(altered), b"bound to") is None
    for length in range(len(sealed)):
        assert unseal(OLD, sealed[:length], b"bound to") is None


def test_no_two_seals_are_alike() -> None:
    assert seal(OLD, b"secret", b"") != seal(OLD, b"secret", b"")


def test_what_is_sealed_opens_with_any_living_root_and_only_where_it_belongs() -> None:
    old, new = bytes(range(32)), bytes(range(1, 33))
    sealed = SealingKeys.derive([old], "x").seal(b"text", b"here")
    assert SealingKeys.derive([new, old], "x").open(sealed, b"here") == b"text"
    assert SealingKeys.derive([new], "x").open(sealed, b"here") is None
    assert SealingKeys.derive([old], "y").open(sealed, b"here") is None
    assert SealingKeys.derive([old], "x").open(sealed, b"there") is None
    assert SealingKeys.derive([old], "x").open(sealed[:10], b"here") is None
    with pytest.raises(ValueError, match="no root secret"):
        SealingKeys.derive([], "x")
