"""Tables as the authorities publish them: a small file of each layout made by hand, and real tables where they lie."""

import csv
import io
import os
import random
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

REAL = Path(__file__).parents[4] / "shared" / "data" / "refdata"
"""Real tables, converted by others and lying beside the project where it is developed."""

WHOLE = bool(os.environ.get("CHARGES_TEST_WHOLE_TABLES"))
"""Whether tests load the whole tables rather than each 100th pair."""


def real(name: str) -> Path:
    """A real table; the test is skipped where it is not."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"no real tables at {REAL}")
    return path


PTP_HEADING = (
    "CPT codes and descriptions only are copyright 2025 American Medical Association. All rights reserved.\r\n"
    "Column1/Column2 Edits\r\n"
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\r\n"
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\r\n"
    "\t\t\t\t*=no data\t1=allowed\r\n"
    "\t\t\t\t\t9=not applicable\r\n"
)
PtpRow = tuple[str, str, str, str, str, str, str]


def write_ptp(folder: Path, rows: Sequence[PtpRow], version: str = "v322r0") -> list[Path]:
    """Four parts of the PTP table as text, in order."""
    paths = []
    for part in range(4):
        path = folder / f"ccipra-{version}-f{part + 1}.TXT"
        body = "".join("\t".join(row) + "\r\n" for row in rows[len(rows) * part // 4 : len(rows) * (part + 1) // 4])
        path.write_bytes((PTP_HEADING + body).encode("latin-1"))
        paths.append(path)
    return paths


def write_sheet(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    """A spreadsheet of one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def write_csv(path: Path, rows: Iterable[Sequence[object]], encoding: str = "latin-1") -> Path:
    """A CSV as spreadsheets save it."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


PTP_HEADS = (
    "Column 1",
    "Column 2",
    "*=in existence prior to 1996",
    "Effective Date",
    "Deletion Date *=no data",
    "Modifier",
    "Why",
)


def write_ptp_sheets(folder: Path, rows: Sequence[PtpRow], version: str = "v322r0") -> list[Path]:
    """Four parts of the PTP table as spreadsheets, in order; days and indicators are numbers there."""
    paths = []
    for part in range(4):
        share = rows[len(rows) * part // 4 : len(rows) * (part + 1) // 4]
        cells = (
            (*row[:3], int(row[3]), row[4] if row[4] == "*" else int(row[4]), int(row[5]), row[6]) for row in share
        )
        path = folder / f"ccipra-{version}-f{part + 1}.xlsx"
        paths.append(write_sheet(path, [("Notice of the AMA",), PTP_HEADS, *cells]))
    return paths


MUE_NOTICE = (
    "CPT only copyright 2025 American Medical Association.\nAll rights reserved.\n\nFee schedules are not part of CPT."
)
MUE_HEADING = (
    "HCPCS/\nCPT Code",
    "Practitioner Services MUE Values",
    "MUE Adjudication Indicator",
    "MUE Rationale",
)
MAI = {"1": "1 Line Edit", "2": "2 Date of Service Edit: Policy", "3": "3 Date of Service Edit: Clinical"}


def write_mue(
    folder: Path, rows: Iterable[tuple[str, str, str, str]], effective: str = "07-01-2026", form: str = "csv"
) -> Path:
    """The MUE table as CSV or spreadsheet; each row's third field is the MAI."""
    whole = [(MUE_NOTICE,), MUE_HEADING, *((code, units, MAI[mai], why) for code, units, mai, why in rows)]
    path = folder / f"MCR_MUE_PractitionerServices_Eff_{effective}.{form}"
    return write_csv(path, whole) if form == "csv" else write_sheet(path, whole)


def add_on_line(
    kind: str, code: str, primary: str, begin: str = "2013091", end: str = "", code_end: str = "", note: str = ""
) -> str:
    """One line of the add-on table, 97 characters wide."""
    return f"{kind}{code}{code_end:7}{primary}{'':7}{begin:7}{end:7}{note:58}\r\n"


