"""Answers that refuse: a problem (RFC 9457) with a sentence that says what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Refusal(HTTPException):
    """Raised anywhere in the answering of a request: its status, a sentence, and members of one's own.

    The REST API shows it as a problem; a page may show it in words of its own.
    """

    def __init__(self, status: int, sentence: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(status, sentence, dict(headers) if headers else None)
        self.members = members


def problem(status: int, sentence: str, headers: Mapping[str, str] | None = None, **members: Any) -> JSONResponse:
    """A problem without a type of its own: its title is that of the status (RFC 9457 §4.2.1)."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return JSONResponse({**content, **members}, status, headers=headers, media_type=MEDIA_TYPE)
