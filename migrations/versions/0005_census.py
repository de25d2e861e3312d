"""census

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "census",
        sa.Column("practice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_census_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_census")),
        sa.UniqueConstraint("practice_id", "source", "role", name=op.f("uq_census_practice_id_source_role")),
    )
    op.create_table(
        "breakers",
        sa.Column("practice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("event_head", sa.String(length=64), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_breakers_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breakers")),
        sa.UniqueConstraint("practice_id", "source", "number", name=op.f("uq_breakers_practice_id_source_number")),
    )
    with op.batch_alter_table("breakers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_breakers_status_practice_id_source"), ["status", "practice_id", "source"], unique=False
        )
        batch_op.create_index(
            "uq_breakers_waiting_practice_id_source",
            ["practice_id", "source"],
            unique=True,
            sqlite_where=sa.text("status IN ('noticed', 'open')"),
            postgresql_where=sa.text("status IN ('noticed', 'open')"),
        )
    _events_of("'charge', 'file', 'breaker'")


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE subject = 'breaker'")
    _events_of("'charge', 'file'")
    op.drop_table("breakers")
    op.drop_table("census")


def _events_of(subjects: str) -> None:
    with op.batch_alter_table("events", schema=None) as batch_op:
        if op.get_bind().dialect.name != "sqlite":  # a copied table has no checks but those made here
            batch_op.drop_constraint(op.f("ck_events_subject"), type_="check")
        batch_op.create_check_constraint(op.f("ck_events_subject"), f"subject IN ({subjects})")