ADD_ON_HEADS = (
    "AOC_Edit_Type", "Add-On_Code", "AOC_DelDT", "Primary_Code", "Primary_Code_DelDT", "AOC_Edit_EffDT",
    "AOC_Edit_DelDT", "Special_Instruction_Notes",
)  # fmt: skip
HCPCS_HEADS = (
    "HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1",
    *(f"LABCERT{place}" for place in range(1, 9)), "COV", "BETOS",
    "TOS1", "ADD DT", "ACT EFF DT", "TERM DT", "ACTION CD",
)  # fmt: skip

FEE_HEADING = (
    "HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,PE RVU,INDICATOR,PE RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,DAYS,OP,OP,OP,PROC,SURG,"
    "SURG,SURG,SURG,BASE,FACTOR,PROCEDURES,FLAG,FAMILY INDICATOR,AMOUNT,AMOUNT,AMOUNT"
)
FEE_NAMES = (
    "hcpcs mod desc status not_used_for_medicare work_rvu nonfac_pe nonfac_na fac_pe fac_na mp_rvu nonfac_total fac_total "
    "pctc glob_days pre_op intra_op post_op mult_proc bilat asst co_surg team_surg endo_base conv_factor diag_supervision "
    "calc_flag diag_img_family nonfac_pe_opps fac_pe_opps mp_opps"
)
"""The 31 columns of the fee schedule by place, in the names of the real table at hand."""

PLAIN_FEE = {
    "status": "A", "work_rvu": "1.30", "nonfac_total": "2.70", "fac_total": "1.95", "pctc": "0", "glob_days": "XXX",
    "mult_proc": "0", "bilat": "0", "asst": "1", "co_surg": "0", "team_surg": "0", "conv_factor": "33.4009",
    "diag_supervision": "09", "calc_flag": "0", "diag_img_family": "99", "desc": "Words of the AMA",
}  # fmt: skip


def write_fees(
    path: Path, rows: Iterable[Mapping[str, str]], *, price_indicator: bool = False, preamble: int = 9
) -> Path:
    """The fee schedule as CSV: 31 columns, or 32 with the price indicator of 2026."""

    def placed(cells: Sequence[str], extra: str) -> list[str]:
        return [*cells[:23], extra, *cells[23:]] if price_indicator else list(cells)

    whole = [["2026 National Physician Fee Schedule"] + [""] * 30] * preamble
    whole.append(placed(FEE_HEADING.split(","), "PRIC IND"))
    whole += [placed([{**PLAIN_FEE, **row}.get(name, "") for name in FEE_NAMES.split()], "0") for row in rows]
    return write_csv(path, whole)


def fee_line(code: str, modifier: str = "", **changes: str) -> str:
    """One line of the fee schedule as text of width 200."""
    row = PLAIN_FEE | changes
    line = [" "] * 200
    for first, value in (
        (1, code), (6, modifier), (8, row["desc"]), (58, row["status"]), (60, f"{row['work_rvu']:>6}"),
        (91, f"{row['nonfac_total']:>6}"), (97, f"{row['fac_total']:>6}"), (103, row["pctc"]), (104, row["glob_days"]),
        (116, row["mult_proc"]), (117, row["bilat"]), (118, row["asst"]), (119, row["co_surg"]), (120, row["team_surg"]),
        (128, row.get("endo_base", "")), (133, row["conv_factor"]), (142, row["diag_supervision"]),
        (146, row["diag_img_family"]),
    ):  # fmt: skip
        line[first - 1 : first - 1 + len(value)] = value
    return "".join(line) + "\r\n"


def order_line(order: int, code: str, billable: bool, title: str = "A title") -> str:
    """One line of the ICD-10-CM order file."""
    return f"{order:05} {code:7} {int(billable)} {title[:60]:60} {title} at length\r\n"


