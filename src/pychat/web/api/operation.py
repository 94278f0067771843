"""An operation of the API: its route, its function and its description."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pychat.net.http.response import Response, StreamingResponse
from pychat.web.api.call import Call

__all__ = ["Operation", "Parameter"]

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the address, or a header."""

    name: str
    says: str
    schema: Schema
    where: str = "query"


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    name: str
    method: str
    #: Such as `/rooms/{room}/messages`, below `<mount>/api`.
    path: str
    says: str
    run: Callable[[Call], Awaitable[Response | StreamingResponse]]
    #: Status -> the name of the schema of what is answered then; refusals are told by their status alone.
    answers: Mapping[int, str]
    refusals: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    #: Media type -> schema of the body.
    body: Mapping[str, Schema] | None = None
    #: Whether a token is of use.
    token: bool = False
    #: Whether the request itself counts. Others are counted in the session in which they speak.
    metered: bool = False
    #: Whether it shows what is in the room: then only people who may enter the room are answered. It is `metered`.
    reads: bool = False
    #: As which kind it counts, by its query.
    kind: Callable[[Mapping[str, str]], str] = lambda _: "command"
    #: The name of another operation -> what of this answer it can be asked about, by the name of its parameter.
    leads_to: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the path of a request."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))
