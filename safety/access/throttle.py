"""What slows guessing down: attempts are counted per login, before anything is looked at."""

from datetime import datetime, timedelta

from safety.access import rules
from safety.access.tables import LoginThrottle
from safety.audit.actions import append
from safety.database import fetch_tuples, transaction

KEPT = timedelta(days=1)


async def claim(login: str, now: datetime) -> bool:
    """Count an attempt before looking at its password; False while the login is locked."""
    async with transaction():
        await fetch_tuples(
            None,
            "insert into login_throttle (login, failures, failed_at) values ($1, 0, $2) "
            "on conflict (login) do update set failed_at = login_throttle.failed_at",
            [login, now],
        )
        rows = await fetch_tuples(
            None, "select failures, locked_until from login_throttle where login = $1 for update", [login]
        )
        after, allowed = rules.next_attempt(rules.Attempts(*rows[0]), now)
        if allowed:
            await fetch_tuples(
                None,
                "update login_throttle set failures = $2, locked_until = $3, failed_at = $4 where login = $1",
                [login, after.failures, after.locked_until, now],
            )
            if after.locked_until is not None:
                await append(
                    None, None, "account.attempts", f"login:{login}", {"failures": after.failures}, now
                )
        return allowed


async def forget(login: str) -> None:
    """Somebody got in, or was given a new password: the count begins anew. Inside the caller's transaction."""
    await LoginThrottle.delete().where(LoginThrottle.login == login)


async def purge(now: datetime) -> None:
    """Drop the attempts that nobody needs any more. Inside the caller's transaction."""
    await fetch_tuples(
        None,
        "delete from login_throttle where failed_at < $1 and (locked_until is null or locked_until < $2)",
        [now - KEPT, now],
    )
