"""Development secrets: made once, whoever comes first."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from authcenter.settings.boot import BootSettings, load_boot_settings
from authcenter.settings.development import with_development_secrets
from authcenter.settings.errors import SettingsError


def settings_in(directory: Path, **more: str) -> BootSettings:
    return load_boot_settings(None, {"AUTHCENTER_STATE_DIR": str(directory), **more})


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    first = with_development_secrets(settings_in(state))
    assert len(first.secret_keys) == len(first.key_passphrases) == 1
    assert len(first.secret_keys[0]) == 32
    assert first.secret_keys[0] not in first.key_passphrases
    assert with_development_secrets(settings_in(state)) == first
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert sorted(file.name for file in state.iterdir()) == ["key_passphrase", "secret_key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in state.iterdir()} == {0o600}


def test_randomness_is_handed_in(tmp_path: Path) -> None:
    made = with_development_secrets(settings_in(tmp_path), lambda size: b"\x07" * size)
    assert made.secret_keys == (b"\x07" * 32,)


def test_given_secrets_are_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    given = settings_in(state, AUTHCENTER_SECRET_KEY="a" * 43, AUTHCENTER_KEY_PASSPHRASE="p")
    assert with_development_secrets(given) == given
    assert not state.exists()


def test_production_is_left_alone(tmp_path: Path) -> None:
    given = BootSettings(env="production", state_dir=tmp_path / "state")
    assert with_development_secrets(given) is given
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"\xff"])
def test_a_damaged_secret_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(content)
    with pytest.raises(SettingsError, match=r"secret_key: .*delete it to have a new one made"):
        with_development_secrets(settings_in(tmp_path))
    assert (tmp_path / "secret_key").read_bytes() == content


def test_a_state_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(SettingsError, match="cannot be kept"):
        with_development_secrets(settings_in(tmp_path / "state"))


RACER = """
import sys
from pathlib import Path
from authcenter.settings.boot import load_boot_settings
from authcenter.settings.development import with_development_secrets
print(flush=True)
sys.stdin.readline()
for each in range(40):
    state = {"AUTHCENTER_STATE_DIR": f"{sys.argv[1]}/{each}"}
    made = with_development_secrets(load_boot_settings(None, state))
    print(made.secret_key.get_secret_value(), made.key_passphrase.get_secret_value())
"""


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate()[0].splitlines() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert told[0] == told[1] == told[2]
    assert len(set(told[0])) == 40
    assert {file.name for file in tmp_path.glob("*/.*")} == set()
