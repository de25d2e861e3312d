"""Each published layout, with the traps it has; and what is refused, with the line."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from charges.errors import Refused, Unreadable
from rules.reference import Reference, Release
from rules.reference.drafts import Dates
from rules.reference.loaders import KINDS, kind_named, kind_of
from rules.reference.loading import Wish, load
from rules.reference.rows import HcpcsCode
from tests.rules.reference import published

ON = date(2026, 8, 15)


def loaded(folder: Path, *paths: Path, table: str = "", **wish: object) -> tuple[Release, Reference]:
    """Load files into a folder of tables beside them."""
    kind = kind_named(table) if table else kind_of(paths[0].name)
    (release,) = load(folder / "reference", kind, paths, Wish(**wish))  # type: ignore[arg-type]
    return release, Reference.open(folder / "reference")


def text(path: Path, content: str) -> Path:
    path.write_bytes(content.encode("latin-1"))
    return path


# Procedure-to-procedure edits.

CMS = "CPT Manual or CMS manual coding instruction"
PTP: list[published.PtpRow] = [
    ("0001A", "36591", "", "20220101", "20231231", "0", CMS),
    ("43239", "43235", "*", "19960101", "*", "0", "More extensive procedure"),
    ("99213", "36415", "", "20050101", "20050101", "9", "Misuse of Column Two code with Column One code"),
    ("99213", "G0453", "", "20130101", "20191231", "0", CMS),
    ("99213", "G0453", "", "20200101", "*", "1", CMS),
]


@pytest.mark.parametrize("form", ["text", "sheets", "zips"])
def test_ptp_edits(tmp_path: Path, form: str) -> None:
    write = published.write_ptp_sheets if form == "sheets" else published.write_ptp
    paths = write(tmp_path, PTP)
    if form == "zips":
        zips = []
        for part, path in enumerate(paths, 1):
            zips.append(tmp_path / f"medicare-ncci-2026q3-practitioner-ptp-edits-ccipra-v322r0-f{part}.zip")
            with zipfile.ZipFile(zips[-1], "w") as archive:
                archive.write(path, f"ccipra/{path.name}")
                archive.writestr(f"ccipra/{path.stem}.xlsx", b"the same again")
        paths = zips
    release, tables = loaded(tmp_path, *paths)
    assert (release.name, release.since, release.until) == ("2026Q3", date(1996, 1, 1), date(2026, 9, 30))
    assert release.rows == 5
    assert len(release.sources) == 4
    found = tables.ptp("43239", "43235", ON)
    assert found is not None
    assert (found.modifier_indicator, found.since, found.until) == ("0", date(1996, 1, 1), date.max)
    assert tables.ptp("43235", "43239", ON) is None
    ended = [tables.ptp("0001A", "36591", day) for day in (date(2023, 12, 31), date(2024, 1, 1), date(2021, 12, 31))]
    assert [edit is not None for edit in ended] == [True, False, False]
    assert tables.ptp("99213", "36415", date(2005, 1, 1)) is None, "indicator 9 never applied"
    changed = [tables.ptp("99213", "G0453", day) for day in (date(2019, 12, 31), date(2020, 1, 1))]
    assert [edit.modifier_indicator for edit in changed if edit] == ["0", "1"]


@pytest.mark.parametrize("heading", ["", "Notice\r\n", published.PTP_HEADING * 4])
def test_the_lines_above_ptp_edits_are_of_any_number(tmp_path: Path, heading: str) -> None:
    paths = published.write_ptp(tmp_path, PTP)
    for path in paths:
        path.write_bytes(path.read_bytes().replace(published.PTP_HEADING.encode(), heading.encode()))
    release, _ = loaded(tmp_path, *paths)
    assert release.rows == len(PTP)


def test_a_pair_with_two_rows_of_one_day_is_found(tmp_path: Path) -> None:
    _, tables = loaded(tmp_path, *published.write_ptp(tmp_path, [PTP[1]] * 8))
    assert tables.ptp("43239", "43235", ON) is not None


def test_ptp_parts_are_loaded_together(tmp_path: Path) -> None:
    paths = published.write_ptp(tmp_path, PTP)
    with pytest.raises(Refused, match="f2, f4 is not among the files"):
        loaded(tmp_path, paths[0], paths[2])
    other = published.write_ptp(tmp_path, PTP, "v321r0")
    with pytest.raises(Refused, match="parts of different releases"):
        loaded(tmp_path, *paths[:3], other[3])


def test_ptp_columns_that_moved_are_refused(tmp_path: Path) -> None:
    moved = [(row[0], row[1], row[5], row[3], row[4], row[2], row[6]) for row in PTP] * 20
    paths = published.write_ptp(tmp_path, moved)
    with pytest.raises(Unreadable, match=r"f1\.TXT"):
        loaded(tmp_path, *paths)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"20220101\t20231231", b"20220101\t20231331", "is no date of the form YYYYMMDD"),
        (b"20231231\t0", b"20231231\t3", "is no row of NCCI edits"),
        (b"\t20231231\t0", b"\t0", "is no row of NCCI edits"),
        (b"instruction\r\n", b"instr", "the file ends in the middle of a line"),
    ],
)
def test_a_faulty_ptp_row_is_refused_with_its_line(tmp_path: Path, before: bytes, after: bytes, why: str) -> None:
    paths = published.write_ptp(tmp_path, [PTP[1], PTP[0], *[PTP[1]] * 6])
    paths[0].write_bytes(paths[0].read_bytes().replace(before, after))
    with pytest.raises(Unreadable, match=rf"ccipra-v322r0-f1\.TXT, line 8: .*{why}"):
        loaded(tmp_path, *paths)
    assert not (tmp_path / "reference").exists()


def test_the_file_of_changes_is_no_ptp_table(tmp_path: Path) -> None:
    changes = "Additions\r\nColumn 1\tColumn 2\tModifier\tEffective\r\n" + "0001A\t36591\t1\t20260701\r\n" * 80
    paths = [text(tmp_path / f"ccipra-v322r0-f{part}.TXT", changes) for part in range(1, 5)]
    with pytest.raises(Unreadable, match="the file is another or its columns moved"):
        loaded(tmp_path, *paths)


def test_a_zip_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "medicare-ncci-2026-q3-practitioner-services-mue-table.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MCR_MUE_PractitionerServices_Eff_07-01-2026.csv", "x" * 5000)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(Unreadable, match="cut short or no zip"):
        loaded(tmp_path, path)


# Medically unlikely edits.

MUE = [
    ("0003M", "1", "3", "Nature of Analyte"),
    ("36416", "0", "3", "CMS Policy"),
    ("97110", "6", "3", "Clinical: Data"),
]


def test_mue_limits(tmp_path: Path) -> None:
    release, tables = loaded(tmp_path, published.write_mue(tmp_path, MUE))
    assert (release.name, release.since, release.until) == ("2026Q3", date(2026, 7, 1), date(2026, 9, 30))
    never, therapy = tables.mue("36416", ON), tables.mue("97110", ON)
    assert never is not None
    assert therapy is not None
    assert never.units == 0
    assert (therapy.units, therapy.adjudication_indicator, therapy.rationale) == (6, 3, "Clinical: Data")


def test_spaces_that_do_not_break_are_no_part_of_a_code(tmp_path: Path) -> None:
    rows = [("0003M\xa0", "1\xa0", "3", "Nature of Analyte"), *MUE[1:]]
    _, tables = loaded(tmp_path, published.write_mue(tmp_path, rows))
    assert tables.mue("0003M", ON) is not None


def test_mue_limits_of_a_spreadsheet(tmp_path: Path) -> None:
    rows = [
        (published.MUE_NOTICE,),
        published.MUE_HEADING,
        ("0003M", 1, "3 Date of Service Edit: Clinical", "Nature of Analyte"),
    ]
    path = published.write_sheet(tmp_path / "MCR_MUE_PractitionerServices_Eff_07-01-2026.xlsx", rows)
    release, tables = loaded(tmp_path, path)
    assert release.rows == 1
    assert tables.mue("0003M", ON) is not None


def test_mue_tables_of_others_are_refused(tmp_path: Path) -> None:
    heading = ("HCPCS/\nCPT Code", "DME Supplier Services MUE Values", *published.MUE_HEADING[2:])
    path = tmp_path / "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv"
    published.write_csv(path, [heading, ("A4253", "1", "3 Date", "x")])
    with pytest.raises(Unreadable, match=r"line 1: is not the heading of the MUE table for practitioner services"):
        loaded(tmp_path, path)
    published.write_csv(path, [published.MUE_HEADING[::-1], ("why", "3 Date", "1", "0003M")])
    with pytest.raises(Unreadable, match="line 1: is not the heading"):
        loaded(tmp_path, path)


def test_a_faulty_mue_row_is_refused_with_its_line(tmp_path: Path) -> None:
    path = published.write_mue(tmp_path, MUE)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"36416,0", b"36416,none"))
    with pytest.raises(Unreadable, match="line 8: is no row of an MUE table"):
        loaded(tmp_path, path)
    path.write_bytes(content[: content.index(b"97110") + 7])
    with pytest.raises(Unreadable, match="line 9: is no row of an MUE table"):
        loaded(tmp_path, path)


# Add-on codes.


def test_add_on_codes_of_fixed_width(tmp_path: Path) -> None:
    lines = [
        published.add_on_line("1", "0071U", "0070U"),
        published.add_on_line("2", "0054T", "CCCCC", note="Contractors decide"),
        published.add_on_line("3", "96160", "99213", begin="2017001"),
        published.add_on_line("3", "96160", "99214", begin="2017001", end="2025365"),
        published.add_on_line("1", "0099T", "99213", code_end="2020366"),
    ]
    release, tables = loaded(tmp_path, text(tmp_path / "AOC_V2026Q2-F-MCR.txt", "".join(lines)))
    assert (release.name, release.until) == ("2026Q2", date(2026, 12, 31))
    first, second, third = (tables.add_on(code, ON) for code in ("0071U", "0054T", "96160"))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.type, set(first.primaries)) == (1, {"0070U"})
    assert (second.type, second.primaries, second.edits[0].note) == (2, frozenset(), "Contractors decide")
    assert (third.type, set(third.primaries)) == (3, {"99213"})
    then = tables.add_on("96160", date(2025, 12, 31))
    assert then is not None
    assert then.primaries == {"99213", "99214"}
    assert tables.add_on("10071", ON) is None
    assert tables.add_on("0099T", date(2020, 12, 31)) is not None
    assert tables.add_on("0099T", date(2021, 1, 1)) is None


def test_add_on_codes_of_a_spreadsheet(tmp_path: Path) -> None:
    heading = list(published.ADD_ON_HEADS)
    rows = [
        (1, "90472", None, "90471", None, 2013091, None, None),
        (1, "90472", None, "90473", None, 2013091, 9999999, None),
        (1, "90472", None, "96372", None, 2013091, 2020366, None),
        (1, "90474", 2020366, "90471", None, 2013091, 0, None),
    ]
    path = tmp_path / "AOC_V2026Q2-MCR.xlsx"
    published.write_sheet(path, [("Notice of the AMA",), heading, *rows])
    _, tables = loaded(tmp_path, path)
    found = tables.add_on("90472", ON)
    assert found is not None
    assert {edit.since for edit in found.edits} == {date(2013, 4, 1)}
    assert found.primaries == {"90471", "90473"}, "0 and 9999999 are no end, 2020366 is the last of 2020"
    assert tables.add_on("90474", ON) is None
    heading[1], heading[3] = heading[3], heading[1]
    published.write_sheet(path, [("Notice of the AMA",), heading, *rows])
    with pytest.raises(Unreadable, match="line 2: the columns of the add-on table are others, or in another order"):
        loaded(tmp_path, path)


@pytest.mark.parametrize(
    "line",
    [
        published.add_on_line("4", "0071U", "0070U"),
        published.add_on_line("1", "0071U", "0070U", begin="2026400"),
        published.add_on_line("1", "0071 ", "0070U"),
        published.add_on_line("1", "0071U", "0070U", note="x" * 59),
    ],
)
def test_a_faulty_add_on_line_is_refused(tmp_path: Path, line: str) -> None:
    good = published.add_on_line("1", "0071U", "0070U")
    with pytest.raises(Unreadable, match=r"AOC_V2026Q2-F-MCR\.txt, line 2: is"):
        loaded(tmp_path, text(tmp_path / "AOC_V2026Q2-F-MCR.txt", good + line))


# ICD-10-CM.


def test_icd_order_file(tmp_path: Path) -> None:
    lines = [
        published.order_line(1, "A00", billable=False),
        published.order_line(2, "A000", billable=True),
        published.order_line(3, "QA00101", billable=True),
    ]
    release, tables = loaded(tmp_path, text(tmp_path / "icd10cm_order_2027.txt", "".join(lines)))
    assert (release.name, release.since, release.until) == ("FY2027", date(2026, 10, 1), date(2027, 9, 30))
    header, code = (tables.icd(each, date(2026, 10, 1)) for each in ("A00", "a00.0"))
    assert header is not None
    assert code is not None
    assert (header.billable, code.billable, code.title) == (False, True, "A title")
    assert tables.icd("QA0.0101", date(2026, 10, 1)) is not None, "a letter may stand in the second place"


def test_icd_order_files_of_april_supersede(tmp_path: Path) -> None:
    for name, codes in (("icd10cm_order_2026.txt", ["A000"]), ("icd10cm-order-april-2026.txt", ["A000", "A001"])):
        lines = [published.order_line(number, code, billable=True) for number, code in enumerate(codes, 1)]
        loaded(tmp_path, text(tmp_path / name, "".join(lines)))
    tables = Reference.open(tmp_path / "reference")
    assert tables.icd("A001", date(2026, 3, 31)) is None
    assert tables.icd("A001", date(2026, 4, 1)) is not None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            published.order_line(1, "A00", billable=False) + published.order_line(3, "A001", billable=True),
            "line 2: order number",
        ),
        (published.order_line(1, "A00", billable=False)[:-9], "line 1: the file ends in the middle"),
        ("A00    00001 0 Cholera\r\n", "line 1: is no line of an ICD-10-CM order file"),
        ("", "holds no ICD-10-CM code"),
    ],
)
def test_a_faulty_order_file_is_refused(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        loaded(tmp_path, text(tmp_path / "icd10cm_order_2027.txt", content))


def test_the_addenda_are_no_order_file(tmp_path: Path) -> None:
    path = text(tmp_path / "icd10cm_order_addenda_2027.txt", "Add:     A00.2 Cholera\r\n")
    with pytest.raises(Unreadable, match="lists changes alone"):
        loaded(tmp_path, path)


TABULAR = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular><version>2027</version>
<chapter><name>4</name><desc>Chapter (E00-E89)</desc>
 <excludes1><note>symptoms (R00-R94)</note></excludes1>
 <section id="E08-E13"><desc>Diabetes</desc>
  <useAdditionalCode><note>code for insulin (Z79.4)</note></useAdditionalCode>
  <diag><name>E10</name><desc>Type 1</desc>
   <excludes1><note>other diabetes (E08-E09, E11.-)</note><note>neonatal diabetes</note></excludes1>
   <excludes2><note>dependence (F10-F19, with .17, .27)</note></excludes2>
   <diag><name>E10.3</name><desc>With eye</desc>
    <sevenChrDef><extension char="1">right</extension><extension char="9">unspecified</extension></sevenChrDef>
    <diag><name>E10.35</name><desc>Leaf</desc><codeFirst><note>the cause (A00.0)</note></codeFirst></diag>
   </diag>
  </diag>
 </section>
</chapter></ICD10CM.tabular>
"""


