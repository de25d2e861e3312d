"""The tables: an envelope in plain columns for what SQL filters by, everything about a patient sealed.

A charge is one document in an envelope, so rules never see a row and the model grows without a migration. Money is
whole cents, moments are UTC. A row class that derives from ``SealedRow`` names its sealed columns and the columns that
are its identity; the identity is authenticated with each sealed value.
"""

from charges.tables.answers import AlarmRow, AnswerRow
from charges.tables.base import Base, SealedRow
from charges.tables.charges import (
    NO_DEADLINE,
    ChargeRow,
    ChargeVersionRow,
    EventRow,
    HistoryLineRow,
    PracticeRow,
    ReviewItemRow,
)
from charges.tables.claims import ClaimFileRow, ClaimRow, ControlNumberRow, PaymentRow, ResponseRow
from charges.tables.columns import BigId, Cents, Moment, Word
from charges.tables.desk import CorrectionRow, LookRow, ViewRow
from charges.tables.differences import DifferenceRow
from charges.tables.figures import CountedDayRow, FigureRow
from charges.tables.insertion import insert_all, next_ids
from charges.tables.kept import KeptCountRow
from charges.tables.money import AccountAdjustmentRow, PaymentReasonRow, RemittanceRow, UnmatchedPaymentRow
from charges.tables.patients import PatientLinkRow, PatientRow, PatientSearchKeyRow
from charges.tables.rollout import RollOutRow
from charges.tables.sources import AllowanceRow, BreakerRow, CensusRow, CursorRow, ProbeRow, RawRecordRow
from charges.tables.states import (
    NEVER_SENT,
    Amendment,
    BreakerStatus,
    ChargeStatus,
    CorrectionState,
    DeliveryState,
    DifferenceState,
    FileStatus,
    ItemState,
    Mode,
    Onward,
    Origin,
    Role,
    Topic,
    UnmatchedStatus,
    UserStatus,
)
from charges.tables.telling import DeliveryRow, EndpointRow, NoticeRow, SubscriptionRow
from charges.tables.users import GrantRow, RecoveryCodeRow, SessionRow, TokenRow, UserRow

__all__ = [
    "NEVER_SENT",
    "NO_DEADLINE",
    "SEALED_ROWS",
    "AccountAdjustmentRow",
    "AlarmRow",
    "AllowanceRow",
    "Amendment",
    "AnswerRow",
    "Base",
    "BigId",
    "BreakerRow",
    "BreakerStatus",
    "CensusRow",
    "Cents",
    "ChargeRow",
    "ChargeStatus",
    "ChargeVersionRow",
    "ClaimFileRow",
    "ClaimRow",
    "ControlNumberRow",
    "CorrectionRow",
    "CorrectionState",
    "CountedDayRow",
    "CursorRow",
    "DeliveryRow",
    "DeliveryState",
    "DifferenceRow",
    "DifferenceState",
    "EndpointRow",
    "EventRow",
    "FigureRow",
    "FileStatus",
    "GrantRow",
    "HistoryLineRow",
    "ItemState",
    "KeptCountRow",
    "LookRow",
    "Mode",
    "Moment",
    "NoticeRow",
    "Onward",
    "Origin",
    "PatientLinkRow",
    "PatientRow",
    "PatientSearchKeyRow",
    "PaymentReasonRow",
    "PaymentRow",
    "PracticeRow",
    "ProbeRow",
    "RawRecordRow",
    "RecoveryCodeRow",
    "RemittanceRow",
    "ResponseRow",
    "ReviewItemRow",
    "Role",
    "RollOutRow",
    "SealedRow",
    "SessionRow",
    "SubscriptionRow",
    "TokenRow",
    "Topic",
    "UnmatchedPaymentRow",
    "UnmatchedStatus",
    "UserRow",
    "UserStatus",
    "ViewRow",
    "Word",
    "insert_all",
    "next_ids",
]

SEALED_ROWS: tuple[type[SealedRow], ...] = (
    PracticeRow,
    ChargeVersionRow,
    RawRecordRow,
    ProbeRow,
    ReviewItemRow,
    EventRow,
    ClaimFileRow,
    ClaimRow,
    ResponseRow,
    PaymentRow,
    DifferenceRow,
    CorrectionRow,
    CensusRow,
    BreakerRow,
    UserRow,
    PatientRow,
    EndpointRow,
)
"""All tables with sealed columns, for the rotation of keys."""
