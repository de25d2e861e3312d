"""queue at scale

Revision: 0016, after 0014
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

_HELD: Mapping[str, Sequence[str]] = {
    "since": ("status", "held_since", "id"),
    "total": ("status", "total", "id"),
    "deadline": ("status", "deadline", "id"),
    "practice": ("practice_id", "deadline", "id"),
    "provider": ("provider_npi", "deadline", "id"),
    "payer": ("payer_id", "deadline", "id"),
    "assignee": ("assignee", "deadline", "id"),
}
_NARROWED_BY = (
    "status",
    "practice_id",
    "payer_id",
    "provider_npi",
    "assignee",
    "held_since",
    "deadline",
    "total",
    "snoozed_until",
    "asked_at",
)
_OPEN = {"rule": ("severity", "origin", "state"), "severity": ("rule", "origin", "state")}


def upgrade() -> None:
    _make_anew(narrowed=True)
    not_of_rules = sa.text("state = 'open' AND origin <> 'rules'")
    op.create_index(
        "ix_review_items_open_origin",
        "review_items",
        ["origin", "charge_id"],
        sqlite_where=not_of_rules,
        postgresql_where=not_of_rules,
    )
    op.create_table(
        "kept_counts",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("stamp", sa.String(length=80), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_counts")),
        sa.UniqueConstraint("name", name=op.f("uq_kept_counts_name")),
    )


def _make_anew(*, narrowed: bool) -> None:
    """The indexes of the queue on PostgreSQL, with or without what it is narrowed by; SQLite has no such columns."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, columns in _HELD.items():
        others = [each for each in _NARROWED_BY if each not in columns]
        _replace(f"ix_charges_held_{name}", "charges", columns, others if narrowed else [], "status = 'held'")
    for name, others in _OPEN.items():
        columns = (name, "charge_id")
        _replace(f"ix_review_items_open_{name}", "review_items", columns, others if narrowed else [], "state = 'open'")


def _replace(name: str, table: str, columns: Sequence[str], others: Sequence[str], where: str) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, list(columns), postgresql_include=list(others), postgresql_where=sa.text(where))


def downgrade() -> None:
    op.drop_table("kept_counts")
    op.drop_index("ix_review_items_open_origin", "review_items")
    _make_anew(narrowed=False)
