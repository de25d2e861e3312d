"""What guessing a password costs, with the cost of use and not that of tests."""

import re

from charges.users import secrets


def test_a_password_is_kept_as_a_hash_that_costs_memory_and_time() -> None:
    kept = secrets.hash_password("seven otters cross the weir")
    said = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$.+", kept)
    assert said is not None
    memory, passes = int(said[1]), int(said[2])
    assert memory >= 19 * 1024, "OWASP's Password Storage Cheat Sheet: 19 MiB with two passes, or more"
    assert passes >= 2
