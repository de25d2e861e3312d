"""`charges rollout` as a lead meets it: how far a practice is, what is missing, and the acts."""

import json
from pathlib import Path

import pytest

from rules.examples import PATIENT, charge
from tests.conftest import Charges
from tests.practice import PROFILE, Workplace


@pytest.fixture
def workplace(installed_workplace: Workplace) -> Workplace:
    """A practice whose first claim is out."""
    installed_workplace.source.put(charge(key="1"))
    installed_workplace.run()
    return installed_workplace


def test_the_roll_out_is_shown_with_its_acts(charges: Charges, workplace: Workplace) -> None:
    code, said, _ = charges("rollout", "show")
    assert code == 0
    assert said.startswith("lakeside: full since 2026-11-23 18:00 UTC")
    assert "1 claim sent of 1 patient" in said
    assert "advanced by lead (full): as tests want it" in said
    (shown,) = json.loads(charges("rollout", "show", "--practice", "lakeside", "--json")[1])
    assert (shown["mode"], shown["sent_claims"], shown["next"], shown["ready"]) == ("full", 1, None, True)
    assert [each["became"] for each in shown["acts"]] == ["observe", "shadow", "cohort", "full"]


def test_a_retreat_says_what_it_withdrew(charges: Charges, workplace: Workplace) -> None:
    another = PATIENT.model_copy(update={"record_number": "2"})
    workplace.source.put(charge(key="2", patient=another))
    workplace.run("pull", "judge", "generate")
    assert charges("rollout", "retreat", "--by", "ada")[0] == 2
    code, said, _ = charges("rollout", "retreat", "--to", "shadow", "--by", "ada", "--reason", "a fault", "--json")
    assert code == 0
    assert json.loads(said) == {
        "was": "full",
        "mode": "shadow",
        "withdrawn_files": [2],
        "files_in_doubt": [],
        "files_on_their_way": [],
        "charges_built_anew": 1,
    }
    assert charges("rollout", "show")[0] == 0
    code, said, _ = charges("rollout", "advance", "--by", "ada", "--reason", "mended")
    assert (code, said.splitlines()[0]) == (
        0,
        "shadow became cohort. Claims of the cohort are sent, the others are built as shadow.",
    )


def test_what_is_missing_is_told_and_refused(charges: Charges, workplace: Workplace, tmp_path: Path) -> None:
    (tmp_path / "hillside.yaml").write_text(
        PROFILE.replace("code: lakeside", "code: hillside").replace("days: 0", "days: 5")
    )
    assert "It is in observe" in charges("practice", "apply", "hillside.yaml")[1]
    code, said, _ = charges("rollout", "show", "--practice", "hillside")
    assert code == 1
    assert "missing" in said
    code, _, said = charges("rollout", "advance", "--practice", "hillside", "--by", "ada", "--reason", "on")
    assert (code, said.startswith("hillside stays in observe: days in this mode 0, wanted 5 or more.")) == (2, True)
    code, _, said = charges("rollout", "advance", "--by", "ada", "--reason", "on")
    assert (code, "Say which practice with --practice: lakeside, hillside." in said) == (2, True)


def test_a_wrong_patient_is_reported_and_shown(charges: Charges, workplace: Workplace) -> None:
    code, said, _ = charges("rollout", "report", "1", "--by", "ada", "--reason", "the card is another's")
    assert (code, "history of charge 1" in said) == (0, True)
    assert "Of a wrong patient: charge 1." in charges("rollout", "show")[1]
    assert charges("rollout", "report", "9", "--by", "ada", "--reason", "seen")[0] == 2


@pytest.mark.parametrize("line", ["  mode: full", "  size: 20", "  payers: [NOBODY]", "  full_start: 2025-01-01"])
def test_a_profile_that_no_roll_out_can_follow_is_refused(charges: Charges, tmp_path: Path, line: str) -> None:
    profile = PROFILE.replace("  full_start: 2026-01-01\n", "")
    (tmp_path / "wrong.yaml").write_text(profile.replace("roll_out:\n", f"roll_out:\n{line}\n"))
    code, _, said = charges("practice", "apply", "wrong.yaml", "--check")
    assert code == 2
    assert "roll_out" in said
