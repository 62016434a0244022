"""Configurations of earlier versions, as plain data, in the words of this one.

A stored revision or a document of an earlier version goes through here before it is validated, so that an upgrade
never needs an administrator's hand. What is already in today's words passes unchanged.
"""

from __future__ import annotations

from typing import Any

from sealgate.config.defaults import RELAYED, RELAYLIST


def upgraded(data: Any) -> Any:
    """The same configuration as this version declares it; what is no configuration is given back as it came."""
    listeners = data.get("listeners") if isinstance(data, dict) else None
    if not (isinstance(listeners, list) and any(isinstance(each, dict) and _OLD in each for each in listeners)):
        return data
    return _without_relay_networks(data, listeners)


_OLD = "relay_networks"
"""A setting of listeners until 0.1; sender groups took its place."""


def _without_relay_networks(data: dict[str, Any], listeners: list[Any]) -> dict[str, Any]:
    groups = list(data.get("sender_groups", []))
    kept = []
    for listener in listeners:
        kept.append(_without(listener))
        if isinstance(listener, dict) and (networks := listener.get(_OLD)):
            name = str(listener.get("name", ""))
            row = {"name": f"{RELAYLIST}-{name}"[:63], "listeners": [name], "members": networks, "policy": RELAYED}
            groups.append(row)
    policies = list(data.get("policies", []))
    if groups and not any(isinstance(each, dict) and each.get("name") == RELAYED for each in policies):
        policies.append({"name": RELAYED, "action": "relay"})
    return {**data, "listeners": kept, "policies": policies, "sender_groups": groups}


def _without(listener: Any) -> Any:
    return {key: value for key, value in listener.items() if key != _OLD} if isinstance(listener, dict) else listener
