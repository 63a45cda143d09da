"""A test that lacks its server says so: skipped on a person's machine, failed where everything has to be there."""

from pathlib import Path

import pytest

from tests.servers.require import require


def program(path: Path) -> Path:
    path.touch()
    path.chmod(0o755)
    return path


def test_a_program_is_found_on_path_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    on_path, elsewhere = program(first / "server"), program(second / "server")
    monkeypatch.setenv("PATH", str(first))
    assert require("server", also_in=[second]) == on_path
    monkeypatch.setenv("PATH", "")
    assert require("server", also_in=[second]) == elsewhere


def test_without_its_server_a_test_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        require("no-such-server")


def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        require("no-such-server")
