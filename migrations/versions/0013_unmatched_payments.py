"""unmatched payments can be settled

Revision: 0013, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0015"
branch_labels = None
depends_on = None

_SUBJECTS = "'charge', 'file', 'breaker', 'user', 'roll_out'"


def upgrade() -> None:
    with op.batch_alter_table("unmatched_payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("status", sa.String(length=8), nullable=False, server_default=sa.text("'open'")))
        batch_op.add_column(sa.Column("event_count", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("event_head", sa.String(length=64), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(
            sa.Column(
                "changed_at",
                sa.DateTime(timezone=True),
                nullable=False,
                server_default=sa.text("'1970-01-01 00:00:00+00'"),
            )
        )
    op.execute(
        "UPDATE unmatched_payments SET changed_at = "
        "(SELECT posted_at FROM remittances WHERE remittances.id = unmatched_payments.remittance_id)"
    )
    _events_of(f"{_SUBJECTS}, 'payment'")


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE subject = 'payment'")
    _events_of(_SUBJECTS)
    with op.batch_alter_table("unmatched_payments", schema=None) as batch_op:
        for name in ("changed_at", "event_head", "event_count", "status"):
            batch_op.drop_column(name)


def _events_of(subjects: str) -> None:
    with op.batch_alter_table("events", schema=None) as batch_op:
        if op.get_bind().dialect.name != "sqlite":  # a copied table has no checks but those made here
            batch_op.drop_constraint(op.f("ck_events_subject"), type_="check")
        batch_op.create_check_constraint(op.f("ck_events_subject"), f"subject IN ({subjects})")
