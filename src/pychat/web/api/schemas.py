"""The JSON Schemas of the API's answers, for its OpenAPI document."""

from __future__ import annotations

from typing import Any

from pychat.protocol.moderation import LISTS

__all__ = ["COMPONENTS", "ID", "NUMBER", "Schema"]

Schema = dict[str, Any]

NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}
ID: Schema = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{1,64}$",
    "description": "Of your choosing: with the same id again, nothing is said twice.",
}
_OK: Schema = {"type": "boolean", "const": True}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
_DATE: Schema = {"type": "string", "format": "date-time"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}


def _object(required: Schema, optional: Schema | None = None) -> Schema:
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}


_MESSAGE = (
    {
        "id": _TEXT,
        "seq": {**NUMBER, "minimum": 1},
        "date": {"type": "string", "format": "date-time"},
        "author": _ref("Member"),
        "text": _TEXT,
    },
    {
        "reply": _object({"seq": NUMBER, "author": _TEXT, "text": _TEXT}),
        "edited": {"type": "string", "format": "date-time"},
        "deleted": {"type": "boolean"},
        "reactions": {"type": "object", "additionalProperties": _TEXTS},
        "mentions": _TEXTS,
    },
)

#: By name.
COMPONENTS: dict[str, Schema] = {
    "Member": _object({"id": _TEXT, "name": _TEXT}),
    "Message": _object(*_MESSAGE),
    "Page": _object({"ok": _OK, "messages": _list("Message"), "more": {"type": "boolean"}}),
    "Said": {
        **_object({"ok": _OK, **_MESSAGE[0]}, {**_MESSAGE[1], "token": _TEXT}),
        "description": "The message. A guest is given a token, to come back as the same person.",
    },
    "Room": {
        **_object({"name": _TEXT, "title": _TEXT, "here": NUMBER}, {"seq": NUMBER}),
        "description": "A room. Without `seq`, the room is not open on this server.",
    },
    "RoomDirectory": _object({"ok": _OK, "rooms": _list("Room")}, {"more": {"type": "boolean"}}),
    "OneRoom": _object({"ok": _OK, "name": _TEXT, "title": _TEXT, "here": NUMBER, "seq": NUMBER}),
    "Members": _object({"ok": _OK, "here": NUMBER, "members": _list("Member")}),
    "Token": _object({"ok": _OK, "token": _TEXT}),
    "Held": {
        **_object({"ok": _OK, "held": {"type": "boolean", "const": True}, "id": _TEXT}, {"token": _TEXT}),
        "description": "The message waits for a moderator. A guest is given a token.",
    },
    "PushKey": _object({"ok": _OK, "key": _TEXT}),
    "Ways": _object({"ok": _OK, "entry": _TEXT, "challenge": {"type": "boolean"}, "ways": _TEXTS}),
    "Admission": {
        **_object({"ok": _OK, "role": _TEXT}, {"token": _TEXT, "waiting": {"type": "boolean"}}),
        "description": "Who somebody is from now on. A guest is given a token; somebody with a login needs none.",
    },
    "Challenge": _object({"ok": _OK, "challenge": _object({"parameters": {"type": "object"}, "signature": _TEXT})}),
    "Moderation": _object(
        {
            "ok": _OK,
            "settings": _object(
                {
                    **dict.fromkeys(("title", "topic", "writing", "entry"), _TEXT),
                    "slow": NUMBER,
                    **dict.fromkeys(("challenge", "password"), _FLAG),
                }
            ),
            **dict.fromkeys(LISTS.values(), _OBJECTS),
            "more": {"type": "boolean"},
        }
    ),
    "Moderated": {
        **_object({"ok": _OK}, {"deleted": NUMBER, "token": _TEXT, "invite": _TEXT}),
        "description": "It is done. `token` is that of an invitation, which is told once.",
    },
    "AuditEntry": _object(
        {"number": NUMBER, "date": _DATE, "by": _ref("Member"), "action": _TEXT},
        {**dict.fromkeys(("target", "name", "reason"), _TEXT), "until": _DATE, "data": {"type": "object"}},
    ),
    "Audit": _object({"ok": _OK, "entries": _list("AuditEntry"), "more": {"type": "boolean"}}),
    "Done": {**_object({"ok": _OK}), "description": "The answer of the command."},
    "Events": {"type": "string", "description": "Server-sent events: id, event, data."},
    "Document": {"type": "object"},
    "Refusal": _object(
        {
            "ok": {"type": "boolean", "const": False},
            "error": _object({"code": _TEXT, "text": _TEXT}, {"retry_after": {"type": "number"}, "until": _DATE}),
        }
    ),
}
