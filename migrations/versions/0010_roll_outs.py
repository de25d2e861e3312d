"""roll outs

Revision: 0010, after 0012

No row is made for practices that there are: their mode is sealed in their profile, and is taken over from there when the
practice is first looked at.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roll_outs",
        sa.Column("practice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("cohort_size", sa.Integer(), nullable=False),
        sa.Column("cohort_line", sa.String(length=32), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("event_head", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_roll_outs_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_outs")),
        sa.UniqueConstraint("practice_id", name=op.f("uq_roll_outs_practice_id")),
    )
    _events_of("'charge', 'file', 'breaker', 'user', 'roll_out'")


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE subject = 'roll_out'")
    _events_of("'charge', 'file', 'breaker', 'user'")
    op.drop_table("roll_outs")


def _events_of(subjects: str) -> None:
    with op.batch_alter_table("events", schema=None) as batch_op:
        if op.get_bind().dialect.name != "sqlite":  # a copied table has no checks but those made here
            batch_op.drop_constraint(op.f("ck_events_subject"), type_="check")
        batch_op.create_check_constraint(op.f("ck_events_subject"), f"subject IN ({subjects})")
