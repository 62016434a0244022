"""Rows that are named by other settings."""

from __future__ import annotations

from sealgate.config.check import check
from sealgate.config.edit import edited
from sealgate.config.references import references, renaming, unknown_names, users_of
from sealgate.net.tls.library import measure_library
from tests.cli.conversation import configuration


def test_a_row_under_another_name_is_named_so_everywhere() -> None:
    first = configuration()
    for table, old in (("listeners", "private"), ("policies", "RELAYED"), ("certificates", "demo")):
        data = first.model_dump(mode="json")
        users = users_of(data, table, old)
        assert users
        renamed = edited(first, renaming(data, table, old, "other"))
        after = renamed.model_dump(mode="json")
        assert list(unknown_names(after)) == []
        assert users_of(after, table, old) == []
        assert len(users_of(after, table, "other")) == len(users)
        assert check(renamed, measure_library()) == ()


def test_the_settings_that_name_rows() -> None:
    found = {each.path.replace("[private]", "[]") for each in references(configuration().model_dump(mode="json"))}
    assert {"listeners[].certificates", "listeners[].policy", "delivery.certificate"} <= found
    assert {"sender_groups[RELAYLIST].policy", "sender_groups[RELAYLIST].listeners"} <= found