def test_icd_tabular_list(tmp_path: Path) -> None:
    release, tables = loaded(tmp_path, text(tmp_path / "icd10cm-tabular-2027.xml", TABULAR))
    on = date(2027, 1, 5)
    assert release.name == "FY2027"
    notes = tables.icd_notes("E10.35X1", on)
    assert [note.at for note in notes] == ["E1035", "E103", "E10", "E10", "E10", "E08E13", "CH4"]
    assert {(note.kind, note.at) for note in notes} == {
        ("codefirst", "E1035"),
        ("seventh", "E103"),
        ("excludes1", "E10"),
        ("excludes2", "E10"),
        ("useadditionalcode", "E08E13"),
        ("excludes1", "CH4"),
    }
    assert tables.seventh("E10.35X1", on) == {"1", "9"}
    for other, excluded in (("E11.9", True), ("E08.1", True), ("E12", False), ("R05.9", True), ("F10.17", False)):
        assert (tables.excludes1("E10.9", other, on) is not None) == excluded, other
        assert (tables.excludes1(other, "E10.9", on) is not None) == excluded, other
    dependence = next(note for note in notes if note.kind == "excludes2")
    assert [dependence.names(code) for code in ("F1017", "F1999", "F1127", "F201")] == [True, False, True, False]


def test_a_tabular_list_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = text(tmp_path / "icd10cm-tabular-2027.xml", TABULAR[:700])
    with pytest.raises(Unreadable, match=r"line \d+: is not XML here"):
        loaded(tmp_path, path)


