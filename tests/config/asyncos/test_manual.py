"""Every sentence that the reader can say stands on the page of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "docs" / "reference" / "asyncos.md"
READER = sorted((CHECKOUT / "src" / "sealgate" / "config" / "asyncos").glob("*.py"))
FEWEST_WORDS = 4


def sentences(path: Path) -> Iterator[str]:
    """What the code has in words, docstrings aside; of a sentence with values in it, the parts between them."""
    tree = ast.parse(path.read_text())
    aside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in aside else None
        if isinstance(text, str) and len(text.split()) >= FEWEST_WORDS and "\\" not in text and "|" not in text:
            yield " ".join(text.split())


@pytest.mark.parametrize("path", READER, ids=lambda path: path.stem)
def test_the_page_has_every_sentence(path: Path) -> None:
    page = " ".join(PAGE.read_text().replace("`", "").split())
    assert [sentence for sentence in sentences(path) if sentence.replace("`", "") not in page] == []
