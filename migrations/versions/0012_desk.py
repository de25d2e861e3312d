"""desk

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HELD = {
    "since": ("status", "held_since", "id"),
    "total": ("status", "total", "id"),
    "deadline": ("status", "deadline", "id"),
    "practice": ("practice_id", "deadline", "id"),
    "provider": ("provider_npi", "deadline", "id"),
    "payer": ("payer_id", "deadline", "id"),
    "assignee": ("assignee", "deadline", "id"),
}


def upgrade() -> None:
    with op.batch_alter_table("charges", schema=None) as batch_op:
        for name, length in (("corrected_from", 64), ("provider_npi", 80), ("assignee", 80)):
            batch_op.add_column(sa.Column(name, sa.String(length=length), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("deadline", sa.Date(), nullable=False, server_default=sa.text("'9999-12-31'")))
        batch_op.add_column(
            sa.Column(
                "held_since",
                sa.DateTime(timezone=True),
                nullable=False,
                server_default=sa.text("'1970-01-01 00:00:00+00'"),
            )
        )
        batch_op.add_column(sa.Column("snoozed_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE charges SET held_since = changed_at")
    held = sa.text("status = 'held'")
    for name, columns in _HELD.items():
        op.create_index(f"ix_charges_held_{name}", "charges", list(columns), sqlite_where=held, postgresql_where=held)
    is_open = sa.text("state = 'open'")
    for name in ("rule", "severity"):
        op.create_index(
            f"ix_review_items_open_{name}",
            "review_items",
            [name, "charge_id"],
            sqlite_where=is_open,
            postgresql_where=is_open,
        )
    op.create_table(
        "corrections",
        sa.Column("charge_id", _ID, nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("from_version", sa.String(length=64), nullable=False),
        sa.Column("to_version", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("fk_corrections_charge_id_charges")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint("charge_id", "event", name=op.f("uq_corrections_charge_id_event")),
    )
    standing = sa.text("state = 'standing'")
    op.create_index(
        "ix_corrections_standing", "corrections", ["charge_id"], sqlite_where=standing, postgresql_where=standing
    )
    op.create_table(
        "looks",
        sa.Column("charge_id", _ID, nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("fk_looks_charge_id_charges")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_looks")),
    )
    op.create_index("ix_looks_charge_id_seen_at", "looks", ["charge_id", "seen_at"])
    op.create_table(
        "views",
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_views_owner_name")),
    )


def downgrade() -> None:
    for table in ("views", "looks", "corrections"):
        op.drop_table(table)
    for name in ("severity", "rule"):
        op.drop_index(f"ix_review_items_open_{name}", "review_items")
    for name in _HELD:
        op.drop_index(f"ix_charges_held_{name}", "charges")
    with op.batch_alter_table("charges", schema=None) as batch_op:
        for name in (
            "asked_at",
            "snoozed_until",
            "held_since",
            "deadline",
            "assignee",
            "provider_npi",
            "corrected_from",
        ):
            batch_op.drop_column(name)