def test_code_editor(tmp_path: Path) -> None:
    head = "MCE_Version\tICD_Version\tMCE_Section\tMCE_Subsection\tMCE_Edit_Type\tICD_Code_Type\tICD_Code\tICD_Desc\r\n"
    rows = ["Newborn_Only\tD\tP000", "Female_Only\tD\tO000", "Maternity_Only\tD\tO000", "Female_Only\tP\t0U500ZZ",
            "Principal_Unacceptable\tD\tZ23", "Principal_Manifestation\tD\tD631"]  # fmt: skip
    body = "".join(f"41.1\t10\t4\tA\t{row}\tWords\r\n" for row in rows)
    release, tables = loaded(tmp_path, text(tmp_path / "MCE_Simple_Code_Edits_v41.1.txt", head + body))
    on = date(2024, 5, 1)
    assert (release.since, release.until) == (date(2024, 4, 1), date(2024, 9, 30))
    mother, newborn, manifestation = (tables.mce(code, on) for code in ("O00.0", "P00.0", "D63.1"))
    assert mother is not None
    assert newborn is not None
    assert manifestation is not None
    assert (mother.ages, mother.sex) == ((9, 64), "F")
    assert (newborn.ages, newborn.sex) == ((0, 0), "")
    assert manifestation.manifestation
    assert tables.mce("Z23", on) is None, "unacceptable as principal diagnosis is an edit of inpatient claims"


