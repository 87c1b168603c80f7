"""The shapes that receivers publish, as JSON Schemas with where each constraint stands; checked with a validator that knows nothing of us."""

from typing import Any

import jsonschema_rs

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}

#: docs.slack.dev, reference/block-kit/blocks: header, section; messaging/sending-messages-using-incoming-webhooks
SLACK: dict[str, Any] = {
    "type": "object", "required": ["text"], "additionalProperties": False,
    "properties": {
        "text": {**_TEXT, "maxLength": 40_000}, "unfurl_links": {"type": "boolean"}, "unfurl_media": {"type": "boolean"},
        "blocks": {"type": "array", "maxItems": 50, "items": {"oneOf": [
            {
                "type": "object", "required": ["type", "text"], "additionalProperties": False,
                "properties": {"type": {"const": "header"}, "text": {
                    "type": "object", "required": ["type", "text"], "additionalProperties": False,
                    "properties": {"type": {"const": "plain_text"}, "text": {**_TEXT, "maxLength": 150}, "emoji": {"type": "boolean"}},
                }},
            },
            {
                "type": "object", "required": ["type", "text"], "additionalProperties": False,
                "properties": {"type": {"const": "section"}, "text": {
                    "type": "object", "required": ["type", "text"], "additionalProperties": False,
                    "properties": {"type": {"const": "mrkdwn"}, "text": {**_TEXT, "maxLength": 3000}, "verbatim": {"type": "boolean"}},
                }},
            },
        ]}},
    },
}

_OPEN_URL: dict[str, Any] = {
    "type": "object", "required": ["type", "url"], "additionalProperties": False,
    "properties": {"type": {"const": "Action.OpenUrl"}, "url": {"type": "string", "format": "uri"}, "title": _TEXT},
}
#: github.com/microsoft/AdaptiveCards, schemas/1.4.0/adaptive-card.json: AdaptiveCard, RichTextBlock, TextRun, Action.OpenUrl
CARD: dict[str, Any] = {
    "type": "object", "required": ["type", "version", "body"], "additionalProperties": False,
    "properties": {
        "type": {"const": "AdaptiveCard"}, "version": {"const": "1.4"}, "$schema": {"type": "string", "format": "uri"}, "fallbackText": {"type": "string"},
        "actions": {"type": "array", "items": _OPEN_URL},
        "body": {"type": "array", "items": {
            "type": "object", "required": ["type", "inlines"], "additionalProperties": False,
            "properties": {"type": {"const": "RichTextBlock"}, "separator": {"type": "boolean"}, "inlines": {"type": "array", "minItems": 1, "items": {
                "type": "object", "required": ["type", "text"], "additionalProperties": False,
                "properties": {
                    "type": {"const": "TextRun"}, "text": _TEXT, "selectAction": _OPEN_URL, "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
                    "weight": {"enum": ["Default", "Lighter", "Bolder"]}, "color": {"enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]},
                },
            }}},
        }},
    },
}
#: learn.microsoft.com, Power Automate: "When a Teams webhook request is received"
TEAMS: dict[str, Any] = {
    "type": "object", "required": ["type", "attachments"], "additionalProperties": False,
    "properties": {"type": {"const": "message"}, "attachments": {"type": "array", "minItems": 1, "items": {
        "type": "object", "required": ["contentType", "content"], "additionalProperties": False,
        "properties": {"contentType": {"const": "application/vnd.microsoft.card.adaptive"}, "contentUrl": {"type": "null"}, "content": CARD},
    }}},
}

#: developer.pagerduty.com, Events API v2: send an alert event
PAGERDUTY: dict[str, Any] = {
    "type": "object", "required": ["routing_key", "event_action"], "additionalProperties": False,
    "properties": {
        "routing_key": {"type": "string", "pattern": "^[A-Za-z0-9]{32}$"}, "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {**_TEXT, "maxLength": 255}, "client": _TEXT, "client_url": {"type": "string", "format": "uri"},
        "links": {"type": "array", "items": {
            "type": "object", "required": ["href"], "additionalProperties": False, "properties": {"href": {"type": "string", "format": "uri"}, "text": _TEXT},
        }},
        "payload": {
            "type": "object", "required": ["summary", "source", "severity"], "additionalProperties": False,
            "properties": {
                "summary": {**_TEXT, "maxLength": 1024}, "source": _TEXT, "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": {"type": "string", "format": "date-time"}, "component": _TEXT, "group": _TEXT, "class": _TEXT, "custom_details": {"type": "object"},
            },
        },
    },
    "oneOf": [
        {"properties": {"event_action": {"const": "trigger"}}, "required": ["payload"]},
        {"properties": {"event_action": {"enum": ["acknowledge", "resolve"]}}, "required": ["dedup_key"]},
    ],
}

#: docs.ntfy.sh/publish: publish as JSON
NTFY: dict[str, Any] = {
    "type": "object", "required": ["topic"], "additionalProperties": False,
    "properties": {
        "topic": {"type": "string", "pattern": "^[-_A-Za-z0-9]{1,64}$"}, "title": _TEXT, "message": _TEXT, "priority": {"type": "integer", "minimum": 1, "maximum": 5},
        "tags": {"type": "array", "items": _TEXT}, "click": {"type": "string", "format": "uri"},
    },
}

#: spec.matrix.org, client-server API: m.room.message with m.text
MATRIX: dict[str, Any] = {
    "type": "object", "required": ["msgtype", "body"], "additionalProperties": False,
    "properties": {"msgtype": {"const": "m.text"}, "body": _TEXT, "format": {"const": "org.matrix.custom.html"}, "formatted_body": _TEXT},
}

#: developers.mattermost.com, integrate/webhooks/incoming
MATTERMOST: dict[str, Any] = {"type": "object", "required": ["text"], "additionalProperties": False, "properties": {"text": {**_TEXT, "maxLength": 16_383}}}


def problems(body: Any, shape: dict[str, Any]) -> list[str]:
    """Where a body is not as its receiver wants it."""
    return [str(error.message) for error in jsonschema_rs.validator_for(shape, validate_formats=True).iter_errors(body)]
