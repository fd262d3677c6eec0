"""What has run out is cleared away: sessions that ended, failed sign-ins that nobody is locked out by any more."""

from datetime import datetime, timedelta

from safety.database import fetch_tuples

SESSIONS = "delete from web_session where expires_at <= $1 returning id"
THROTTLES = """delete from login_throttle where failed_at <= $1 and (locked_until is null or locked_until <= $2)
returning id"""
FORGOTTEN_AFTER = timedelta(days=1)


async def purge(now: datetime) -> int:
    """Delete them; returns how many rows went."""
    sessions = await fetch_tuples(None, SESSIONS, [now])
    throttles = await fetch_tuples(None, THROTTLES, [now - FORGOTTEN_AFTER, now])
    return len(sessions) + len(throttles)
