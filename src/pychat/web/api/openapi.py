"""Makes the OpenAPI 3.1 document from the table that routes the requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pychat._version import __version__
from pychat.protocol.v1 import COMMANDS
from pychat.web.api.operation import Operation
from pychat.web.api.schemas import COMPONENTS

__all__ = ["document"]

_Object = dict[str, Any]
#: The schemas of what stands in an address.
_PARTS: dict[str, _Object] = {
    "seq": {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999},
    "command": {"type": "string", "enum": list(COMMANDS)},
}


def document(operations: Iterable[Operation], rooms: Iterable[str]) -> _Object:
    """The description of `operations` on `rooms`. The address of the server is relative to the document's own."""
    paths: dict[str, _Object] = {}
    parts = {**_PARTS, "room": {"type": "string", "enum": list(rooms)}}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, parts)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pychat", "version": __version__, "summary": "Chat rooms over plain HTTP."},
        "servers": [{"url": "../api"}],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A program's token, which the server's settings name, or a visitor's.",
                }
            },
        },
    }


def _described(operation: Operation, parts: Mapping[str, _Object]) -> _Object:
    described: _Object = {
        "operationId": operation.name,
        "summary": operation.says,
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": parts[name]}
                for name in re.findall(r"\{(\w+)\}", operation.path)
            ),
            *(
                {"name": each.name, "in": each.where, "description": each.says, "schema": each.schema}
                for each in operation.parameters
            ),
        ],
        "responses": {
            **{
                str(status): _links(_answered(status, schema), operation)
                for status, schema in operation.answers.items()
            },
            **{str(status): _answered(status, "Refusal") for status in operation.refusals},
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": schema} for kind, schema in operation.body.items()},
        }
    if operation.token:
        described["security"] = [{}, {"token": []}]
    return described


def _answered(status: int, schema: str) -> _Object:
    kind = "text/event-stream" if schema == "Events" else "application/json"
    described: _Object = {
        "description": HTTPStatus(status).phrase,
        "content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        described["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return described


def _links(answered: _Object, operation: Operation) -> _Object:
    links = {name: {"operationId": name, "parameters": dict(parts)} for name, parts in operation.leads_to.items()}
    return {**answered, "links": links} if links else answered
