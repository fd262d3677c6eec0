"""The instance's chain tells of every school's chain that it began: also of those that began before it did so."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from safety.audit.actions import append
from safety.audit.rules import BEGUN, INSTANCE
from safety.database import fetch_tuples

ID = "2026-11-22T06:10:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "chains begun"

LATEST = 'select max(at) as "at [timestamptz]" from audit_line'


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def tell() -> None:
        chains = await fetch_tuples(
            None, "select chain from audit_head where chain <> $1 order by chain", [INSTANCE]
        )
        for (chain,) in chains:
            # A migration reads no clock: the latest line's time says that the chain was there by then.
            ((at,),) = await fetch_tuples(None, LATEST)
            await append(None, None, BEGUN, f"chain:{chain}", {"chain": chain}, at)

    manager.add_raw(tell)
    return manager