def hcpcs_record(
    code: str,
    kind: str = "3",
    sequence: int = 100,
    text: str = "",
    added: str = "20020701",
    ended: str = "",
    **more: str,
) -> str:
    """One record of the HCPCS file, 320 characters wide; a modifier's code stands at 4-5."""
    line = [" "] * 320
    for first, value in (
        (1, f"{code:>5}"), (6, f"{sequence:05}"), (11, kind), (12, text), (120, more.get("price", "")),
        (230, more.get("coverage", "")), (257, more.get("betos", "")), (261, more.get("service", "")),
        (181, more.get("laboratory", "")), (269, added), (277, added), (285, ended), (293, "N"),
    ):  # fmt: skip
        line[first - 1 : first - 1 + len(value)] = value
    return "".join(line) + "\r\n"


def write_add_on(folder: Path, rows: Iterable[tuple[str, str, str]], release: str, form: str) -> Path:
    """The add-on table of rows of type, add-on code and primary, as text or spreadsheet."""
    if form == "xlsx":
        cells = ((int(kind), code, None, primary, None, 2013091, None, None) for kind, code, primary in rows)
        return write_sheet(folder / f"AOC_V{release}-MCR.xlsx", [("Notice of the AMA",), ADD_ON_HEADS, *cells])
    path = folder / f"AOC_V{release}-F-MCR.txt"
    path.write_text("".join(add_on_line(*row) for row in rows), encoding="ascii", newline="")
    return path


def write_hcpcs(folder: Path, rows: Iterable[Mapping[str, str]], release: str, form: str) -> Path:
    """The HCPCS file of rows in the names of ``hcpcs_record``, as text or spreadsheet."""
    path = folder / f"HCPC{release}_ANWEB.{form}"
    if form == "txt":
        lines = (
            hcpcs_record(
                row["code"], text="Words", added=row["added"], ended=row["ended"], price=row["price"],
                coverage=row["coverage"], betos=row["betos"], service=row["service"],
                laboratory=row["laboratory"].replace(" ", ""),
            )
            for row in rows
        )  # fmt: skip
        path.write_text("".join(lines), encoding="ascii", newline="")
        return path

    def cells(row: Mapping[str, str]) -> list[object]:
        laboratory = (*row["laboratory"].split(), *[None] * 8)[:8]
        days = (int(row[name]) if row[name] else None for name in ("added", "added", "ended"))
        return [
            row["code"], 100, 3, "Words", "Words", row["price"], *laboratory, row["coverage"], row["betos"],
            row["service"], *days, "N",
        ]  # fmt: skip

    return write_sheet(path, [("Notice",), HCPCS_HEADS, *map(cells, rows)])


def write_order(path: Path, codes: Iterable[str], headers: Iterable[str]) -> Path:
    """The order file: codes that are billable and headers that are not, in order."""
    billable = set(codes)
    lines = (
        order_line(number, code, billable=code in billable)
        for number, code in enumerate(sorted(billable | set(headers)), 1)
    )
    path.write_text("".join(lines), encoding="ascii", newline="")
    return path


