"""`charges check` of what is no 837: HL7 messages, FHIR bundles and tables, judged as the charges they hold."""

import json
from datetime import date
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charges.cli import main
from charges.practice.connections import FlatFiles
from charges.practice.profile import Practice, read_profile
from charges.scrutiny.judging import Scrutiny, scrutinise
from charges.scrutiny.page import page
from tests.sources import hl7
from tests.sources.flat import EXAMPLE, layout, row, text, workbook
from tests.sources.test_fhir_mapping import PATIENT, VISIT, _bundle, _item

TODAY = date(2026, 11, 23)
LAKESIDE = Path(str(files("charges").joinpath("practice/examples/lakeside.yaml")))


@pytest.fixture(scope="module")
def practice() -> Practice:
    return read_profile(LAKESIDE)


def check(folder: Path, content: str | bytes, name: str, practice: Practice | None = None, **more: Any) -> Scrutiny:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return scrutinise(file, TODAY, practice=practice, **more)


def said(verdict: Scrutiny, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(each, name) for name in names) for each in verdict.findings]


# Tables


def test_a_clean_table_is_clean(tmp_path: Path, practice: Practice) -> None:
    verdict = check(
        tmp_path, text(row(mod_1=""), row(claim_no="1002", account="7", mod_1="")), "a.csv", practice, layout=layout()
    )
    assert (verdict.verdict, verdict.counted, verdict.findings) == ("clean", "2 charges", ())


def test_a_finding_names_its_row_and_column(tmp_path: Path, practice: Practice) -> None:
    content = text(
        row(mod_1=""), row(mod_1="", cpt="20610", amount="210"), row(claim_no="1002", account="7", zip="627")
    )
    verdict = check(tmp_path, content, "a.csv", practice, layout=layout())
    assert verdict.verdict == "held"
    assert ("GLB-002", "1001", 2, "row 2", "lines[1].modifiers") in said(
        verdict, "rule", "claim", "line", "loop", "segment"
    )
    assert "ZIP" in [segment for claim, segment in said(verdict, "claim", "segment") if claim == "1002"]


def test_a_row_that_cannot_be_read_is_told_and_the_others_are_judged(tmp_path: Path, practice: Practice) -> None:
    content = text(row(mod_1="", dos="never"), row(claim_no="1002", account="7", mod_1=""))
    verdict = check(tmp_path, content, "a.csv", practice, layout=layout())
    assert said(verdict, "rule", "claim", "position", "message") == [
        ("SRC-001", "1001", 2, "DOS is not a date; MM/DD/YYYY is expected.")
    ]


def test_columns_that_nobody_reads_are_noted(tmp_path: Path, practice: Practice) -> None:
    verdict = check(tmp_path, text(row(mod_1="") | {"Cashier": "IV"}), "a.csv", practice, layout=layout())
    assert verdict.verdict == "clean"
    assert said(verdict, "rule", "claim", "message") == [
        ("SRC-004", "", "The layout does not say what these columns hold: Cashier.")
    ]


def test_a_table_of_the_practice_needs_no_map(tmp_path: Path, practice: Practice) -> None:
    source = FlatFiles(kind="flatfile", folder=tmp_path, layout=layout())
    own = practice.model_copy(update={"source": source})
    content = workbook(list(row()), list(row(mod_1="").values()))
    assert check(tmp_path, content, "a.xlsx", own).verdict == "clean"


def test_what_the_practice_weighs_counts(tmp_path: Path, practice: Practice) -> None:
    content = text(row(mod_1=""), row(mod_1="", cpt="20610", amount="210"))
    lenient = practice.model_copy(update={"rules": {"GLB-002": "off"}})
    assert check(tmp_path, content, "a.csv", lenient, layout=layout()).verdict == "clean"


def test_the_same_service_twice_is_a_duplicate_within_the_file(tmp_path: Path, practice: Practice) -> None:
    verdict = check(tmp_path, text(row(mod_1=""), row(claim_no="1002", mod_1="")), "a.csv", practice, layout=layout())
    assert {claim for (claim,) in said(verdict, "claim")} == {"1002"}


def test_a_table_without_a_map_says_what_is_missing(tmp_path: Path) -> None:
    verdict = check(tmp_path, text(row()), "a.csv")
    assert (verdict.verdict, verdict.sentence.partition(". ")[0]) == ("unreadable", "This is a table")


def test_a_table_of_another_layout_is_unreadable(tmp_path: Path) -> None:
    verdict = check(tmp_path, text(row()).replace("Amount", "Amount Billed"), "a.csv", layout=layout())
    assert verdict.verdict == "unreadable"
    assert "near to it: Amount Billed" in verdict.sentence


# HL7


def test_messages_are_judged_by_visit(tmp_path: Path, practice: Practice) -> None:
    content = (
        hl7.dft(hl7.ft1(), control="1")
        + hl7.dft(hl7.ft1("20610", "T2"), control="2")
        + hl7.dft(visit="V8", control="3")
    )
    verdict = check(tmp_path, content, "day.hl7", practice)
    assert (verdict.claims, verdict.verdict) == (2, "held")
    found = [each for each in verdict.findings if each.rule == "GLB-002"]
    assert [(each.claim, each.line, each.segment) for each in found] == [("any-V7", 1, "FT1")]
    assert verdict.parts is not None
    parts = dict(verdict.parts())
    assert parts[found[0].position].startswith("FT1|1|T1|")


def test_a_registration_completes_what_a_charge_left_open(tmp_path: Path, practice: Practice) -> None:
    content = hl7.adt("A04", hl7.IN1) + hl7.dft(insurance="")
    verdict = check(tmp_path, content, "day.hl7", practice)
    assert not [each for each in verdict.findings if "insurance" in each.message.lower()]


