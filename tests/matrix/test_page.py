"""The page of the matrix says what the table says, and the table has no hole."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from sealgate.tls.version import LEGAL_SELECTIONS
from tests.matrix.page import render
from tests.matrix.table import (
    DELIVERY_LEVELS,
    DELIVERY_VERSIONS,
    DELIVERY_WORDS,
    RECEPTION_DEMANDS,
    RECEPTION_VERSIONS,
    RECEPTION_WORDS,
    Grid,
)

PAGE = Path(__file__).parents[2] / "docs/reference/matrix.md"
GRIDS = [DELIVERY_VERSIONS, DELIVERY_LEVELS, RECEPTION_VERSIONS, RECEPTION_DEMANDS]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "make it anew: python -m tests.matrix.page > docs/reference/matrix.md"


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.corner)
def test_every_row_has_every_column(grid: Grid) -> None:
    assert {len(outcomes) for outcomes in grid.rows.values()} == {len(grid.columns)}


def test_every_selection_has_its_row() -> None:
    selections = {str(selection) for selection in LEGAL_SELECTIONS}
    assert set(DELIVERY_VERSIONS.rows) == set(RECEPTION_VERSIONS.rows) == set(DELIVERY_VERSIONS.columns) == selections


def test_every_word_is_explained() -> None:
    cells = chain.from_iterable(outcomes for grid in GRIDS for outcomes in grid.rows.values())
    words = {word.removeprefix("waits: ").removeprefix("bounces: ") for cell in cells for word in cell.split(" / ")}
    plain = {"clear", "TLS", "TLS, verified", "TLS, unverified"}
    assert {word for word in words if not word[0].isdigit() or word == "530"} - plain == {
        *DELIVERY_WORDS,
        *RECEPTION_WORDS,
    }
