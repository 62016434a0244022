"""A configuration as a TOML document, and back."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator
from typing import Any

import tomli_w

from sealgate.config.asyncos.element import LARGEST
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from sealgate.config.schema.base import MASK, Settings
from sealgate.config.setting import Setting, settings_of
from sealgate.config.upgrade import upgraded
from sealgate.config.validation import validated

_WIDTH = 100
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,80}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MASKED_HEAD = "# Secrets are masked: this document is for reading, and cannot be loaded.\n"


def decoded(data: bytes) -> str:
    """The text of a file: a TOML document in UTF-8, or an AsyncOS configuration in the encoding that it names.

    `ConfigurationError` is a sentence for what cannot be read.
    """
    if len(data) > LARGEST:
        raise _refused(f"this file has {len(data):,} bytes, and no configuration needs more than {LARGEST:,}")
    named = _ENCODING.match(data)
    encoding = named[1].decode("ascii") if named else "utf-16" if data[:2] in _UTF16 else "utf-8-sig"
    try:
        return data.decode(encoding)
    except LookupError:
        raise _refused(f"this file says that its encoding is {encoding!r}, which is none; save it in UTF-8") from None
    except (UnicodeError, ValueError) as error:
        where = f" at byte {error.start + 1:,}" if isinstance(error, UnicodeDecodeError) else ""
        raise _refused(
            f"this file is not in {encoding.removesuffix('-sig').upper()}{where}; save it in UTF-8"
        ) from None


def is_asyncos(text: str) -> bool:
    """Whether this is for `config.asyncos` to read: it begins as XML, which no TOML document does."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def parse(text: str) -> Configuration:
    """Read a document; `ConfigurationError` names every problem in it."""
    if is_asyncos(text):
        raise _refused("this is XML; an AsyncOS configuration is read by sealgate loadconfig and sealgate init --from")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise _refused("this is no TOML document: lists are nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and numbers with more digits than Python reads
        raise _refused(f"this is no TOML document: {error}") from None
    return validated(upgraded(data))


def render(configuration: Configuration, *, mask: bool = False) -> str:
    """Write a document with every setting and its help, which `parse` reads again unless its secrets are masked."""
    head = _MASKED_HEAD if mask else ""
    return head + "".join(_group(configuration, "", mask=mask, explained=set())).lstrip("\n")


def _refused(sentence: str) -> ConfigurationError:
    return ConfigurationError([Problem("", sentence)])


def _group(group: Settings, path: str, *, mask: bool, explained: set[type[Settings]]) -> Iterator[str]:
    """The plain settings of a group, then the groups and tables inside, as TOML wants it.

    The help stands beside the first group of its kind.
    """
    helpful = type(group) not in explained
    explained.add(type(group))
    settings = list(settings_of(type(group)))
    for setting in settings:
        if setting.group is None:
            yield from _plain(setting, getattr(group, setting.path), mask=mask, helpful=helpful)
    for setting in settings:
        inner = f"{path}.{setting.path}" if path else setting.path
        if setting.group is not None and setting.is_list:
            yield f"\n{_comment(setting.help)}"
            yield from _rows(getattr(group, setting.path), inner, mask=mask, explained=explained)
        elif setting.group is not None:
            yield f"\n{_comment(setting.help)}[{inner}]\n"
            yield from _group(getattr(group, setting.path), inner, mask=mask, explained=explained)


def _rows(rows: tuple[Settings, ...], path: str, *, mask: bool, explained: set[type[Settings]]) -> Iterator[str]:
    if not rows:
        yield f"# [[{path}]]: none\n"
    for index, row in enumerate(rows):
        if index:
            yield "\n"
        yield f"[[{path}]]\n"
        yield from _group(row, path, mask=mask, explained=explained)


def _plain(setting: Setting, value: Any, *, mask: bool, helpful: bool) -> Iterator[str]:
    if helpful:
        default = "" if setting.default is None else f" Default: {setting.default}."
        yield _comment(f"{setting.help} [{setting.kind}]{default}")
    if value is None:
        yield f"# {setting.path} =\n" if helpful else ""
    elif mask and setting.secret:
        yield f'{setting.path} = "{MASK}"\n'
    else:
        yield tomli_w.dumps({setting.path: _as_written(value)}, multiline_strings=True)


def _as_written(value: Any) -> Any:
    """300.0 seconds are 300, as a person would write it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return list(value) if isinstance(value, tuple) else value


def _comment(text: str) -> str:
    wrapped = textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
    return "".join(f"{line}\n" for line in wrapped)
