"""The ledgers that this installation keeps. A new ledger is one more name here."""

import checklists.ledgers
import drills.ledgers
import safety.duty.ledgers
import safety.education.ledgers
import safety.incidents.ledgers
from safety.ledger.declare import Registry

REGISTRY = Registry(
    (
        *safety.education.ledgers.LEDGERS,
        *safety.duty.ledgers.LEDGERS,
        *checklists.ledgers.LEDGERS,
        *drills.ledgers.LEDGERS,
        *safety.incidents.ledgers.LEDGERS,
    )
)
