"""Pages out of templates: everything is escaped, forms carry their session's token, the navigation is the viewer's own."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import segno
from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from charges.users import sessions
from charges.users.sessions import Signed
from charges.web.site import Site


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("charges.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "money": money,
        "moment": moment,
        "counted": counted,
        "day": day,
        "pair": pair,
        "span": span,
        "word_of": word_of,
        "qr": qr,
        "spoken": spoken,
    }
    environment.globals["static"] = static
    return environment


@cache
def static(name: str) -> str:
    """The address of a file of ``/static``; it changes with its content, so that it may be kept for long."""
    content = files("charges.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def page(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A page, or the part of one that a template without ``base.html`` makes."""
    return HTMLResponse(_environment().get_template(template).render(_shared(request) | context), status)


def _shared(request: Request) -> dict[str, Any]:
    """What every template is given beside what its page gives it."""
    signed: Signed | None = getattr(request.state, "signed", None)
    entries = request.app.state.navigation
    return {
        "viewer": signed.viewer if signed else None,
        "csrf": signed.csrf if signed else "",
        "flash": signed.flash if signed else "",
        "navigation": [each for each in entries if signed and signed.viewer.may(each.permission)],
        "path": request.url.path,
    }


def went_well(request: Request, to: str, sentence: str) -> Response:
    """After an act: the page ``to``, which shows the sentence once."""
    site: Site = request.app.state.site
    signed: Signed = request.state.signed
    sessions.tell(site.database, signed.number, sentence)
    return RedirectResponse(to, 303)


def next_page(request: Request, **changes: object) -> str:
    """The address of the same list with some of its questions changed; empty ones are left out."""
    asked: Mapping[str, str] = {name: str(value) for name, value in changes.items() if value not in (None, "")}
    kept = {name: value for name, value in request.query_params.items() if name not in changes and value}
    return str(request.url.replace(scheme="", netloc="", query="").include_query_params(**kept, **asked))


def money(amount: Decimal) -> str:
    """Dollars and cents.

    >>> money(Decimal("1234.5"))
    '1,234.50'
    """
    return f"{amount:,.2f}"


def moment(at: datetime | None) -> str:
    """A moment to the minute, with its zone; a dash where there is none."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "-"


def pair(word: str) -> tuple[str, str]:
    """A word of a choice, as its value and as it is read.

    >>> pair("partly_accepted")
    ('partly_accepted', 'partly accepted')
    """
    return word, word.replace("_", " ")


def span(length: timedelta | None) -> str:
    """How long, in the two greatest units; a dash for nothing.

    >>> span(timedelta(days=3, hours=4, minutes=5)), span(timedelta(minutes=7)), span(None)
    ('3 d 4 h', '0 h 7 min', '-')
    """
    if length is None:
        return "-"
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    days, rest = divmod(hours, 24)
    return f"{days} d {rest} h" if days else f"{hours} h {minutes} min"


def word_of(name: str, words: Mapping[str, str]) -> str:
    """What something is called where it is read."""
    return words[name]


def spoken(at: str) -> str:
    """The path of a field as people say it.

    >>> spoken("lines[0].place_of_service"), spoken("patient.birth_date")
    ('line 1 place of service', 'patient birth date')
    """
    counted_from_one = re.sub(r"s?\[(\d+)\]", lambda found: f" {int(found[1]) + 1}", at)
    return counted_from_one.replace(".", " ").replace("_", " ")


def qr(text: str, says: str) -> Markup:
    """A QR code of a text as SVG in the page, black on white whatever the page's colours, read out as ``says``."""
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(scale=4, dark="#000", light="#fff", omitsize=False)
    return Markup('<span class="qr" role="img" aria-label="{}">{}</span>').format(says, Markup(drawn))  # noqa: S704 - made of the code's squares alone


def day(at: datetime) -> str:
    """The day of a moment."""
    return f"{at:%Y-%m-%d}"


def counted(count: int, thing: str, things: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "file"), counted(2000, "file")
    ('1 file', '2,000 files')
    """
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
