"""What a mail says: the notices of one reader by practice, as plain text and as simple HTML; no patient is named."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from itertools import groupby

LARGEST = 50
"""Notices written out in one mail; the others are counted."""


@dataclass(frozen=True, slots=True)
class Item:
    """A notice as its reader is told it. ``is_over``: it does not stand any more."""

    practice: str
    sentence: str
    link: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a mail comes from and goes to. ``uid`` is the same at each try; ``account`` is the page that changes it."""

    uid: str
    sender: str
    to: str
    at: datetime
    account: str


def letter(items: Sequence[Item], envelope: Envelope, *, urgent: bool) -> EmailMessage:
    """The mail of some notices, gathered by practice; at least one."""
    ordered = sorted(items, key=lambda each: (each.practice, each.is_over))
    practices = ", ".join(dict.fromkeys(each.practice for each in ordered))
    count = "Something needs a person" if len(ordered) == 1 else f"{len(ordered)} things need a person"
    subject = f"{count}: {practices}" if urgent else f"Daily digest: {practices}"
    return _message(subject[:120], ordered, envelope)


def trial(envelope: Envelope) -> EmailMessage:
    """A mail that tells nothing, to see whether mail arrives."""
    return _message("This is a test", [], envelope)


def numbers(body: str) -> list[int]:
    """The numbers of the notices of a mail, as its row keeps them."""
    found: list[int] = json.loads(body)["notices"]
    return found


def _message(subject: str, items: Sequence[Item], envelope: Envelope) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"[Chargerouter] {subject}"
    message["From"] = f"Chargerouter <{envelope.sender}>"
    message["To"] = envelope.to
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{envelope.uid}@{envelope.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: absence notes do not answer it
    message.set_content(_text(items, envelope))
    message.add_alternative(_html(subject, items, envelope), subtype="html")
    return message


def _text(items: Sequence[Item], envelope: Envelope) -> str:
    lines = [] if items else ["This is a test; nothing happened.", ""]
    for practice, group in groupby(items[:LARGEST], key=lambda each: each.practice):
        lines += [practice, ""]
        for each in group:
            lines += [f"* {_sentence(each)}", f"  {each.link}", ""]
    lines += _more(items)
    lines += ["-- ", f"What you are told, and when, you choose at {envelope.account}"]
    return "\n".join(lines) + "\n"


def _html(subject: str, items: Sequence[Item], envelope: Envelope) -> str:
    parts = [] if items else ["<p>This is a test; nothing happened.</p>"]
    for practice, group in groupby(items[:LARGEST], key=lambda each: each.practice):
        told = "".join(
            f'<li><p>{escape(_sentence(each))}<br><a href="{escape(each.link)}">{escape(each.link)}</a></p></li>'
            for each in group
        )
        parts.append(f"<h2>{escape(practice)}</h2><ul>{told}</ul>")
    parts += [f"<p>{escape(each)}</p>" for each in _more(items) if each]
    account = escape(envelope.account)
    parts.append(f'<hr><p>What you are told, and when, you choose at <a href="{account}">{account}</a></p>')
    head = f'<head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
    return f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>\n'


def _sentence(item: Item) -> str:
    return f"Over by now: {item.sentence}" if item.is_over else item.sentence


def _more(items: Sequence[Item]) -> list[str]:
    rest = len(items) - LARGEST
    return [f"And {rest} more, which stand on the page.", ""] if rest > 0 else []