# HCPCS.


def hcpcs_file(folder: Path, *records: str) -> Path:
    return text(folder / "HCPC2026_OCT_ANWEB.txt", "***Disclaimers\t\t\r\n\t\t\r\n" + "".join(records))


def test_hcpcs_of_fixed_width(tmp_path: Path) -> None:
    path = hcpcs_file(
        tmp_path,
        published.hcpcs_record("A1", "7", text="Dressing for one wound", coverage="C"),
        published.hcpcs_record("AD", "7", text="Medical supervision: more than four"),
        published.hcpcs_record("AD", "8", 200, text="procedures"),
        published.hcpcs_record("J3490", text="Unclassified drugs", coverage="D", price="51", betos="O1E", service="P"),
        published.hcpcs_record("J9999", text="Not otherwise"),
        published.hcpcs_record("J9999", "4", 200, text="classified, antineoplastic drugs"),
        published.hcpcs_record("G0461", text="Immunohistochemistry", ended="20141231", laboratory="140220610"),
    )
    release, tables = loaded(tmp_path, path)
    on = date(2026, 11, 16)
    assert (release.name, release.since, release.until) == ("2026Q4", date(2026, 10, 1), date(2026, 12, 31))
    drug, other, modifier = (tables.hcpcs(code, on) for code in ("J3490", "J9999", "AD"))
    assert drug is not None
    assert other is not None
    assert modifier is not None
    assert (drug.unlisted, drug.coverage, drug.price_indicator, drug.betos, drug.type_of_service) == (
        True,
        "D",
        "51",
        "O1E",
        "P",
    )
    assert (other.unlisted, modifier.unlisted) == (True, False)
    assert tables.hcpcs("G0461", on) is None
    (ended,) = tables.history("hcpcs", "G0461", on)
    assert ended.until == date(2014, 12, 31)
    assert isinstance(ended, HcpcsCode)
    assert ended.lab_certifications == "140 220 610", "each of three characters and nothing between"


