"""Sending a message within a set time. Nothing here raises, and nothing that is said names an address or a secret."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence

from renqun.alerts import formats
from renqun.alerts.message import Alert
from renqun.settings import Channel

_ANSWER_BYTES = 65536
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class NotSent(Exception):
    """Why a message did not arrive, in words that hold no secret."""


def send_to_all(channels: Sequence[Channel], alert: Alert, *, base: str, timeout: float) -> dict[str, str | None]:
    """Send to every channel at once.

    Returns:
        Name of a channel → None where it took the message, else why it did not.
    """
    results: dict[str, str | None] = {channel.name: f"no answer within {timeout:g} s" for channel in channels}

    def attempt(channel: Channel) -> None:
        try:
            _send(channel, alert, base, timeout)
        except NotSent as why:
            results[channel.name] = str(why)
        except Exception as error:  # whatever it is, its words may hold the address
            results[channel.name] = _kind(error)
        else:
            results[channel.name] = None

    # Threads of their own: looking up a name has no timeout, and a slow channel must not hold up the next one.
    threads = [threading.Thread(target=attempt, args=(channel,), daemon=True) for channel in channels]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(results)


def _send(channel: Channel, alert: Alert, base: str, timeout: float) -> None:
    address = _secret(channel.url_env)
    parts = urllib.parse.urlsplit(address)
    if channel.kind == "email":
        _send_mail(parts, channel, alert, base, timeout)
        return
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise NotSent(f"{channel.url_env} is no https address")
    body = formats.BODIES[channel.kind](alert, base)
    if channel.secret_env:
        secret = _secret(channel.secret_env)
        if channel.kind == "dingtalk":
            address = formats.dingtalk_address(address, secret, time.time_ns() // 1_000_000)
        else:
            body = {**formats.feishu_signature(secret, int(time.time())), **body}
    _post(channel, address, body, timeout)


def _post(channel: Channel, address: str, body: formats.Body, timeout: float) -> None:
    request = urllib.request.Request(
        address,
        data=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "renqun"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            said = answer.read(_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        raise NotSent(f"the channel answered with HTTP {error.code}") from None
    if channel.kind == "slack":
        return
    # These vendors answer 200 to everything and say in the body whether they took it.
    try:
        told = json.loads(said)
        code = next(told[name] for name in ("errcode", "code", "StatusCode") if name in told)
    except (ValueError, TypeError, StopIteration):
        raise NotSent("the channel's answer is none of its documented ones") from None
    if code != 0:
        raise NotSent(f"the channel refused it with code {code}")


def _send_mail(parts: urllib.parse.SplitResult, channel: Channel, alert: Alert, base: str, timeout: float) -> None:
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise NotSent(f"{channel.url_env} is no address smtp://[user:password@]host[:port] or smtps://…")
    message = formats.email(alert, base, channel, sender=f"renqun@{parts.hostname}")
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(parts.hostname, parts.port or 25, timeout=timeout)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif parts.scheme == "smtp" and parts.password and parts.hostname not in _LOOPBACK:
            raise NotSent("the mail server offers no encryption, and the password is not sent in the clear")
        if parts.username:
            server.login(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
        server.send_message(message)


def _secret(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise NotSent(f"the environment has no {variable}")
    return value


def _kind(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        return _kind(error.reason)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered with {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
