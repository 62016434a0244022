"""The page of all commands."""

from __future__ import annotations

import re
from pathlib import Path

from sealgate.app.main import build_parser
from sealgate.app.manual import render_commands

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render_commands(), (
        "make it anew: python -m sealgate.app.manual > docs/reference/commands.md"
    )


def test_every_command_has_a_section_with_its_arguments() -> None:
    page = render_commands()
    listed = re.findall(r"^    ([a-z-]+)(?: |$)", build_parser().format_help(), re.MULTILINE)
    assert {"init", "queue", "suspend", "hosts"} <= set(listed)
    sections = dict(re.findall(r"^##+ sealgate ([a-z -]+)\n\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert set(listed) <= {name.split()[0] for name in sections}
    assert all(len(text.partition("\n")[0]) > 10 for text in sections.values())  # a sentence
    assert "`--recipient PATTERN`" in sections["queue list"]
    assert "sealgate queue delete [MID ...]" in sections["queue delete"]
