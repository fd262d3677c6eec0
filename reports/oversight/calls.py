"""What the first page says of inspectors' queries."""

from datetime import datetime

from reports.oversight.actions import ANSWERING
from reports.oversight.queries import open_queries
from safety.access.scope import Scope
from safety.web.calls import Call


async def calls(scope: Scope, school_id: int, code: str, now: datetime) -> list[Call]:
    """Officer and principal are told how many queries wait for the school's answer."""
    del now
    if not set(ANSWERING) & scope.roles_at(school_id):
        return []
    number = (await open_queries([school_id]))[school_id]
    if not number:
        return []
    return [Call("notes.unanswered", {"number": number}, f"/notes/schools/{code}", "notes.all")]
