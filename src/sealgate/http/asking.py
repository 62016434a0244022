"""Asking control on behalf of whoever calls, with refusals as HTTP has them."""

from __future__ import annotations

from typing import Any

from sealgate.control.roles import NotAllowed
from sealgate.control.service import Service
from sealgate.http.entrance import Caller
from sealgate.http.problem import Refusal
from sealgate.process.channel import ChannelError
from sealgate.store.database import StoreError

_BY_LOGIN = frozenset({"passwd", "token-make"})
"""What outlives the token that it is asked with."""


async def asked(service: Service, caller: Caller, op: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request of the table in `control/roles.py`, and its answer.

    Raises `Refusal`: 403 for what the role does not reach, 409 with control's sentence for what cannot be now, 503 if
    its disk fails, 504 if somebody has not answered in time.
    """
    if caller.metrics_only:
        raise Refusal(403, f"this token reads the counters and nothing else; {op!r} takes another one")
    if caller.session is None and op in _BY_LOGIN:
        raise Refusal(403, f"no API token does {op!r}: whoever finds one must not gain more by it; log in instead")
    try:
        return await service.ask(caller.operator, op, body or {})
    except NotAllowed as error:
        raise Refusal(403, str(error)) from None
    except ChannelError as error:
        raise Refusal(409, str(error)) from None
    except StoreError as error:
        raise Refusal(503, str(error)) from None
    except TimeoutError:
        raise Refusal(504, "a process of the gateway has not answered in time; see sealgate status") from None
