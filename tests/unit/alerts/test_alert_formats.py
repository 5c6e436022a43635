"""Each channel's message, read as its vendor documents it, and sent to a server of this machine."""

from __future__ import annotations

import base64
import email
import email.policy
import hmac
import time
import urllib.parse
from datetime import date
from typing import Any

import pytest

from receivers import mailbox, robot
from renqun.alerts import formats
from renqun.alerts.message import Alert
from renqun.alerts.sending import send_to_all
from renqun.settings import Channel

BASE = "https://example.invalid/renqun"
ALERT = Alert(
    kind="stopped",
    shop_id="default",
    ds=date(2026, 3, 31),
    cause="c",
    headline="gate marts stopped the run",
    what="gate marts stopped shop default:\n  - fct_orders-adds_up: lines are orders (12 failing)",
    dag="default__build_marts",
    task="gate_marts",
    facts={"1 failed": "fct_orders-adds_up"},
    remedy="find the cause",
    runbook="docs/runbooks/gate-marts.md",
)
LINK = f"{BASE}/docs/runbooks/gate-marts.md"
SAID = ("2026-03-31", "gate marts stopped", "12 failing", "default__build_marts / gate_marts", "find the cause")


def _sent(
    monkeypatch: pytest.MonkeyPatch, kind: str, answer: bytes, secret: str | None = None, alert: Alert = ALERT
) -> tuple[str, Any]:
    with robot(answer) as server:
        monkeypatch.setenv("ROBOT_URL", server.address)
        if secret:
            monkeypatch.setenv("ROBOT_SECRET", secret)
        channel = Channel(kind=kind, url_env="ROBOT_URL", secret_env="ROBOT_SECRET" if secret else None)
        assert send_to_all([channel], alert, base=BASE, timeout=5) == {f"{kind}:ROBOT_URL": None}
        assert len(server.bodies) == 1
        return server.paths[0], server.bodies[0]


def test_dingtalk_gets_markdown_with_a_title(monkeypatch: pytest.MonkeyPatch) -> None:
    path, body = _sent(monkeypatch, "dingtalk", b'{"errcode":0,"errmsg":"ok"}')
    assert path == "/robot/send?access_token=t0ken-of-the-robot"
    assert set(body) == {"msgtype", "markdown"}
    assert body["msgtype"] == "markdown"
    assert set(body["markdown"]) == {"title", "text"}
    assert body["markdown"]["title"].startswith("renqun default 2026-03-31: ")
    assert all(text in body["markdown"]["text"] for text in SAID)
    assert f"[Runbook]({LINK})" in body["markdown"]["text"]


def test_dingtalk_is_signed_as_its_robots_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = _sent(monkeypatch, "dingtalk", b'{"errcode":0}', secret="SECabc")
    query = dict(urllib.parse.parse_qsl(path.partition("?")[2]))
    assert set(query) == {"access_token", "timestamp", "sign"}
    # Milliseconds; the robot refuses what is an hour off.
    assert abs(int(query["timestamp"]) - time.time() * 1000) < 60_000
    expected = hmac.new(b"SECabc", query["timestamp"].encode() + b"\nSECabc", "sha256").digest()
    assert base64.b64decode(query["sign"]) == expected


def test_a_known_signature_of_dingtalk_comes_out() -> None:
    # printf '1573544880000\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
    address = formats.dingtalk_address("https://example.invalid/send?access_token=x", "this is secret", 1573544880000)
    sign = urllib.parse.parse_qs(address.partition("?")[2])["sign"][0]
    assert sign == "GFwqqXbZYLuc5vS8pCzWcolYkiUJ2L7GAL73Og0Pp1E="


