"""Bodies of requests as values: JSON, and the forms of pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

from sealgate.http.problem import Refusal

MOST_FIELDS = 1000
"""Fields of a form."""

Form = Mapping[str, list[str]]


async def read_form(request: Request) -> Form:
    """The fields of a form, in UTF-8. Raises `Refusal` for what is none."""
    if _media_type(request) != "application/x-www-form-urlencoded":
        raise Refusal(415, "this is no form; send application/x-www-form-urlencoded")
    try:
        text = (await request.body()).decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refusal(400, f"this form is not in UTF-8, or has more than {MOST_FIELDS} fields") from None
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return form


async def read_json(request: Request) -> dict[str, Any]:
    """The object that the body is (RFC 8259). Raises `Refusal` for what is none."""
    if _media_type(request) != "application/json":
        raise Refusal(415, "this is not said to be JSON; send application/json")
    try:
        value = json.loads(await request.body(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refusal(400, "this is no JSON (RFC 8259)") from None
    if not isinstance(value, dict):
        raise Refusal(400, "this is no JSON object; it begins with {")
    return value


def text_in(body: Mapping[str, Any], name: str) -> str:
    """A member that has to be there and be text, without half characters (RFC 3629 §3). Raises `Refusal`."""
    value = body.get(name)
    if not isinstance(value, str) or any("\ud800" <= char <= "\udfff" for char in value):
        raise Refusal(400, f"{name!r} is missing, or is no text")
    return value


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
