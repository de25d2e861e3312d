"""The practice profile: the same file is the same profile, whichever process reads it."""

import subprocess
import sys

from charges.practice.profile import Practice, parse_profile
from tests.practice import PROFILE

COHORT = PROFILE.replace("mode: full", "mode: cohort, patients: [P9, P1, P7, P3, P5]")


def test_a_profile_comes_back_from_its_json() -> None:
    profile = parse_profile(COHORT)
    assert Practice.model_validate_json(profile.model_dump_json()) == profile


def test_a_profile_is_the_same_text_in_every_process() -> None:
    program = (
        "import sys; from charges.practice.profile import parse_profile; "
        "print(parse_profile(sys.argv[1]).model_dump_json())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program, COHORT],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
