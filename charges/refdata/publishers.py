"""Where the authorities publish their tables: the page, and how the link to a date's release looks on it.

File names change a little with each release (a revision, an "updated" with a date), so the page is asked for its links
rather than a name guessed. CMS leads links to files with CPT codes past its licence page (``/license/ama?file=``); whoever
fetches them agrees to those terms first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

from charges.errors import Refused

_CMS = "https://www.cms.gov/medicare/"
_NCCI = _CMS + "coding-billing/national-correct-coding-initiative-ncci-edits/"
_QUARTER_MONTHS = ("january", "april", "july", "october")


@dataclass(frozen=True, slots=True)
class Publisher:
    """The page of a table for a date of service, and patterns of its links; the first that is found counts."""

    page: Callable[[date], str]
    links: Callable[[date], tuple[str, ...]]


def _quarter(on: date) -> int:
    return (on.month - 1) // 3 + 1


def _fiscal_year(on: date) -> int:
    return on.year + (on.month >= 10)


def _april(on: date) -> bool:
    return 4 <= on.month <= 9


def _icd_links(on: date) -> tuple[str, ...]:
    year = _fiscal_year(on)
    whole = rf"/{year}-code-descriptions-tabular-order.*\.zip"
    return (rf"april-1-{year}-code-descriptions-tabular-order.*\.zip", whole) if _april(on) else (whole,)


def _taxonomy_version(on: date) -> str:
    """The version in force: ``.0`` from April, ``.1`` from October."""
    year, half = (on.year, 0) if _april(on) else (on.year - (on.month < 4), 1)
    return f"{year % 100}{half}"


PUBLISHERS: Mapping[str, Publisher] = {
    "ptp": Publisher(
        lambda _: _NCCI + "medicare-ncci-procedure-procedure-ptp-edits",
        lambda on: (rf"practitioner-ptp-edits-ccipra-v{on.year - 1994}{_quarter(on) - 1}r\d+-f\d\.zip",),
    ),
    "mue": Publisher(
        lambda _: _NCCI + "medicare-ncci-medically-unlikely-edits-mues",
        lambda on: (rf"{on.year}-?q{_quarter(on)}-practitioner-services-mue-table.*\.zip",),
    ),
    "add_on": Publisher(
        lambda _: _NCCI + "medicare-ncci-add-code-edits",
        lambda on: (rf"aoc_?v{on.year}q{_quarter(on)}.*\.(zip|txt|xlsx)", rf"add-on-code.*{on.year}.*\.zip"),
    ),
    "icd": Publisher(lambda _: _CMS + "coding-billing/icd-10-codes", _icd_links),
    "icd_notes": Publisher(
        lambda on: (
            f"https://ftp.cdc.gov/pub/Health_Statistics/NCHS/Publications/ICD10CM/{_fiscal_year(on)}"
            f"{'-update' if _april(on) else ''}/"
        ),
        lambda _: (r"icd10cm-table-and-index.*\.zip",),
    ),
    "hcpcs": Publisher(
        lambda _: _CMS + "coding-billing/healthcare-common-procedure-system/quarterly-update",
        lambda on: (rf"{_QUARTER_MONTHS[_quarter(on) - 1]}-{on.year}-alpha-numeric-hcpcs-file.*\.zip",),
    ),
    "fees": Publisher(
        lambda on: (
            _CMS + "payment/fee-schedules/physician/pfs-relative-value-files/"
            f"rvu{on.year % 100}{'abcd'[_quarter(on) - 1]}"
        ),
        lambda on: (rf"rvu{on.year % 100}{'abcd'[_quarter(on) - 1]}.*\.zip",),
    ),
    "taxonomy": Publisher(
        lambda _: "https://www.nucc.org/index.php/code-sets-mainmenu-41/provider-taxonomy-mainmenu-40/csv-mainmenu-57",
        lambda on: (rf"nucc_taxonomy_{_taxonomy_version(on)}\.csv",),
    ),
    "telehealth": Publisher(
        lambda _: _CMS + "coverage/telehealth/list-services",
        lambda on: (rf"list-telehealth-services-calendar-year-{on.year}.*\.zip",),
    ),
}
"""Tables that are published as files. The others are loaded from a CSV that somebody made."""

_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def links_on(html: str, page: str, patterns: tuple[str, ...]) -> list[str]:
    """The addresses of the files that a page links to, without CMS's licence page before them; raises Refused.

    Where a file is there in several revisions (``r0``, ``r1``), the last counts.

    >>> html = '<a href="/license/ama?file=//files/zip/x-v322r0-f1.zip">Part 1</a> <a href="/files/zip/y.zip">other</a>'
    >>> links_on(html, "https://www.cms.gov/page", (r"v322r[0-9]+-f[0-9][.]zip",))
    ['https://www.cms.gov/files/zip/x-v322r0-f1.zip']
    """
    addresses = dict.fromkeys(
        _unwrapped(urljoin(page, unescape(double or single))) for double, single in _HREF.findall(html)
    )
    for pattern in patterns:
        found = [address for address in addresses if re.search(pattern, urlsplit(address).path, re.IGNORECASE)]
        if found:
            newest = {re.sub(r"r\d+(?=-f\d)", "", address): address for address in sorted(found)}
            return list(newest.values())
    raise Refused(
        f"The page {page} links to no file of that release. It may not be published yet, or the page has changed: "
        "open it, and give the file's address with --url, or download it and use `charges refdata load`."
    )


def _unwrapped(address: str) -> str:
    parts = urlsplit(address)
    if parts.path.endswith("/license/ama"):
        files = parse_qs(parts.query).get("file", [])
        if files:
            return urljoin(address, "/" + files[0].lstrip("/"))
    return address
