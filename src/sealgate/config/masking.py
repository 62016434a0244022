"""A configuration as plain data that may be shown: every secret masked."""

from __future__ import annotations

from typing import Any

from sealgate.config.schema import Configuration
from sealgate.config.schema.base import MASK, Settings
from sealgate.config.setting import settings_of


def masked(configuration: Configuration) -> dict[str, Any]:
    """In values that JSON knows."""
    return _masked(Configuration, configuration.model_dump(mode="json"))


def _masked(group: type[Settings], data: dict[str, Any]) -> dict[str, Any]:
    shown = dict(data)
    for setting in settings_of(group):
        name, value = setting.path, data[setting.path]
        if setting.secret and value is not None:
            shown[name] = MASK
        elif setting.group is not None and setting.is_list:
            shown[name] = [_masked(setting.group, row) for row in value]
        elif setting.group is not None:
            shown[name] = _masked(setting.group, value)
    return shown