def test_a_message_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    content = hl7.message(hl7.msh("DFT^P03"), "EVN|P03", hl7.PID, hl7.pv1())
    verdict = check(tmp_path, content, "day.hl7")
    assert said(verdict, "rule", "message") == [("SRC-001", "The message has no FT1 segment, so it charges nothing.")]


def test_registrations_alone_hold_no_charge(tmp_path: Path) -> None:
    verdict = check(tmp_path, hl7.adt("A04"), "day.hl7")
    assert (verdict.verdict, verdict.sentence) == ("unreadable", "There is no charge in the file.")


@pytest.mark.skipif(not hl7.SAMPLES.is_dir(), reason="the messages of others are not here")
def test_messages_of_others_are_judged_or_refused() -> None:
    for file in sorted(hl7.SAMPLES.glob("*.hl7")):
        verdict = scrutinise(file, TODAY)
        assert verdict.findings or verdict.sentence, file.name


# FHIR


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", _bundle(VISIT, PATIENT, _item("1"))),
        ("a.ndjson", "\n".join(json.dumps(each) for each in (VISIT, PATIENT, _item("1")))),
        ("b.ndjson", _bundle(VISIT, PATIENT, _item("1")) + b"\n" + _bundle(VISIT | {"id": "8"}) + b"\n"),
    ],
)
def test_encounters_of_a_bundle_are_judged(tmp_path: Path, practice: Practice, name: str, content: str | bytes) -> None:
    verdict = check(tmp_path, content, name, practice)
    assert verdict.verdict == "held"
    assert verdict.claims == (2 if name == "b.ndjson" else 1)
    assert ("7", "Encounter/7") in {
        (each.claim, dict(verdict.parts() if verdict.parts else ())[each.position]) for each in verdict.findings
    }


@pytest.mark.parametrize(
    "content", [b"{}", b"[1, 2]", b'{"resourceType": "Bundle"}', b'{"a": 1}\n{"b"', b"[" * 100_000]
)
def test_json_that_is_no_bundle_is_unreadable(tmp_path: Path, content: bytes) -> None:
    verdict = check(tmp_path, content, "a.json")
    assert verdict.verdict == "unreadable"
    assert verdict.sentence.endswith(".")


# The command


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["check", *words])
    shown = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, shown.out, shown.err


def test_the_command_shows_each_fault_under_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(text(row(mod_1="", dos="never"), row(claim_no="1002", account="7", mod_1="")))
    words = ("a.csv", "--map", str(EXAMPLE), "--practice", str(LAKESIDE), "--as-of", "2026-11-23")
    code, shown, _ = _run(capsys, *words)
    assert code == 1
    assert "claim 1001\n       2  1001 | Charge | Billable" in shown
    assert "SRC-001  (row 2): DOS is not a date" in shown
    assert shown.endswith("a.csv: 2 charges, held.\n")
    code, shown, _ = _run(capsys, *words, "--json")
    assert [(each["rule"], each["loop"]) for each in json.loads(shown)["findings"]] == [("SRC-001", "row 2")]


def test_the_command_refuses_what_makes_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(text(row()))
    (tmp_path / "map.yaml").write_text("key: [")
    assert _run(capsys, "a.csv")[0] == 2
    assert "map.yaml cannot be used, it has 1 fault" in _run(capsys, "a.csv", "--map", "map.yaml")[2].replace("\n", " ")
    assert "A 999 or TA1 answers an 837" in _run(capsys, "a.csv", "--map", str(EXAMPLE), "--999", "a.999")[2]


def test_the_page_shows_the_rows_and_runs_nothing(tmp_path: Path) -> None:
    content = text(row(address="<script>alert(1)</script>", dos="never"))
    verdict = check(tmp_path, content, "a.csv", layout=layout())
    shown = "".join(page(tmp_path / "a.csv", verdict))
    assert '<li id="s2" data-position="2" class="at-fault">' in shown
    assert "<script" not in shown
    assert "<script>alert(1)</script>" in unescape(shown)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=120),
    st.sampled_from(
        [b"MSH|^~\\&|", b"{", b"[", b'{"resourceType":"Bundle","entry":[', b"PK\x03\x04", b"No,CPT\n", b""]
    ),
    st.sampled_from(["a.hl7", "a.json", "a.csv", "a.xlsx", "a"]),
    st.booleans(),
)
def test_no_file_is_a_crash(tmp_path: Path, content: bytes, start: bytes, name: str, mapped: bool) -> None:
    verdict = check(tmp_path, start + content, name, layout=layout() if mapped else None)
    assert verdict.verdict in ("clean", "held", "unreadable")
    assert verdict.verdict != "unreadable" or verdict.sentence
    assert "".join(page(tmp_path / name, verdict))


@pytest.mark.parametrize("content", [b"", b"root:x:0:0:root:/root:/bin/bash\n", b"\x7fELF", b"%PDF-1.7"])
def test_what_is_none_of_all_this_is_told_what_is_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "passwd"
    file.write_bytes(content)
    found = scrutinise(file, TODAY)
    assert found.verdict == "unreadable"
    assert "an 837 begins with ISA, HL7 v2 with MSH" in found.sentence


def test_without_a_profile_it_is_told_that_one_would_fill_in_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text(row()))
    _, shown, _ = _run(capsys, str(file), "--map", str(EXAMPLE), "--as-of", "2026-11-23")
    assert "a.csv: 1 charge, held.\nWith --practice PROFILE.yaml" in shown