@pytest.mark.parametrize("kind", ["feishu", "lark"])
def test_feishu_gets_a_card_signed_over_nothing(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    _, body = _sent(monkeypatch, kind, b'{"code":0,"msg":"success","data":{}}', secret="s3cret")
    assert set(body) == {"timestamp", "sign", "msg_type", "card"}
    # Seconds as text; the key is "timestamp\nsecret", the message empty.
    assert abs(int(body["timestamp"]) - time.time()) < 60
    key = f"{body['timestamp']}\ns3cret".encode()
    assert base64.b64decode(body["sign"]) == hmac.new(key, b"", "sha256").digest()
    assert body["msg_type"] == "interactive"
    header = body["card"]["header"]
    assert (header["title"]["tag"], header["template"]) == ("plain_text", "red")
    texts = [one["text"] for one in body["card"]["elements"] if one["tag"] == "div"]
    assert {text["tag"] for text in texts} == {"plain_text"}
    told = header["title"]["content"] + "\n".join(text["content"] for text in texts)
    assert all(text in told for text in SAID)
    [action] = [one for one in body["card"]["elements"] if one["tag"] == "action"]
    assert action["actions"][0]["url"] == LINK


def test_wecom_gets_markdown_of_at_most_4096_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    _, body = _sent(monkeypatch, "wecom", b'{"errcode":0,"errmsg":"ok"}')
    assert set(body) == {"msgtype", "markdown"}
    assert set(body["markdown"]) == {"content"}
    assert all(text in body["markdown"]["content"] for text in SAID)
    long = Alert(**{**vars(ALERT), "what": "订单" * 5000})
    _, body = _sent(monkeypatch, "wecom", b'{"errcode":0,"errmsg":"ok"}', alert=long)
    assert len(body["markdown"]["content"].encode()) <= 4096
    # What is cut is the long text, never where to go.
    assert f"[Runbook]({LINK})" in body["markdown"]["content"]


def test_slack_gets_blocks_within_its_limits_and_a_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    long = Alert(**{**vars(ALERT), "what": ALERT.what + " x" * 5000, "headline": "h" * 400})
    for alert in (ALERT, long):
        _, body = _sent(monkeypatch, "slack", b"ok", alert=alert)
        assert set(body) == {"text", "blocks"}
        header, *sections = body["blocks"]
        assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
        assert len(header["text"]["text"]) <= 150
        assert {one["type"] for one in sections} == {"section"}
        assert all(len(one["text"]["text"]) <= 3000 for one in sections)
        assert len(body["blocks"]) <= 50
        assert sections[-1]["text"]["text"] == f"<{LINK}|Runbook>"
        if alert is ALERT:
            assert all(text in body["text"] + "".join(one["text"]["text"] for one in sections) for text in SAID)


def test_an_e_mail_is_plain_text_with_its_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    with mailbox() as (address, came):
        monkeypatch.setenv("MAIL_URL", address)
        channel = Channel(kind="email", url_env="MAIL_URL", to=("ops@example.com", "data@example.com"))
        assert send_to_all([channel], ALERT, base=BASE, timeout=5) == {"email:MAIL_URL": None}
    message = email.message_from_bytes(came[0], policy=email.policy.default)
    assert message["To"] == "ops@example.com, data@example.com"
    assert message["Subject"] == "renqun default 2026-03-31: gate marts stopped the run"
    assert message["From"] == "renqun@127.0.0.1"
    text = message.get_content()
    assert all(said in message["Subject"] + text for said in SAID)
    assert f"Runbook: {LINK}" in text


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom", "slack"])
def test_no_text_becomes_a_link_a_tag_or_a_mention(kind: str) -> None:
    trick = "[win](http://evil.example) <@everyone> <!channel> @all <font color='red'>x</font>"
    body = str(formats.BODIES[kind](Alert(**{**vars(ALERT), "what": trick}), BASE))
    if kind == "feishu":
        # Plain text is shown as it is.
        assert body.count("'tag': 'lark_md'") == 0
        return
    assert "<@everyone>" not in body
    assert "<!channel>" not in body
    assert "](http://evil.example)" not in body or kind == "slack"  # Slack has no such links
    assert "<font" not in body
    assert " @all" not in body or kind == "slack"  # Slack mentions with <! only


def test_without_a_base_the_message_names_the_page_in_the_repository() -> None:
    for kind in ("dingtalk", "feishu", "wecom", "slack"):
        assert "docs/runbooks/gate-marts.md" in str(formats.BODIES[kind](ALERT, ""))
