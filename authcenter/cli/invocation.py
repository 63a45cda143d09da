"""The settings of one invocation of the command."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from authcenter.settings.boot import BootSettings, load_boot_settings
from authcenter.settings.development import with_development_secrets


def read_settings(ctx: click.Context, overrides: Mapping[str, str] | None = None) -> BootSettings:
    """The boot settings of this invocation. Raises ``SettingsError``."""
    file: Path | None = ctx.find_root().obj
    return with_development_secrets(load_boot_settings(file, {**os.environ, **(overrides or {})}))