def test_hcpcs_of_a_spreadsheet(tmp_path: Path) -> None:
    heads = list(published.HCPCS_HEADS)
    row = [
        "J3490",
        100,
        3,
        "Unclassified drugs",
        "Drugs",
        51,
        140,
        220,
        *[None] * 6,
        "D",
        "O1E",
        "P",
        19860101,
        19970101,
        None,
        "N",
    ]
    path = published.write_sheet(tmp_path / "HCPC2026_OCT_ANWEB.xlsx", [["Notice"], heads, row])
    _, tables = loaded(tmp_path, path)
    found = tables.hcpcs("J3490", date(2026, 11, 16))
    assert found is not None
    assert (found.unlisted, found.since, found.lab_certifications) == (True, date(1986, 1, 1), "140 220")
    heads[heads.index("TERM DT")] = "ENDED"
    published.write_sheet(path, [["Notice"], heads, row])
    with pytest.raises(Unreadable, match="line 2: the columns term dt are not in the heading"):
        loaded(tmp_path, path)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (published.hcpcs_record("J9999", "4"), "line 4: continues J9999"),
        (published.hcpcs_record("J9999", added="2002"), "line 4: is no HCPCS code"),
        (published.hcpcs_record("J9999")[:120] + "\r\n", "line 4: is no HCPCS record"),
    ],
)
def test_a_faulty_hcpcs_record_is_refused(tmp_path: Path, record: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        loaded(tmp_path, hcpcs_file(tmp_path, published.hcpcs_record("J3490"), record))


# The physician fee schedule.

FEES = [
    {"hcpcs": "29881", "glob_days": "090", "bilat": "1", "endo_base": "29870", "work_rvu": "1,007.03"},
    {"hcpcs": "93000", "glob_days": "XXX", "nonfac_na": "NA"},
    {"hcpcs": "71046", "mod": "26", "pctc": "1"},
]


@pytest.mark.parametrize(
    ("name", "price_indicator"), [("PPRRVU25_OCT.csv", False), ("PPRRVU2026_Jul_nonQPP.csv", True)]
)
def test_fee_schedule_of_31_and_of_32_columns(tmp_path: Path, name: str, price_indicator: bool) -> None:
    release, tables = loaded(tmp_path, published.write_fees(tmp_path / name, FEES, price_indicator=price_indicator))
    on = date(2026, 8, 15) if price_indicator else date(2025, 12, 31)
    assert release.name == ("2026Q3" if price_indicator else "2025Q4")
    knee, trace, film = tables.fee("29881", on), tables.fee("93000", on), tables.fee("71046", on, "26")
    assert knee is not None
    assert trace is not None
    assert film is not None
    assert (knee.global_days, knee.bilateral, knee.endoscopic_base, knee.supervision) == ("090", "1", "29870", "09")
    assert str(knee.work) == "1007.03"
    assert (trace.office_not_applicable, trace.facility_not_applicable) == (True, False)
    assert film.pc_tc == "1"
    assert tables.fee("71046", on) is None
    assert b"Words of the AMA" not in b"".join(path.read_bytes() for path in (tmp_path / "reference").iterdir())


def test_of_a_zip_of_2026_the_schedule_of_those_outside_advanced_models_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "rvu26c.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, factor in (("PPRRVU2026_Jul_QPP.csv", "33.5675"), ("PPRRVU2026_Jul_nonQPP.csv", "33.4009")):
            made = published.write_fees(
                tmp_path / name, [{**row, "conv_factor": factor} for row in FEES], price_indicator=True
            )
            archive.write(made, f"RVU26C/{name}")
        archive.writestr("RVU26C/GPCI2026.csv", "title\n")
    release, _ = loaded(tmp_path, path)
    assert (release.name, [source.name for source in release.sources]) == ("2026Q3", ["PPRRVU2026_Jul_nonQPP.csv"])


def test_fee_schedule_of_fixed_width(tmp_path: Path) -> None:
    lines = (
        "HDR notice\r\n"
        + published.fee_line("29881", glob_days="090", endo_base="29870")
        + published.fee_line("71046", "TC")
    )
    _, tables = loaded(tmp_path, text(tmp_path / "PPRRVU25_JAN.txt", lines))
    knee, film = tables.fee("29881", date(2025, 2, 1)), tables.fee("71046", date(2025, 2, 1), "TC")
    assert knee is not None
    assert film is not None
    assert (knee.global_days, knee.endoscopic_base, str(knee.office_total)) == ("090", "29870", "2.70")


def test_columns_of_the_fee_schedule_that_moved_are_refused(tmp_path: Path) -> None:
    path = published.write_fees(tmp_path / "PPRRVU25_OCT.csv", FEES)
    content = path.read_bytes()
    rows = content.decode("latin-1").splitlines()
    published.write_csv(path, [row.split(",")[:30] for row in rows])
    with pytest.raises(Unreadable, match="line 10: the heading has 30 columns; the known tables have 31 or 32"):
        loaded(tmp_path, path)
    moved = [{**row, "team_surg": "", "endo_base": "0", "glob_days": "090"} for row in FEES]
    published.write_fees(path, moved)
    with pytest.raises(Unreadable, match="line 11: nothing cannot be the team; a column is missing or moved"):
        loaded(tmp_path, path)
    path.write_bytes(content[:-40])
    with pytest.raises(Unreadable, match=r"line 13: has .* columns and the heading 31"):
        loaded(tmp_path, path)


# Lists.


def test_provider_taxonomy(tmp_path: Path) -> None:
    heading = ("Code", "Grouping", "Classification", "Specialization", "Definition", "Notes", "Display Name", "Section")
    row = ("207Q00000X", "Physicians", "Family Medicine", "", "Words, of\nNUCC", "", "Family", "Individual")
    path = published.write_csv(tmp_path / "nucc_taxonomy_261.csv", [heading, row], "utf-8-sig")
    release, tables = loaded(tmp_path, path)
    assert (release.name, release.since, release.until) == ("26.1", date(2026, 10, 1), date(2027, 3, 31))
    found = tables.taxonomy("207Q00000X", date(2026, 11, 16))
    assert found is not None
    assert found.individual
    published.write_csv(path, [heading, ("207Q", *row[1:])])
    with pytest.raises(Unreadable, match="line 2: is no taxonomy code"):
        loaded(tmp_path, path)


def test_telehealth_list(tmp_path: Path) -> None:
    rows = [
        ("LIST OF MEDICARE TELEHEALTH SERVICES",),
        ("HCPCS", "Short Descriptor", "Status", "Can Audio-only Interaction Meet the Requirements?"),
        ("99213", "Office visit", "Permanent", "Yes"),
        ("90845", "Psychoanalysis", "Provisional", ""),
    ]
    path = published.write_sheet(tmp_path / "list-telehealth-services-calendar-year-2026.xlsx", rows)
    release, tables = loaded(tmp_path, path)
    assert (release.since, release.until) == (date(2026, 1, 1), date(2026, 12, 31))
    visit, other = tables.telehealth("99213", ON), tables.telehealth("90845", ON)
    assert visit is not None
    assert other is not None
    assert (visit.audio_only, other.audio_only, other.status) == (True, False, "Provisional")
    bare = text(
        tmp_path / "list-telehealth-services-calendar-year-2025.txt",
        "HCPCS\tShort Descriptor\tProposed Action\r\n99213\tVisit\tAdd\r\n",
    )
    _, tables = loaded(tmp_path, bare, fewer=True)
    assert tables.telehealth("99213", date(2025, 5, 5)) is not None


TOLD = Dates("2026-07", date(2026, 7, 1))


def test_waived_tests_places_and_policies(tmp_path: Path) -> None:
    waived = text(tmp_path / "waived.csv", "needs_qw,code,from,to\n1,87804,,\nno,81002,2020-01-01,12/31/2026\n")
    _, tables = loaded(tmp_path, waived, told=TOLD)
    flu, urine = tables.waived("87804", ON), tables.waived("81002", ON)
    assert flu is not None
    assert urine is not None
    assert (flu.needs_qw, urine.needs_qw, urine.until) == (True, False, date(2026, 12, 31))
    places = text(tmp_path / "pos.csv", "code,name,facility,from\n11,Office,0,\n66,PACE center,0,08/01/2024\n")
    _, tables = loaded(tmp_path, places, told=TOLD)
    assert tables.pos("66", ON) is not None
    policies = text(
        tmp_path / "policies.csv",
        "policy,procedure,diagnosis,covered\nL34315,80061,E78.5,yes\nL34315,80061,I10,yes\nL34315,80061,Z00.00,no\n",
    )
    _, tables = loaded(tmp_path, policies, told=TOLD)
    assert tables.policies("80061", ON) == {"L34315"}
    assert tables.policies("99213", ON) == frozenset()
    assert tables.covered_diagnoses("L34315", "80061", ON) == {"E785", "I10"}
    assert [row.covered for row in tables.coverage("80061", "Z00.00", ON)] == [False]
    assert tables.coverage("80061", "J06.9", ON) == ()


def test_prices_of_a_practice(tmp_path: Path) -> None:
    path = text(
        tmp_path / "fee-schedule.csv", 'code,description,modifier,price\n99213,Words,,"$1,150.00"\n71046,Words,26,40\n'
    )
    with pytest.raises(Refused, match="say whose with --practice"):
        loaded(tmp_path, path, told=TOLD)
    release, tables = loaded(tmp_path, path, told=TOLD, variant="lakeside")
    assert release.table == "prices.lakeside"
    visit, film = tables.price("lakeside", "99213", ON, "25"), tables.price("lakeside", "71046", ON, "26")
    assert visit is not None
    assert film is not None
    assert (str(visit.amount), str(film.amount)) == ("1150.00", "40")
    for line in ("99213,Words,,cheap", "99213,Words,,1.005", "99213,Words,,-3", "9921,Words,,3", "99213,Words,2,3"):
        text(path, f"code,description,modifier,price\n{line}\n")
        with pytest.raises(Unreadable, match="line 2: "):
            loaded(tmp_path, path, told=TOLD, variant="lakeside", fewer=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("code,needed\n87804,1\n", "line 1: the heading lacks needs_qw"),
        ("code,needs_qw,code\n87804,1,2\n", "line 1: the heading names a column twice"),
        ("code,needs_qw,colour\n87804,1,2\n", "line 1: the heading has the unknown columns"),
        ("code,needs_qw\n87804\n", "line 2: has 1 columns and the heading 2"),
        ("code,needs_qw\n87804,perhaps\n", "line 2: perhaps under needs_qw is neither yes nor no"),
        ("code,needs_qw,from\n87804,1,July\n", "line 2: July is no date"),
        ("code,needs_qw\n", "holds no row"),
    ],
)
def test_a_faulty_list_is_refused_with_its_line(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        loaded(tmp_path, text(tmp_path / "waived.csv", content), told=TOLD)


# What is true of every load.


def test_a_release_that_no_name_tells_must_be_told(tmp_path: Path) -> None:
    path = published.write_mue(tmp_path, MUE)
    path = path.rename(tmp_path / "mue-practitioner.csv")
    with pytest.raises(Refused, match="--release NAME --from YYYY-MM-DD --to YYYY-MM-DD"):
        loaded(tmp_path, path)
    release, _ = loaded(tmp_path, path, told=Dates("mine", date(2026, 1, 1), date(2026, 3, 31)))
    assert (release.name, release.until) == ("mine", date(2026, 3, 31))
    with pytest.raises(Refused, match="is before the first"):
        loaded(tmp_path, path, told=Dates("x", date(2026, 3, 1), date(2026, 1, 1)))
    with pytest.raises(Refused, match="cannot be a name"):
        loaded(tmp_path, path, told=Dates("../x", date(2026, 3, 1)))


def test_a_table_that_shrank_is_taken_for_one_cut_short(tmp_path: Path) -> None:
    loaded(tmp_path, published.write_mue(tmp_path, MUE, "04-01-2026"))
    fewer = published.write_mue(tmp_path, MUE[:2])
    with pytest.raises(Refused, match="mue 2026Q3 has 2 rows where 2026Q2 has 3"):
        loaded(tmp_path, fewer)
    release, _ = loaded(tmp_path, fewer, fewer=True)
    assert release.rows == 2
    older, _ = loaded(tmp_path, published.write_mue(tmp_path, MUE[:1], "01-01-2026"))
    assert older.rows == 1, "a table grows; one of before is compared with what is older still"


def test_a_release_is_not_overwritten_by_other_content(tmp_path: Path) -> None:
    first, _ = loaded(tmp_path, published.write_mue(tmp_path, MUE))
    again, _ = loaded(tmp_path, published.write_mue(tmp_path, MUE))
    assert again == first
    changed = published.write_mue(tmp_path, [*MUE, ("99213", "1", "2", "CMS Policy")])
    with pytest.raises(Refused, match="is loaded already, from other files"):
        loaded(tmp_path, changed)
    replaced, _ = loaded(tmp_path, changed, replace=True)
    assert replaced.rows == 4


def test_a_spreadsheet_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "AOC_V2026Q2-MCR.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(Unreadable, match="is no spreadsheet or is cut short"):
        loaded(tmp_path, path)


def test_every_kind_of_file_is_known_by_its_published_name() -> None:
    names = {
        "medicare-ncci-2026q3-practitioner-ptp-edits-ccipra-v322r0-f1.zip": "ptp",
        "ccipra-v322r0-f4.xlsx": "ptp",
        "medicare-ncci-2026-q3-practitioner-services-mue-table.zip": "mue",
        "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv": "mue",
        "AOC_V2026Q2-F-MCR.txt": "add_on",
        "icd10cm_order_2027.txt": "icd",
        "2027-code-descriptions-tabular-order.zip": "icd",
        "icd10cm_tabular_2027.xml": "icd_notes",
        "icd10c-tabular-April-1-2026.xml": "icd_notes",
        "MCE_Simple_Code_Edits_v37.txt": "mce",
        "HCPC2026_OCT_ANWEB.xlsx": "hcpcs",
        "PPRRVU2026_Jul_nonQPP.csv": "fees",
        "rvu26c.zip": "fees",
        "nucc_taxonomy_261.csv": "taxonomy",
        "list-telehealth-services-calendar-year-2026.zip": "telehealth",
        "pos.csv": "pos",
        "clia-waived.csv": "waived",
        "policies.csv": "policies",
        "fee-schedule.csv": "prices",
    }
    assert {name: kind_of(name).name for name in names} == names
    assert set(names.values()) == {kind.name for kind in KINDS}
    with pytest.raises(Refused, match="does not say by its name which table it is"):
        kind_of("holiday.jpg")