def write_fee_lines(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """The fee schedule as text of width 200, of rows in the names of ``fee_line``."""
    path.write_text("HDR\r\n" + "".join(fee_line(**row) for row in rows), encoding="ascii", newline="")
    return path


def real_rows(name: str) -> list[dict[str, str]]:
    """The rows of a real table that lies as CSV."""
    with real(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def real_mue() -> list[tuple[str, str, str, str]]:
    """Code, units, indicator and rationale of each real limit."""
    rows = real_rows("ncci_mue_practitioner_2024q3.csv")
    return [(row["hcpcs_code"], row["mue_units"], row["mue_mai"], row["mue_rationale"]) for row in rows]


def real_add_on() -> list[tuple[str, str, str]]:
    """Type, add-on code and primary of each real edit."""
    rows = real_rows("ncci_aoc_2024q3.csv")
    return [(row["aoc_edit_type"], row["add_on_code"], row["primary_code"]) for row in rows]


def real_hcpcs() -> list[dict[str, str]]:
    """The real codes of HCPCS level II in the names of ``hcpcs_record``."""
    return [
        {
            "code": row["hcpcs_code"],
            "price": row["price"].partition(":")[0],
            "coverage": row["cov"],
            "betos": row["betos"],
            "service": row["tos"].partition(":")[0],
            "laboratory": row["lab"].replace(",", ""),
            "added": row["date_added"].replace("-", ""),
            "ended": row["date_term"].replace("-", ""),
        }
        for row in real_rows("hcpcs_level2_dates_2024q3.csv")
    ]


def real_fee_indicators() -> list[dict[str, str]]:
    """The real payment policy indicators in the names of ``fee_line``."""

    def digit(text: str) -> str:
        return text.removesuffix(".0")

    return [
        {
            "code": row["hcpcs_code"],
            "modifier": row["mod"],
            "status": row["status"],
            "pctc": digit(row["pctc"]),
            "glob_days": row["glob"],
            "mult_proc": digit(row["mult_proc"]),
            "bilat": digit(row["bilat_surg"]),
            "asst": digit(row["asst_surg"]),
            "co_surg": digit(row["co_surg"]),
            "team_surg": digit(row["team_surg"]),
            "endo_base": row["endo_base"],
            "diag_supervision": row["phys_diag_pro"],
            "diag_img_family": row["diag_img_fam"],
        }
        for row in real_rows("pfs_rvu_indicators_2024q3.csv")
    ]


def real_diagnoses() -> tuple[frozenset[str], frozenset[str]]:
    """The billable diagnoses of April 2026, undotted, and the headers above them.

    The list at hand was put together from the tabular list and holds what no order file does: head injuries (S06) with
    death as their outcome (7 or 8 in place 6) in later encounters.
    """
    parquet = pytest.importorskip("pyarrow.parquet")
    listed = parquet.read_table(real("icd10cm_2026apr_billable.parquet"), columns=["code"])["code"].to_pylist()
    codes = frozenset(code for code in listed if not re.fullmatch(r"S06..[78][DS]", code))
    above = {code[:length] for code in codes for length in range(3, len(code)) if code[length - 1] != "X"}
    return codes, frozenset(above - codes)


def real_ptp(step: int = 1 if WHOLE else 100) -> Iterator[PtpRow]:
    """The real PTP table as published, each 100th pair or all (``step`` 1).

    Its source dropped the effective dates, so all are one. A row that never applied (indicator 9) begins on the day it
    ends, as published.
    """
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(real("ncci_ptp_practitioner_2024q3.parquet"))
    for batch in table.to_batches(max_chunksize=100_000):
        columns = [
            batch.column(name).to_pylist() for name in ("column1", "column2", "deletion", "modifier", "rationale")
        ]
        for number, (column1, column2, deletion, indicator, rationale) in enumerate(zip(*columns, strict=True)):
            if number % step == 0:
                end = f"{deletion:%Y%m%d}" if deletion else "*"
                begin = end if indicator == 9 and deletion else "19960101"
                yield column1, column2, "", begin, end, str(indicator), rationale


def real_ptp_among(codes: Collection[str]) -> list[PtpRow]:
    """The real rows of all pairs of these codes; each begins the day after the one before it of its pair ended."""
    parquet = pytest.importorskip("pyarrow.parquet")
    filters = [("column1", "in", codes), ("column2", "in", codes)]
    table = parquet.read_table(real("ncci_ptp_practitioner_2024q3.parquet"), filters=filters).to_pylist()
    rows: list[PtpRow] = []
    begin: dict[tuple[str, str], date] = {}
    for row in sorted(table, key=lambda row: (row["column1"], row["column2"], row["deletion"] or date.max)):
        pair, end = (row["column1"], row["column2"]), row["deletion"]
        never = row["modifier"] == 9 and end
        since = end if never else begin.get(pair, date(1996, 1, 1))
        if not never and end:
            begin[pair] = end + timedelta(days=1)
        last = f"{end:%Y%m%d}" if end else "*"
        rows.append((*pair, "", f"{since:%Y%m%d}", last, str(row["modifier"]), row["rationale"]))
    return rows


def sample_days(seed: int, count: int) -> list[date]:
    """Some dates of service over the years."""
    chance = random.Random(seed)
    return [date(chance.randint(1996, 2026), chance.randint(1, 12), chance.randint(1, 28)) for _ in range(count)]
