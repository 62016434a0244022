"""The page of all settings, made from the schema: `python -m sealgate.config.manual > docs/reference/settings.md`."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.schema import Configuration
from sealgate.config.schema.base import Settings
from sealgate.config.setting import Setting, settings_of

_HEAD = """\
# Settings

Every setting of the gateway, as it stands in the TOML document that `sealgate showconfig` prints and
`sealgate loadconfig` takes. A setting that is not given has its default. This page is made from the
declarations in `src/sealgate/config/schema`; to make it anew:

    python -m sealgate.config.manual > docs/reference/settings.md
"""


def render_manual() -> str:
    """The page in Markdown."""
    return _HEAD + "".join(_sections(Configuration, ""))


def _sections(group: type[Settings], path: str) -> Iterator[str]:
    """One section for each group or table: its own settings, then the groups inside it."""
    for setting in settings_of(group, path):
        if setting.group is None:
            continue
        header = f"[[{setting.path}]]" if setting.is_list else f"[{setting.path}]"
        yield f"\n## {setting.path}\n\n{setting.help}\n\n```toml\n{header}\n```\n"
        if setting.is_list:
            yield f"\nOne such table for each row; rows are told apart by `{_identity(setting)}`.\n"
        yield from (_item(each) for each in settings_of(setting.group, setting.path) if each.group is None)
        yield from _sections(setting.group, setting.path)


def _identity(table: Setting) -> str:
    return str(getattr(table.group, "identity", ""))


def _item(setting: Setting) -> str:
    default = "It must be given." if setting.default is None else f"Default: {setting.default}."
    secret = " It is masked wherever it is shown." if setting.secret else ""
    kind = setting.kind[0].upper() + setting.kind[1:]
    return f"\n### `{setting.path}`\n\n{setting.help}{secret}\n\n{kind}. {default}\n"


if __name__ == "__main__":
    print(render_manual(), end="")
