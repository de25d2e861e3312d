"""Real tables, put into their published layouts and loaded: what is looked up is what the table says.

They lie beside the project where it is developed and are never part of it; elsewhere these tests are skipped.
Each 100th pair is loaded, or with CHARGES_TEST_WHOLE_TABLES=1 all 2.5 million.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rules.reference import Reference
from rules.reference.drafts import Dates
from rules.reference.loaders import kind_named
from rules.reference.loading import Wish, load
from tests.rules.reference import published
from tests.rules.reference.published import WHOLE, real

ON = date(2024, 8, 15)


def loaded(folder: Path, table: str, *paths: Path, told: Dates | None = None) -> Reference:
    load(folder / "reference", kind_named(table), paths, Wish(told=told or Dates()))
    return Reference.open(folder / "reference")


@pytest.mark.parametrize("write", [published.write_ptp, published.write_ptp_sheets], ids=["text", "sheets"])
def test_ptp_look_ups_are_those_of_a_plain_dict(tmp_path: Path, write: Callable[..., list[Path]]) -> None:
    rows = list(published.real_ptp())[:: 1 if write is published.write_ptp else 10]
    tables = loaded(tmp_path, "ptp", *write(tmp_path, rows, "v302r0"))
    plain = defaultdict[tuple[str, str], list[tuple[str, str, str]]](list)
    for column1, column2, _, begin, end, indicator, _ in rows:
        plain[column1, column2].append((begin, "99991231" if end == "*" else end, indicator))
    chance = random.Random(11)
    codes = sorted({code for pair in plain for code in pair})
    asked = [*chance.sample(sorted(plain), 2000), *((chance.choice(codes), chance.choice(codes)) for _ in range(2000))]
    for on in (ON, date(2010, 3, 3), *published.sample_days(3, 3)):
        day = f"{on:%Y%m%d}"
        for pair in asked:
            fitting = {said for begin, end, said in plain.get(pair, ()) if begin <= day <= end and said != "9"}
            found = tables.ptp(*pair, on)
            assert (found is not None) == bool(fitting), (pair, on)
            assert found is None or found.modifier_indicator in fitting, (pair, on)


@pytest.mark.skipif(not WHOLE, reason="set CHARGES_TEST_WHOLE_TABLES=1 to load all 2.5 million pairs")
def test_the_whole_ptp_table_is_small_enough(tmp_path: Path) -> None:
    loaded(tmp_path, "ptp", *published.write_ptp(tmp_path, sorted(published.real_ptp()), "v302r0"))
    (path,) = (tmp_path / "reference").iterdir()
    assert path.stat().st_size < 40e6


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_mue_limit(tmp_path: Path, form: str) -> None:
    rows = published.real_mue()
    tables = loaded(tmp_path, "mue", published.write_mue(tmp_path, rows, "07-01-2024", form))
    for code, units, indicator, _ in rows:
        found = tables.mue(code, ON)
        assert found is not None
        assert (found.units, found.adjudication_indicator) == (int(units), int(indicator))
    assert sum(indicator == "1" for _, _, indicator, _ in rows) == 41


@pytest.mark.parametrize("form", ["txt", "xlsx"])
def test_every_add_on_code(tmp_path: Path, form: str) -> None:
    rows = published.real_add_on()
    tables = loaded(tmp_path, "add_on", published.write_add_on(tmp_path, rows, "2024Q3", form))
    plain = defaultdict[str, set[str]](set)
    types: dict[str, int] = {}
    for kind, code, primary in rows:
        plain[code] |= {primary} - {"CCCCC"}
        types[code] = max(types.get(code, 0), int(kind))
    for code, primaries in plain.items():
        found = tables.add_on(code, ON)
        assert found is not None
        assert (found.type, set(found.primaries)) == (types[code], primaries)
    # CCCCC is type 2, contractor-defined; type 3 is a list that is not closed.
    assert {kind: sum(each == kind for each in types.values()) for kind in (2, 3)} == {2: 36, 3: 11}


def test_every_row_of_the_fee_schedule_of_fixed_width(tmp_path: Path) -> None:
    rows = published.real_fee_indicators()
    tables = loaded(tmp_path, "fees", published.write_fee_lines(tmp_path / "PPRRVU24_JUL.txt", rows))
    for row in rows:
        found = tables.fee(row["code"], ON, row["modifier"])
        assert found is not None
        assert (found.status, found.global_days, found.pc_tc) == (row["status"], row["glob_days"], row["pctc"])
        assert (found.bilateral, found.assistant, found.co_surgeons, found.team) == (
            row["bilat"],
            row["asst"],
            row["co_surg"],
            row["team_surg"],
        )
        assert found.endoscopic_base == row["endo_base"]


@pytest.mark.parametrize("form", ["txt", "xlsx"])
def test_every_hcpcs_code_by_its_days(tmp_path: Path, form: str) -> None:
    rows = published.real_hcpcs()
    tables = loaded(tmp_path, "hcpcs", published.write_hcpcs(tmp_path, rows, "2024_JUL", form))
    for row in rows:
        ended = row["ended"] and row["ended"] < f"{ON:%Y%m%d}"
        future = row["added"] > f"{ON:%Y%m%d}"
        found = tables.hcpcs(row["code"], ON)
        assert (found is None) == bool(ended or future), row["code"]
        if found:
            said = (found.coverage, found.betos, found.type_of_service, found.lab_certifications)
            assert said == (row["coverage"], row["betos"], row["service"], row["laboratory"])


def test_every_diagnosis_of_the_order_file(tmp_path: Path) -> None:
    codes, headers = published.real_diagnoses()
    path = published.write_order(tmp_path / "icd10cm-order-april-2026.txt", codes, headers)
    tables = loaded(tmp_path, "icd", path)
    on = date(2026, 5, 5)
    assert len(codes) == 74_719, "as CMS counts them"
    for code in [*codes, *headers]:
        found = tables.icd(code, on)
        assert found is not None
        assert found.billable == (code in codes)
    assert tables.icd("S06.0X7D", on) is None, "put together from the tabular list, and in no order file"


def test_every_reference_of_an_excludes1_note(tmp_path: Path) -> None:
    path = tmp_path / "icd10c-tabular-April-1-2026.xml"
    path.write_bytes(real(path.name).read_bytes())
    tables = loaded(tmp_path, "icd_notes", path)
    on = date(2026, 5, 5)
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(real("icd10cm_2026apr_notes.parquet")).to_pylist()
    checked = 0
    for row in rows:
        if row["kind"] != "excludes1" or not row["ref_from"] or " with " in row["note"]:
            continue
        checked += 1
        for other in filter(None, (row["ref_from"], row["ref_to"])):
            assert tables.excludes1(row["code"], other, on), (row["code"], other)
            assert tables.excludes1(other, row["code"], on), (other, row["code"])
    assert checked > 4000


@pytest.mark.parametrize(
    ("name", "price_indicator"), [("PPRRVU25_OCT.csv", False), ("PPRRVU2025_Oct_nonQPP.csv", True)]
)
def test_every_row_of_the_fee_schedule(tmp_path: Path, name: str, price_indicator: bool) -> None:
    rows = published.real_rows("pprrvu_2025_oct_nodesc.csv")[:: 10 if price_indicator else 1]
    path = published.write_fees(
        tmp_path / name, ({**row, "desc": "Words"} for row in rows), price_indicator=price_indicator
    )
    tables = loaded(tmp_path, "fees", path)
    on = date(2025, 11, 3)
    for row in rows:
        found = tables.fee(row["hcpcs"], on, row["mod"])
        assert found is not None
        assert (found.status, found.global_days, found.pc_tc) == (row["status"], row["glob_days"], row["pctc"])
        assert (found.bilateral, found.endoscopic_base) == (row["bilat"], row["endo_base"])
        assert (str(found.work), found.supervision) == (row["work_rvu"], row["diag_supervision"])


def test_the_hcpcs_file_as_published(tmp_path: Path) -> None:
    path = tmp_path / "HCPC2019_CONTR_ANWEB.txt"
    path.write_bytes(real(path.name).read_bytes())
    tables = loaded(tmp_path, "hcpcs", path)
    (release,) = tables.releases
    assert release.rows == 6_440 + 360
    on = date(2019, 5, 5)
    drug, modifier = tables.hcpcs("J3490", on), tables.hcpcs("AA", on)
    assert drug is not None
    assert modifier is not None
    assert (drug.unlisted, modifier.unlisted) == (True, False)


def test_the_tabular_list_as_published(tmp_path: Path) -> None:
    path = tmp_path / "icd10c-tabular-April-1-2026.xml"
    path.write_bytes(real(path.name).read_bytes())
    tables = loaded(tmp_path, "icd_notes", path)
    on = date(2026, 5, 5)
    assert tables.excludes1("E10.9", "E11.9", on) is not None
    assert tables.excludes1("J06.9", "I10", on) is None


@pytest.mark.parametrize(("version", "flat"), [("41.1", False), ("37", True)])
def test_the_code_editor(tmp_path: Path, version: str, flat: bool) -> None:
    path = tmp_path / f"MCE_Simple_Code_Edits_v{version}.txt"
    if flat:
        path.write_bytes(real("MCE_Simple_Code_Edits_v37.txt").read_bytes())
    else:
        kinds = {
            "Perinatal/Newborn": "Newborn_Only", "Maternity": "Maternity_Only", "Pediatric": "Pediatric_Only",
            "Adult": "Adult_Only", "Female": "Female_Only", "Male": "Male_Only", "Manifestation": "Principal_Manifestation",
        }  # fmt: skip
        lines = [
            "MCE_Version\tICD_Version\tMCE_Section\tMCE_Subsection\tMCE_Edit_Type\tICD_Code_Type\tICD_Code\tICD_Desc"
        ]
        for row in published.real_rows("mce_v41_1_fy2024.csv"):
            kind = kinds[row["icd_conflict_rule"].split()[0]]
            lines.append(f"41.1\t10\t4\t_\t{kind}\tD\t{row['icd_code'].replace('.', '')}\tWords")
        path.write_text("\r\n".join(lines) + "\r\n", encoding="ascii", newline="")
    tables = loaded(tmp_path, "mce", path)
    on = date(2020, 1, 5) if flat else date(2024, 5, 5)
    mother = tables.mce("O00.00", on)
    assert mother is not None
    assert (mother.ages, mother.sex) == ((9, 64), "F")
    assert tables.mce("I10", on) is None


def test_charges_refdata_loads_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from charges.cli import main

    files = [
        published.write_ptp(tmp_path, list(published.real_ptp()), "v302r0"),
        [published.write_mue(tmp_path, published.real_mue(), "07-01-2024")],
        [published.write_add_on(tmp_path, published.real_add_on(), "2024Q3", "txt")],
        [published.write_order(tmp_path / "icd10cm-order-april-2026.txt", *published.real_diagnoses())],
        [published.write_hcpcs(tmp_path, published.real_hcpcs(), "2024_JUL", "txt")],
        [published.write_fee_lines(tmp_path / "PPRRVU24_JUL.txt", published.real_fee_indicators())],
        [published.write_fees(tmp_path / "PPRRVU25_OCT.csv", published.real_rows("pprrvu_2025_oct_nodesc.csv"))],
        *([real(name)] for name in (
            "HCPC2019_CONTR_ANWEB.txt", "MCE_Simple_Code_Edits_v37.txt", "icd10c-tabular-April-1-2026.xml",
        )),
    ]  # fmt: skip
    monkeypatch.setenv("CHARGES_REFERENCE_DIR", str(tmp_path / "tables"))
    for paths in files:
        with pytest.raises(SystemExit) as ended:
            main(["refdata", "load", *map(str, paths), "--accept-licence", "--by", "imogen"])
        assert ended.value.code == 0, capsys.readouterr().err
        assert "is loaded" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["refdata", "verify"])
    assert ended.value.code == 0
    whole = {line.partition(":")[0] for line in capsys.readouterr().out.splitlines()}
    assert whole == {
        "ptp 2024Q3", "mue 2024Q3", "add_on 2024Q3", "icd FY2026-April", "hcpcs 2024Q3", "hcpcs 2019", "fees 2024Q3",
        "fees 2025Q4", "mce FY2020", "icd_notes FY2026-April",
    }  # fmt: skip
