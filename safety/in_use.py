"""What this process runs on besides its database: the standards and the ledgers, put in use once at start.

`config` puts them together; everything below reads them here, so that no rule has to be handed through every call.
"""

from typing import TYPE_CHECKING

from safety.standards import Standards

if TYPE_CHECKING:
    from safety.ledger.declare import Registry


class NotInUse(RuntimeError):
    """Something was asked for before `config` put it in use."""


class _InUse:
    standards: Standards | None = None
    registry: "Registry | None" = None


_in_use = _InUse()


def use(standards: Standards, registry: "Registry") -> None:
    """Run on these from now on, in the whole process."""
    _in_use.standards, _in_use.registry = standards, registry


def standards() -> Standards:
    """The standards in use. Raises NotInUse before `use`."""
    if _in_use.standards is None:
        raise NotInUse("standards")
    return _in_use.standards


def registry() -> "Registry":
    """The ledgers in use. Raises NotInUse before `use`."""
    if _in_use.registry is None:
        raise NotInUse("registry")
    return _in_use.registry
