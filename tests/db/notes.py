"""Two tables that only the storage tests have."""

from piccolo.columns import UUID, Boolean, Date, ForeignKey, Integer, OnDelete, Text, Timestamptz
from piccolo.table import Table

from safety.database import transaction


class StorageShelf(Table):
    name = Text()


class StorageNote(Table):
    id = UUID(primary_key=True, default=None)
    shelf = ForeignKey(StorageShelf, null=False, on_delete=OnDelete.restrict, index=True)
    number = Integer()
    ready = Boolean()
    day = Date(default=None, null=True)
    at = Timestamptz(default=None, null=True)
    text = Text()


async def create_tables() -> StorageShelf:
    """Create both and return the one shelf, number 1."""
    async with transaction():
        await StorageShelf.create_table()
        await StorageNote.create_table()
        shelf = StorageShelf(name="A")
        await shelf.save()
        return shelf
