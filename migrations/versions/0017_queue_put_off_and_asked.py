"""queue put off and asked, findings by their day

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NARROWED_BY = (
    "practice_id",
    "payer_id",
    "provider_npi",
    "assignee",
    "held_since",
    "total",
    "snoozed_until",
    "asked_at",
)
_FEW = {"snoozed": "snoozed_until IS NOT NULL", "asked": "asked_at IS NOT NULL"}


def upgrade() -> None:
    for name, condition in _FEW.items():
        few = sa.text(f"status = 'held' AND {condition}")
        op.create_index(
            f"ix_charges_held_{name}",
            "charges",
            ["status", "deadline", "id"],
            sqlite_where=few,
            postgresql_where=few,
            postgresql_include=list(_NARROWED_BY),
        )
    op.drop_index("ix_review_items_opened_at", "review_items")
    op.create_index("ix_review_items_found", "review_items", ["opened_at", "rule", "severity", "charge_id"])


def downgrade() -> None:
    op.drop_index("ix_review_items_found", "review_items")
    op.create_index("ix_review_items_opened_at", "review_items", ["opened_at"])
    for name in _FEW:
        op.drop_index(f"ix_charges_held_{name}", "charges")
