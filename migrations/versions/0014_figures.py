"""figures

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INDEXES = (
    ("charges", ("practice_id", "captured_at")),
    ("charges", ("practice_id", "service_date")),
    ("review_items", ("opened_at",)),
    ("events", ("subject", "at")),
)


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("practice_id", _ID, nullable=False),
        sa.Column("measure", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("dollars", sa.BigInteger(), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_figures_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures")),
        sa.UniqueConstraint(
            "practice_id", "measure", "day", "key", name=op.f("uq_figures_practice_id_measure_day_key")
        ),
    )
    op.create_index("ix_figures_day_practice_id", "figures", ["day", "practice_id"])
    op.create_table(
        "counted_days",
        sa.Column("practice_id", _ID, nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_counted_days_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counted_days")),
        sa.UniqueConstraint("practice_id", "part", "day", name=op.f("uq_counted_days_practice_id_part_day")),
    )
    for table, columns in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def downgrade() -> None:
    for table, columns in _INDEXES:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    for table in ("counted_days", "figures"):
        op.drop_table(table)
