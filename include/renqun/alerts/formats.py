"""An alert in the words of a channel: the JSON that each vendor documents for its robots, or an e-mail.

Texts are data: nothing in them becomes a link, a mention or a tag of the channel.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from renqun.alerts.message import Alert
from renqun.settings import Channel

Body = dict[str, Any]

_WECOM_BYTES = 4096
_SLACK_HEADER = 150
_SLACK_SECTION = 3000
_COLOURS = {"stopped": "red", "late": "orange", "mended": "green"}
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "[": "［", "]": "］", "`": "'"})


def dingtalk(alert: Alert, base: str) -> Body:
    """A DingTalk robot's markdown message."""
    return {
        "msgtype": "markdown",
        "markdown": {"title": _plain(alert.title), "text": _markdown(alert, base, heading="#### ")},
    }


def dingtalk_address(address: str, secret: str, milliseconds: int) -> str:
    """The address with DingTalk's signature: HMAC-SHA256 of `timestamp\\nsecret`, keyed by the secret."""
    signed = f"{milliseconds}\n{secret}".encode()
    sign = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    more = urllib.parse.urlencode({"timestamp": milliseconds, "sign": sign})
    return f"{address}{'&' if '?' in address else '?'}{more}"


def feishu(alert: Alert, base: str) -> Body:
    """A Feishu or Lark robot's card; its texts are plain, so that nothing in them is markup."""
    elements: list[Body] = [
        {"tag": "div", "text": {"tag": "plain_text", "content": f"{label}: {text}"}} for label, text in alert.lines()
    ]
    link = alert.link(base)
    if link.startswith("http"):
        button = {"tag": "button", "text": {"tag": "plain_text", "content": "Runbook"}, "type": "primary", "url": link}
        elements.append({"tag": "action", "actions": [button]})
    elif link:
        elements.append({"tag": "div", "text": {"tag": "plain_text", "content": f"Runbook: {link}"}})
    return {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {
                "title": {"tag": "plain_text", "content": alert.title},
                "template": _COLOURS[alert.kind],
            },
            "elements": elements,
        },
    }


def feishu_signature(secret: str, seconds: int) -> Body:
    """What Feishu's signature adds to a body: HMAC-SHA256 of nothing, keyed by `timestamp\\nsecret`."""
    digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": str(seconds), "sign": base64.b64encode(digest).decode()}


def wecom(alert: Alert, base: str) -> Body:
    """A WeCom (企业微信) robot's markdown message, within its 4096 bytes."""
    text, longest = _markdown(alert, base, heading="**"), len(alert.what)
    while len(text.encode()) > _WECOM_BYTES and longest > 0:
        longest = longest * 3 // 4
        text = _markdown(alert, base, heading="**", longest=longest)
    return {"msgtype": "markdown", "markdown": {"content": text.encode()[:_WECOM_BYTES].decode(errors="ignore")}}


def slack(alert: Alert, base: str) -> Body:
    """A Slack webhook's message: a fallback text, a header and sections."""
    sections = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{label}*\n{_slack(text)}"[:_SLACK_SECTION]}}
        for label, text in alert.lines()
    ]
    link = alert.link(base)
    if link:
        shown = f"<{link}|Runbook>" if link.startswith("http") else f"Runbook: {_slack(link)}"
        sections.append({"type": "section", "text": {"type": "mrkdwn", "text": shown}})
    header = {"type": "header", "text": {"type": "plain_text", "text": alert.title[:_SLACK_HEADER]}}
    return {"text": _slack(alert.title), "blocks": [header, *sections]}


def email(alert: Alert, base: str, channel: Channel, sender: str) -> EmailMessage:
    """An e-mail in plain text."""
    message = EmailMessage()
    message["Subject"] = " ".join(alert.title.split())
    message["From"] = channel.sender or sender
    message["To"] = ", ".join(channel.to)
    message.set_content(alert.as_text(base) + "\n")
    return message


BODIES: dict[str, Callable[[Alert, str], Body]] = {
    "dingtalk": dingtalk,
    "feishu": feishu,
    "lark": feishu,
    "wecom": wecom,
    "slack": slack,
}
"""How each kind of robot wants its message."""


def _markdown(alert: Alert, base: str, *, heading: str, longest: int | None = None) -> str:
    close = "**" if heading == "**" else ""
    parts = [f"{heading}{_plain(alert.title)}{close}"]
    for label, text in alert.lines():
        shown = text if longest is None or label != "What" else text[:longest] + " …"
        parts.append(f"**{_plain(label)}**: " + _plain(shown).replace("\n", "\n\n"))
    link = alert.link(base)
    if link:
        parts.append(f"[Runbook]({link})" if link.startswith("http") else f"**Runbook**: {_plain(link)}")
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """Text in which no vendor's markdown finds a link, a tag or a mention."""
    return text.translate(_LOOKALIKES).replace("@", "＠")


def _slack(text: str) -> str:
    """Slack's three escapes; without `<`, nothing is a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
