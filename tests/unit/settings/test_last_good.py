"""The copy of the last good policy: whole and ours, or not used."""

import stat
from pathlib import Path

import pytest

from authcenter.settings.errors import PolicyError
from authcenter.settings.last_good import LastGoodPolicy

DOCUMENT = "tokens:\n  access_ttl: 60\njwks:\n  max_age: 300\n"


@pytest.fixture
def copy(tmp_path: Path) -> LastGoodPolicy:
    return LastGoodPolicy(tmp_path / "var" / "policy.last.yaml")


def test_what_is_kept_is_read_back(copy: LastGoodPolicy) -> None:
    assert copy.read() is None
    for text in (DOCUMENT, '{\n\t"tokens": {"access_ttl": 60}\n}', DOCUMENT):
        copy.keep(text)
        policy = copy.read()
        assert policy is not None
        assert policy.tokens.access_ttl == 60
    assert stat.S_IMODE(copy.file.stat().st_mode) == 0o600
    assert list(copy.file.parent.iterdir()) == [copy.file]


DAMAGE = [
    pytest.param(lambda text: text.removesuffix("jwks:\n  max_age: 300\n"), "checksum", id="cut short, still valid"),
    pytest.param(lambda text: text.replace("60", "86400"), "checksum", id="edited"),
    pytest.param(lambda _: "", "checksum", id="empty"),
    pytest.param(lambda _: DOCUMENT, "checksum", id="not ours"),
    pytest.param(lambda text: text + "\0", "checksum", id="garbage at the end"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGE)
def test_what_is_damaged_is_refused(copy: LastGoodPolicy, damage, said: str) -> None:
    copy.keep(DOCUMENT)
    copy.file.write_text(damage(copy.file.read_text()))
    with pytest.raises(PolicyError, match=said):
        copy.read()


def test_what_does_not_validate_any_more_is_refused_with_its_field(copy: LastGoodPolicy) -> None:
    copy.keep("tokens: {no_longer_there: 1}")
    with pytest.raises(PolicyError, match=r"policy\.last\.yaml: tokens\.no_longer_there: unknown field"):
        copy.read()


def test_what_is_no_text_is_refused(copy: LastGoodPolicy) -> None:
    copy.keep(DOCUMENT)
    copy.file.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="cannot be read"):
        copy.read()
