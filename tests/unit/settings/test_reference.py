"""The generated reference: fresh, complete, and itself a policy."""

import subprocess
import sys
from pathlib import Path

from authcenter.settings.boot import BootSettings, variable
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.reference import reference_text

ROOT = Path(__file__).parents[3]


def test_the_file_is_what_the_models_say() -> None:
    assert (ROOT / "config" / "reference.yaml").read_text() == reference_text()


def test_the_module_prints_it() -> None:
    command = [sys.executable, "-m", "authcenter.settings.reference"]
    assert subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout == reference_text()


def test_it_is_the_default_policy() -> None:
    assert parse_policy(reference_text(), source="file") == Policy()


def test_it_names_every_setting_and_describes_every_field() -> None:
    lines = reference_text().splitlines()
    for name, field in BootSettings.model_fields.items():
        assert any(line.startswith(f"# {variable(name)}=") for line in lines)
        assert field.description
    for name in Policy.model_fields:
        section = getattr(Policy(), name)
        for key, field in getattr(type(section), "model_fields", {}).items():
            place = next(
                i for i, line in enumerate(lines) if line.startswith(f"  {key}: ") and i > lines.index(f"{name}:")
            )
            assert lines[place - 1].startswith("  # ")
            assert field.description
