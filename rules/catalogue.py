"""The catalogue of rules as a page to read: ``python -m rules.catalogue > docs/rules.md``.

Everything on the page comes from the rules themselves, so that it cannot say other than they do.
"""

import sys
from collections.abc import Iterable, Iterator

from rules.engine import Rule, load

INTRODUCTION = """\
# Rules

Generated from the rules themselves by `python -m rules.catalogue > docs/rules.md`; edit the rule, not this page.
How to add one: [adding-a-rule.md](adding-a-rule.md).

| weight | what it means |
|---|---|
| `stop` | The claim waits until the fact changes; nobody can waive it. |
| `hold` | The claim waits until the fact changes or a person waives the finding with a reason. |
| `warn` | Shown; the claim goes out. |
| `info` | Shown, nothing more. |

A practice may give a rule another weight, or switch it off, in its profile.
"""


def families(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """The rules by the folder they stand in, families and rules in order of name.

    >>> [rule.id for rule in families(load())["encounter"]][:1]
    ['ENC-001']
    """
    found: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: (rule.family, rule.id)):
        found.setdefault(rule.family, []).append(rule)
    return found


def in_force(rule: Rule) -> str:
    """The dates of service a rule is for, in words; nothing for a rule that always was.

    >>> [in_force(rule) for rule in load() if rule.id == "TEL-007"]
    ['for services since 2025-01-01']
    """
    since = f" since {rule.since}" if rule.since else ""
    until = f" until {rule.until}" if rule.until else ""
    return f"for services{since}{until}" if since or until else ""


def section(rule: Rule) -> str:
    """One rule in Markdown: id, title, weight, and its documentation with the examples as code."""
    weight = ", ".join(filter(None, (f"`{rule.severity}`", in_force(rule))))
    return "\n\n".join((f"### {rule.id}", f"**{rule.title}** {weight}", *_paragraphs(rule)))


def page(rules: Iterable[Rule]) -> str:
    """The whole catalogue in Markdown."""
    grouped = families(rules)
    parts = [INTRODUCTION.rstrip()]
    for family, members in grouped.items():
        rows = [f"| [{rule.id}](#{rule.id.lower()}) | `{rule.severity}` | {rule.title} |" for rule in members]
        parts.append("\n".join((f"**{family}**", "", "| rule | weight | what must hold |", "|---|---|---|", *rows)))
    for family, members in grouped.items():
        parts += [f"## {family.capitalize()}", *map(section, members)]
    return "\n\n".join(parts) + "\n"


def _paragraphs(rule: Rule) -> Iterator[str]:
    for paragraph in rule.documentation.strip().split("\n\n"):
        if paragraph.startswith(">>>"):
            yield f"```pycon\n{paragraph}\n```"
        else:
            yield " ".join(paragraph.split())


if __name__ == "__main__":
    sys.stdout.write(page(load()))
