"""The house holds its own rules: sizes, links of the documents, pins that belong to no machine."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

CHECKOUT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES = 400, 40
SOURCES = sorted((CHECKOUT / "src").rglob("*.py"))
DOCUMENTS = [
    *sorted(CHECKOUT.glob("*.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted((CHECKOUT / "packaging").glob("*.md")),
]
PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
EXCEPTIONS: dict[str, str] = PYPROJECT["tool"]["sealgate"]["size-exceptions"]

LINK = re.compile(r'\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"')
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def oversized() -> Iterator[str]:
    """Each file and function that is larger than the house plans for."""
    for path in SOURCES:
        name = path.relative_to(CHECKOUT).as_posix()
        text = path.read_text()
        if text.count("\n") > FILE_LINES:
            yield name
        for qualified, node in functions(ast.parse(text)):
            if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES:
                yield f"{name}::{qualified}"


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function below `node` with its qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield name, child
            yield from functions(child, f"{name}.")
        else:
            yield from functions(child, prefix)


def test_files_and_functions_keep_to_their_size() -> None:
    """Split by subject, or enter it in pyproject.toml [tool.sealgate.size-exceptions] with its reason."""
    assert SOURCES
    assert set(oversized()) == set(EXCEPTIONS)
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


def anchors(document: Path) -> set[str]:
    """The anchors that a reader's Markdown gives to the headings of `document`."""
    headings = re.findall(r"^#+ +(.+?)\s*$", FENCED.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_links_of_a_document_resolve(document: Path) -> None:
    for groups in LINK.findall(FENCED.sub("", document.read_text())):
        link = unquote(groups[0] or groups[1])
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("document", ["docs/install.md", "docs/README.md", "CHANGELOG.md", "LICENSE"])
def test_the_readme_links_what_a_newcomer_looks_for(document: str) -> None:
    assert f"]({document})" in (CHECKOUT / "README.md").read_text()


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [CHECKOUT / "README.md"]
    while waiting:
        document = waiting.pop().resolve()
        if document in reached or document.suffix != ".md":
            continue
        reached.add(document)
        links = (first or second for first, second in LINK.findall(FENCED.sub("", document.read_text())))
        waiting += [document.parent / link.partition("#")[0] for link in links if "://" not in link]
    assert {path.resolve() for path in DOCUMENTS} - reached == set()


@pytest.mark.parametrize("pins", sorted((CHECKOUT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_pins_have_hashes_and_name_no_index_and_no_machine(pins: Path) -> None:
    lines = pins.read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line and not line.startswith("# ")]
    assert requirements
    for line in requirements:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+ *", line), line
