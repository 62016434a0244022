"""Tests of this room run on both event loops: the supervisor lives on asyncio's, the real children on uvloop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each asynchronous test once per loop; a supervisor only on its own (of its test children, one has each)."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.stem not in ("test_supervisor", "test_rollout", "test_life"):
        factories["uvloop"] = uvloop.new_event_loop
    return factories
