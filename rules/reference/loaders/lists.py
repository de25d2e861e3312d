"""Lists with a heading: the code editor's diagnoses, places, taxonomy, telehealth, waived tests, policies, prices.

The Medicare Code Editor, NUCC and CMS's telehealth list are read as published. For what is only published as a page or a
PDF (places of service, waived tests, coverage policies), and for the practice's own prices, a plain CSV does: columns in
any order, known by their names; dates as 2026-07-01 or 07/01/2026.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date

from charges.errors import Unreadable
from rules.reference.drafts import Dates, Draft, draft, fiscal_year, found
from rules.reference.files import Document, amount, fault, written_day
from rules.reference.icd import undotted

_CODE = re.compile(r"[0-9A-Z]{5}")
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z]{2,6}")
_TRUE = ("1", "y", "yes", "true", "x")
_FALSE = ("0", "n", "no", "false", "")
_MCE_HEADS = ("MCE_Version", "MCE_Edit_Type", "ICD_Code_Type", "ICD_Code")
_MCE_KINDS = {
    "newborn_only": "newborn",
    "pediatric_only": "pediatric",
    "maternity_only": "maternity",
    "adult_only": "adult",
    "female_only": "female",
    "male_only": "male",
    "principal_manifestation": "manifestation",
}


def load_mce(document: Document, told: Dates) -> Iterator[Draft]:
    """``MCE_Simple_Code_Edits_v41.1.txt``, tabs and a heading: table ``mce``.

    Only what holds for professional claims is kept: age, sex, manifestation; "unacceptable principal diagnosis" and the
    like are edits of inpatient claims. Version 37 is that of fiscal year 2020; ``.1`` comes in April.
    """
    version = found(r"v(\d\d)(?:[._](\d))?", document.label)
    dates = fiscal_year(int(version[1]) + 1983, april=bool(version[2] and version[2] != "0")) if version else Dates()
    made = draft("mce", document, told, dates)
    for number, row in _rows(document, _MCE_HEADS, ("ICD_Version", "MCE_Section", "MCE_Subsection", "ICD_Desc")):
        code, kind = undotted(row["ICD_Code"]), row["MCE_Edit_Type"].lower()
        if row["ICD_Code_Type"] == "D" and kind in _MCE_KINDS:
            if not _DIAGNOSIS.fullmatch(code):
                raise fault(document, number, f"{code or 'nothing'} is no ICD-10-CM code.")
            made.add(code, kind=_MCE_KINDS[kind])
    yield _whole(document, made)


def load_taxonomy(document: Document, told: Dates) -> Iterator[Draft]:
    """``nucc_taxonomy_261.csv``: table ``taxonomy``. Version 26.0 is in force from April, 26.1 from October."""
    version = found(r"taxonomy_?v?(\d\d)[._]?([01])", document.label)
    dates = Dates()
    if version:
        year = 2000 + int(version[1])
        first = version[2] == "0"
        dates = Dates(
            f"{version[1]}.{version[2]}",
            date(year, 4, 1) if first else date(year, 10, 1),
            date(year, 9, 30) if first else date(year + 1, 3, 31),
        )
    made = draft("taxonomy", document, told, dates)
    others = ("Grouping", "Classification", "Specialization", "Definition", "Notes", "Display Name")
    for number, row in _rows(document, ("Code", "Section"), others):
        if not re.fullmatch(r"[0-9A-Z]{9}X", row["Code"]) or row["Section"] not in ("Individual", "Non-Individual"):
            raise fault(document, number, "is no taxonomy code of ten characters with its section.")
        made.add(row["Code"], individual=row["Section"] == "Individual")
    yield _whole(document, made)


def load_telehealth(document: Document, told: Dates) -> Iterator[Draft]:
    """``List of Telehealth Services for Calendar Year 2026``, as .txt, .csv or .xlsx: table ``telehealth``."""
    year = found(r"(20\d\d)", document.label)
    dates = Dates(year[1], date(int(year[1]), 1, 1), date(int(year[1]), 12, 31)) if year else Dates()
    made = draft("telehealth", document, told, dates)
    heads: list[str] = []
    for number, cells in document.cells():
        if not heads:
            if cells and cells[0].lower() in ("hcpcs", "code", "cpt/hcpcs", "hcpcs code"):
                heads = [cell.lower() for cell in cells]
        elif any(cells):
            if not _CODE.fullmatch(cells[0]):
                raise fault(document, number, f"{cells[0] or 'nothing'} is no code of five characters.")
            named = dict(zip(heads, cells, strict=False))
            status = next((cell for head, cell in named.items() if "status" in head or "action" in head), "")
            audio = next((cell for head, cell in named.items() if "audio" in head), "")
            made.add(cells[0], status=status, audio_only=audio.lower().startswith("y"))
    yield _whole(document, made)


def load_pos(document: Document, told: Dates) -> Iterator[Draft]:
    """CSV ``code,name,facility[,from,to]``: table ``pos``."""
    made = draft("pos", document, told, Dates())
    for number, row in _rows(document, ("code", "name", "facility"), ("from", "to", "description")):
        if not re.fullmatch(r"[0-9]{2}", row["code"]):
            raise fault(document, number, f"{row['code'] or 'nothing'} is no place of service code of two digits.")
        facility = _yes(document, number, row, "facility")
        made.add(row["code"], **_days(document, number, row), facility=facility, name=row["name"])
    yield _whole(document, made)


def load_waived(document: Document, told: Dates) -> Iterator[Draft]:
    """CSV ``code,needs_qw[,from,to]``: table ``waived``."""
    made = draft("waived", document, told, Dates())
    for number, row in _rows(document, ("code", "needs_qw"), ("from", "to")):
        code = _code(document, number, row["code"])
        made.add(code, **_days(document, number, row), needs_qw=_yes(document, number, row, "needs_qw"))
    yield _whole(document, made)


def load_policies(document: Document, told: Dates) -> Iterator[Draft]:
    """CSV ``policy,procedure,diagnosis,covered[,from,to]``: table ``policies``."""
    made = draft("policies", document, told, Dates())
    for number, row in _rows(document, ("policy", "procedure", "diagnosis", "covered"), ("from", "to")):
        procedure, diagnosis = _code(document, number, row["procedure"]), undotted(row["diagnosis"])
        if not _DIAGNOSIS.fullmatch(diagnosis) or not row["policy"]:
            raise fault(document, number, "needs the policy's number and a diagnosis of ICD-10-CM.")
        covered = _yes(document, number, row, "covered")
        made.add(procedure, diagnosis, **_days(document, number, row), policy=row["policy"], covered=covered)
    yield _whole(document, made)


def load_prices(document: Document, told: Dates) -> Iterator[Draft]:
    """CSV ``code,price[,modifier,from,to]``: table ``prices``, of one practice."""
    made = draft("prices", document, told, Dates())
    for number, row in _rows(document, ("code", "price"), ("modifier", "from", "to", "description")):
        code, price, modifier = _code(document, number, row["code"]), amount(row["price"]), row["modifier"].upper()
        if not row["price"] or price is None or price < 0 or price.as_tuple().exponent not in (0, -1, -2):
            raise fault(document, number, f"{row['price'] or 'nothing'} is no price in dollars and cents.")
        if not re.fullmatch(r"|[0-9A-Z]{2}", modifier):
            raise fault(document, number, f"{modifier} is no modifier of two characters.")
        made.add(code, modifier, **_days(document, number, row), amount=price)
    yield _whole(document, made)


def _rows(document: Document, wanted: tuple[str, ...], others: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by the names of its columns, which stand in the first row that is not empty, in any order and case."""
    places: dict[str, int] = {}
    width = 0
    for number, cells in document.cells():
        if not any(cells):
            continue
        if not width:
            heads = [cell.lower() for cell in cells]
            width = len(heads)
            known = {name.lower(): name for name in (*wanted, *others)}
            if missing := [name for name in wanted if name.lower() not in heads]:
                raise fault(document, number, f"the heading lacks {', '.join(missing)}; the file is another.")
            if len(set(heads)) < len(heads) or (unknown := sorted(set(heads) - known.keys() - {""})):
                said = "names a column twice" if len(set(heads)) < len(heads) else f"has the unknown columns {unknown}"
                raise fault(document, number, f"the heading {said}.")
            places = {known[head]: place for place, head in enumerate(heads) if head}
        elif len(cells) != width:
            raise fault(document, number, f"has {len(cells)} columns and the heading {width}.")
        else:
            yield number, {**dict.fromkeys(others, ""), **{name: cells[place] for name, place in places.items()}}


def _whole(document: Document, made: Draft) -> Draft:
    if not len(made.builder):
        raise Unreadable(f"{document.name} holds no row of the table of {made.table.title}; it is another file.")
    return made


def _code(document: Document, number: int, text: str) -> str:
    code = text.upper()
    if not _CODE.fullmatch(code):
        raise fault(document, number, f"{text or 'nothing'} is no procedure code of five characters.")
    return code


def _yes(document: Document, number: int, row: Mapping[str, str], name: str) -> bool:
    said = row[name].lower()
    if said not in _TRUE + _FALSE:
        raise fault(document, number, f"{row[name]} under {name} is neither yes nor no.")
    return said in _TRUE


def _days(document: Document, number: int, row: Mapping[str, str]) -> dict[str, date | None]:
    """The row's own dates, if it has any."""
    days = {"since": written_day(row["from"]), "until": written_day(row["to"])}
    for name, said in (("since", row["from"]), ("until", row["to"])):
        if said and days[name] is None:
            raise fault(document, number, f"{said} is no date; write 2026-07-01.")
    return days
