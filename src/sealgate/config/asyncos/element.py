"""The XML of a file as elements that know their line. Entities are refused, and no DTD is ever fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ErrorString

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from sealgate.config.problem import ConfigurationError, Problem

LARGEST = 10 << 20
"""Characters; a longer file is refused unread."""

DEEPEST = 64
ROOT = "config"

_LONGEST_HEAD = 4096
_LONGEST_SHOWN = 60
_MASKED = re.compile(r"\s*\*{4,}\s*")


def shortened(text: str) -> str:
    """As much of a value as a sentence shows."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


class Element:
    """One element with its text, its children and its place."""

    __slots__ = ("attributes", "children", "line", "parent", "tag", "text")

    def __init__(self, tag: str, attributes: Mapping[str, str], line: int, parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.line = line
        self.parent = parent
        self.text = ""
        self.children: list[Element] = []

    @property
    def place(self) -> str:
        """`ssl/ssl_inbound_method (line 12)`."""
        tags: list[str] = []
        element: Element | None = self
        while element is not None and element.parent is not None:  # the root is in every place
            tags.append(shortened(element.tag))
            element = element.parent
        return f"{'/'.join(reversed(tags)) or shortened(self.tag)} (line {self.line})"

    @property
    def value(self) -> str:
        """Its text without white space around it."""
        return self.text.strip()

    def named(self, *tags: str) -> Iterator[Element]:
        """The children of these names."""
        return (child for child in self.children if child.tag in tags)

    def first(self, *tags: str) -> Element | None:
        """The first of them."""
        return next(self.named(*tags), None)

    def about(self, *parts: str) -> Iterator[Element]:
        """The children whose name contains one of these."""
        return (child for child in self.children if any(part in child.tag.lower() for part in parts))


class Document:
    """The root of a file, and the comments before it."""

    def __init__(self, root: Element, head: str) -> None:
        self.root = root
        self.head = head

    @property
    def source(self) -> str:
        """Which AsyncOS wrote it, as far as its head says."""
        version = re.search(r"^[ \t*]*Version:[ \t]*([0-9][\w.-]{0,40})", self.head[:_LONGEST_HEAD], re.MULTILINE)
        return f"AsyncOS {version[1]}" if version else "AsyncOS"


def parse_document(text: str) -> Document:
    """The elements of a file; `ConfigurationError` is a sentence for what is none, or cannot be trusted."""
    if len(text) > LARGEST:
        raise _refused(f"this file has {len(text):,} characters; up to {LARGEST:,} are read: save it without logs, "
                       "dictionaries and text resources, or load its sections one by one")  # fmt: skip
    body = text.lstrip("\ufeff \t\r\n")
    builder = _Builder()
    parser = cast(Any, DefusedXMLParser(target=builder, forbid_dtd=False))
    before = text[: len(text) - len(body)].count("\n")
    builder.line = lambda: parser.parser.CurrentLineNumber + before
    try:
        parser.feed(body)
        parser.close()
    except ParseError as error:
        raise _refused(f"line {error.position[0] + before}: no well-formed XML ({ErrorString(error.code)})") from None
    except DefusedXmlException:
        raise _refused(
            "this file declares entities of its own, which no AsyncOS does; they are never expanded"
        ) from None
    except UnicodeEncodeError:
        raise _refused("this text has characters that no XML file can hold") from None
    assert builder.root is not None  # an empty document is a ParseError
    _check(builder)
    return Document(builder.root, "\n".join(builder.head))


def _check(builder: _Builder) -> None:
    root = builder.root
    if root is not None and root.tag != ROOT:
        raise _refused(f"this is another kind of XML: it begins with <{shortened(root.tag)}>, and an AsyncOS "
                       f"configuration with <{ROOT}>")  # fmt: skip
    if builder.masked is not None:
        raise ConfigurationError([Problem(
            builder.masked.place,
            "passphrases are masked in this file: it was made for looking at, and AsyncOS refuses it as well; save one "
            "with encrypted passphrases",
        )])  # fmt: skip


def _refused(sentence: str) -> ConfigurationError:
    return ConfigurationError([Problem("", sentence)])


class _Builder:
    """What the parser tells of a document, as elements."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.head: list[str] = []
        self.masked: Element | None = None
        self.line: Callable[[], int] = lambda: 0
        self._open: list[Element] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._flush()
        if len(self._open) >= DEEPEST:
            raise _refused(f"line {self.line()}: elements are nested more than {DEEPEST} deep, as in no AsyncOS file")
        parent = self._open[-1] if self._open else None
        element = Element(tag, attributes, self.line(), parent)
        if parent is None:
            self.root = element
        else:
            parent.children.append(element)
        self._open.append(element)

    def end(self, tag: str) -> None:
        self._flush()
        element = self._open.pop()
        if self.masked is None and not element.children and _MASKED.fullmatch(element.text):
            self.masked = element

    def data(self, data: str) -> None:
        self._text.append(data)

    def comment(self, text: str) -> None:
        if self.root is None:
            self.head.append(text)

    def close(self) -> None:
        """Nothing is left to do."""

    def _flush(self) -> None:
        if self._text:
            if self._open and not self._open[-1].children:  # between children there is white space only
                self._open[-1].text = "".join(self._text)
            self._text.clear()
