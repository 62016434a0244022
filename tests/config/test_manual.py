"""The page of all settings."""

from __future__ import annotations

from pathlib import Path

from sealgate.config.manual import render_manual
from sealgate.config.setting import all_settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render_manual(), (
        "make it anew: python -m sealgate.config.manual > docs/reference/settings.md"
    )


def test_every_setting_is_on_the_page() -> None:
    page = render_manual()
    for setting in all_settings():
        assert f"\n### `{setting.path.replace('[]', '')}`\n\n{setting.help}" in page
