"""Whether a file's header is the one that its layout was written for."""

from collections.abc import Sequence
from difflib import get_close_matches

from charges.practice.layout import Headers, Layout, plain, wanted

_AT_MOST_NAMED = 5


def missing(layout: Layout, columns: Sequence[str]) -> list[tuple[str, Headers]]:
    """The columns that the layout wants and a header lacks, each with what it is for, and those that stand there twice."""
    there = [plain(each) for each in columns]
    known = set(there)
    return [(path, names) for path, names in wanted(layout) if not any(plain(name) in known for name in names)]


def unused(layout: Layout, columns: Sequence[str]) -> list[str]:
    """The columns that the layout does not know."""
    every = layout.model_copy(
        update={
            "fields": {path: each.model_copy(update={"optional": False}) for path, each in layout.fields.items()},
            "custom": {path: each.model_copy(update={"optional": False}) for path, each in layout.custom.items()},
        }
    )
    known = {plain(name) for _, names in wanted(every) for name in names}
    return [each for each in columns if plain(each) not in known]


def sentence(absent: Sequence[tuple[str, Headers]], free: Sequence[str]) -> str:
    """What is missing, and which of the columns that are ``free`` come near to it; only names of columns are told."""
    by_plain = {plain(each): each for each in free}
    said = []
    for path, names in absent[:_AT_MOST_NAMED]:
        near = [
            by_plain[each] for name in names for each in get_close_matches(plain(name), list(by_plain), n=2, cutoff=0.6)
        ]
        hint = f" (near to it: {', '.join(dict.fromkeys(near))})" if near else ""
        said.append(f"{' or '.join(names)}, which is {path}{hint}")
    more = f"; and {len(absent) - len(said)} more" if len(absent) > len(said) else ""
    return (
        f"The file has not the columns of its layout. Missing: {'; '.join(said)}{more}. Nothing of it was read. If a "
        "column was renamed, add its name to the layout; else have the file exported as agreed."
    )
