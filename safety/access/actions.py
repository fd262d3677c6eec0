"""Writing accounts: who comes in, who may do what, who is shown the door. One transaction each, each
audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from safety.access import rules, throttle, tokens
from safety.access.scope import ROLES, Scope
from safety.access.tables import Account, ApiToken, RoleGrant, WebSession
from safety.audit.actions import append
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound, Problem


@dataclass(frozen=True, slots=True)
class NewRole:
    """One role to grant: at a school or at a bureau (ids), perhaps for one class."""

    role: str
    school: int | None = None
    bureau: int | None = None
    school_class: int | None = None
    from_day: date | None = None
    until_day: date | None = None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to make an account for. Without `password`, `one_time` says whether to print one."""

    login: str
    name: str
    roles: tuple[NewRole, ...] = ()
    password: str | None = None
    one_time: bool = True
    language: str | None = None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What became of it. `one_time_password` is to be printed now: it is stored nowhere."""

    id: int
    login: str
    name: str
    one_time_password: str | None


async def create_accounts(
    actor: Scope | None, people: Sequence[NewPerson], now: datetime
) -> list[NewAccount]:
    """Make accounts, all or none. `actor` None is the machine itself (command line, import, first set-up).

    Raises BadInput with a problem per bad person (field `0.login`, `3.role` …), NotAllowed for a
    non-administrator.
    """
    if actor is not None and not actor.admin:
        raise NotAllowed
    folded = [_folded(person) for person in people]
    problems = _problems(folded) + await _taken(folded)
    if problems:
        raise BadInput(problems)
    secrets = [await _first_password(person) for person in folded]
    async with transaction():
        return [await insert(actor, person, *pair, now) for person, pair in zip(folded, secrets, strict=True)]


async def create_account(actor: Scope | None, person: NewPerson, now: datetime) -> NewAccount:
    """Make one account; as `create_accounts`."""
    return (await create_accounts(actor, [person], now))[0]


def _folded(person: NewPerson) -> NewPerson:
    return NewPerson(
        login=rules.fold_login(person.login),
        name=person.name.strip(),
        roles=person.roles,
        password=person.password,
        one_time=person.one_time,
        language=person.language,
    )


def _problems(people: Sequence[NewPerson]) -> list[Problem]:
    found: list[Problem] = []
    seen: set[str] = set()
    for number, person in enumerate(people):
        found += _person_problems(number, person)
        if person.login in seen:
            found.append(Problem(f"{number}.login", "login-taken", {"login": person.login}))
        seen.add(person.login)
    return found


def _person_problems(number: int, person: NewPerson) -> list[Problem]:
    codes = [("login", rules.login_problem(person.login)), ("name", rules.name_problem(person.name))]
    if person.password is not None:
        codes.append(("password", rules.password_problem(person.password, person.login)))
    codes += [
        ("role", rules.role_problem(role.role, role.school is not None, role.bureau is not None))
        for role in person.roles
    ]
    return [
        Problem(
            f"{number}.{field}",
            code,
            {
                "login": person.login,
                "least": rules.PASSWORD_MIN,
                "most": rules.NAME_MAX,
                "allowed": ", ".join(ROLES),
            },
        )
        for field, code in codes
        if code
    ]


async def _taken(people: Sequence[NewPerson]) -> list[Problem]:
    known = {login for (login,) in await fetch_tuples(None, "select login from account")}
    return [
        Problem(f"{number}.login", "login-taken", {"login": person.login})
        for number, person in enumerate(people)
        if person.login in known
    ]


async def _first_password(person: NewPerson) -> tuple[str | None, str | None]:
    """(digest to store, one-time password to print)."""
    if person.password is not None:
        return await tokens.hash_password(person.password), None
    if not person.one_time:
        return None, None
    printed = tokens.new_one_time_password()
    return await tokens.hash_password(printed), printed


async def insert(
    actor: Scope | None, person: NewPerson, digest: str | None, printed: str | None, now: datetime
) -> NewAccount:
    """Write one checked person down, inside the caller's transaction."""
    account = Account(
        login=person.login,
        name=person.name,
        password_hash=digest,
        must_change_password=printed is not None,
        one_time_until=now + rules.ONE_TIME_FOR if printed else None,
        language=person.language,
        disabled_at=None,
        created_at=now,
    )
    await account.save()
    await append(None, actor, "account.created", f"account:{person.login}", {"name": person.name}, now)
    for role in person.roles:
        await _grant(actor, account.id, person.login, role, now)
    return NewAccount(account.id, person.login, person.name, printed)


async def grant(actor: Scope | None, login: str, role: NewRole, now: datetime) -> None:
    """Give a person one more role. Raises NotFound, BadInput, NotAllowed."""
    _administrator(actor)
    problem = rules.role_problem(role.role, role.school is not None, role.bureau is not None)
    if problem:
        raise BadInput.one("role", problem, allowed=", ".join(ROLES))
    async with transaction():
        account = await _account(login)
        await _grant(actor, account.id, account.login, role, now)


async def _grant(actor: Scope | None, account: int, login: str, role: NewRole, now: datetime) -> None:
    await RoleGrant(
        account=account,
        role=role.role,
        school=role.school,
        bureau=role.bureau,
        school_class=role.school_class,
        from_day=role.from_day,
        until_day=role.until_day,
    ).save()
    facts = {"role": role.role, "bureau": role.bureau, "class": role.school_class}
    await append(role.school, actor, "role.granted", f"account:{login}", facts, now)


async def reset_password(actor: Scope | None, login: str, now: datetime) -> NewAccount:
    """A new one-time password; what was signed in with the old one ends. Raises NotFound, NotAllowed."""
    _administrator(actor)
    printed = tokens.new_one_time_password()
    digest = await tokens.hash_password(printed)
    async with transaction():
        account = await _account(login)
        await Account.update(
            {
                Account.password_hash: digest,
                Account.must_change_password: True,
                Account.one_time_until: now + rules.ONE_TIME_FOR,
            }
        ).where(Account.id == account.id)
        await _end_sessions(account.id)
        await throttle.forget(account.login)
        await append(None, actor, "account.reset", f"account:{account.login}", {}, now)
    return NewAccount(account.id, account.login, account.name, printed)


async def disable(actor: Scope | None, login: str, now: datetime) -> None:
    """Close an account: its sessions and tokens end at once. Raises NotFound, NotAllowed, Conflict for one's
    own.
    """
    _administrator(actor)
    async with transaction():
        account = await _account(login)
        if actor is not None and actor.account_id == account.id:
            raise Conflict("own-account")
        await Account.update({Account.disabled_at: now}).where(Account.id == account.id)
        await _end_sessions(account.id)
        await ApiToken.update({ApiToken.revoked_at: now}).where(
            (ApiToken.account == account.id) & ApiToken.revoked_at.is_null()
        )
        await append(None, actor, "account.disabled", f"account:{account.login}", {}, now)


async def enable(actor: Scope | None, login: str, now: datetime) -> None:
    """Open a closed account again. Raises NotFound, NotAllowed."""
    _administrator(actor)
    async with transaction():
        account = await _account(login)
        await Account.update({Account.disabled_at: None}).where(Account.id == account.id)
        await append(None, actor, "account.enabled", f"account:{account.login}", {}, now)


async def change_password(viewer: Scope, old: str, new: str, now: datetime) -> str:
    """A person's own new password; all their sessions end, and the token of a fresh one is returned.

    Raises BadInput: `old` wrong, or the new one refused. Wrong guesses count towards the lock as at sign-in.
    """
    account = await _account(viewer.login)
    allowed = await throttle.claim(viewer.login, now)
    if not await tokens.password_matches(account.password_hash if allowed else None, old):
        raise BadInput.one("old", "password-wrong")
    problem = rules.password_problem(new, viewer.login)
    if problem is None and rules.fold_password(new) == rules.fold_password(old):
        problem = "password-same"
    if problem:
        raise BadInput.one("new", problem, least=rules.PASSWORD_MIN)
    digest = await tokens.hash_password(new)
    async with transaction():
        if not await _still(account.id, account.password_hash):
            raise BadInput.one("old", "password-wrong")
        await Account.update(
            {
                Account.password_hash: digest,
                Account.must_change_password: False,
                Account.one_time_until: None,
            }
        ).where(Account.id == account.id)
        await throttle.forget(account.login)
        await _end_sessions(account.id)
        await append(None, viewer, "account.password", f"account:{account.login}", {}, now)
        return await open_session(account.id, now)


async def set_language(viewer: Scope, language: str, now: datetime) -> None:
    """The language of a person's pages."""
    async with transaction():
        await Account.update({Account.language: language}).where(Account.id == viewer.account_id)
        await append(None, viewer, "account.language", f"account:{viewer.login}", {"language": language}, now)


async def sign_in(login: str, password: str, now: datetime, old_token: str | None = None) -> str:
    """Check a login and its password; the token of a new session. The session that came along, if any, ends.

    Raises BadInput `sign-in-failed`, the same for a wrong password, an unknown, locked or disabled login,
    after the
    same time; `one-time-expired` only to somebody who knew the one-time password.
    """
    folded = rules.fold_login(login)
    allowed = await throttle.claim(folded, now)
    account = await Account.objects().where(Account.login == folded).first()
    usable = allowed and account is not None and account.disabled_at is None
    stored = account.password_hash if account is not None and usable else None
    if not await tokens.password_matches(stored, password) or account is None:
        raise BadInput.one(None, "sign-in-failed", minutes=int(rules.LOCK_FOR.total_seconds() // 60))
    if account.one_time_until is not None and now >= account.one_time_until:
        raise BadInput.one(None, "one-time-expired")
    async with transaction():
        if not await _still(account.id, stored):
            raise BadInput.one(None, "sign-in-failed", minutes=int(rules.LOCK_FOR.total_seconds() // 60))
        await throttle.forget(folded)
        if old_token:
            await WebSession.delete().where(WebSession.token_hash == tokens.digest(old_token))
        await _purge(now)
        return await open_session(account.id, now)


async def _still(account: int, stored: str | None) -> bool:
    """Whether that is the account's password yet: it may have been reset, or the account closed, while it was
    checked.
    """
    rows = await fetch_tuples(
        None, "select password_hash, disabled_at from account where id = $1 for update", [account]
    )
    return tuple(rows[0]) == (stored, None)


async def open_session(account: int, now: datetime) -> str:
    """A new session for an account; its token, which is stored nowhere. Inside the caller's transaction."""
    token = tokens.new_token()
    await WebSession(
        token_hash=tokens.digest(token),
        account=account,
        created_at=now,
        seen_at=now,
        expires_at=rules.session_ends(now, now),
    ).save()
    return token


async def touch_session(session: int, now: datetime) -> None:
    """Note that a session is in use, which keeps it from ending idle."""
    rows = await fetch_tuples(None, "select created_at from web_session where id = $1", [session])
    if rows:
        ends = rules.session_ends(rows[0][0], now)
        await fetch_tuples(
            None, "update web_session set seen_at = $2, expires_at = $3 where id = $1", [session, now, ends]
        )


async def sign_out(token: str) -> None:
    """End one session."""
    await WebSession.delete().where(WebSession.token_hash == tokens.digest(token))


async def issue_token(actor: Scope | None, login: str, label: str, now: datetime) -> str:
    """A new API token of an account, shown once. Raises NotFound; NotAllowed unless it is one's own or an
    admin asks.
    """
    if actor is not None and actor.login != login:
        _administrator(actor)
    token = tokens.new_token()
    async with transaction():
        account = await _account(login)
        await ApiToken(
            token_hash=tokens.digest(token), account=account.id, label=label, created_at=now, revoked_at=None
        ).save()
        await append(None, actor, "account.api", f"account:{login}", {"label": label}, now)
    return token


async def revoke_token(actor: Scope | None, number: int, now: datetime) -> None:
    """End one API token; its account goes on. Raises NotAllowed, NotFound for one that is no longer in use."""
    _administrator(actor)
    async with transaction():
        found = await fetch_tuples(
            None,
            "update api_token set revoked_at = $2 where id = $1 and revoked_at is null returning account, label",
            [number, now],
        )
        if not found:
            raise NotFound
        account, label = found[0]
        (login,) = (await fetch_tuples(None, "select login from account where id = $1", [account]))[0]
        facts = {"label": label, "number": number}
        await append(None, actor, "account.api-ended", f"account:{login}", facts, now)


def _administrator(actor: Scope | None) -> None:
    if actor is not None and not actor.admin:
        raise NotAllowed


async def _account(login: str) -> Account:
    found = await Account.objects().where(Account.login == login).first()
    if found is None:
        raise NotFound
    return found


async def _end_sessions(account: int) -> None:
    await WebSession.delete().where(WebSession.account == account)


async def _purge(now: datetime) -> None:
    """Sessions that have ended and attempts nobody needs any more; done at sign-in, so that no job is
    needed.
    """
    await WebSession.delete().where(WebSession.expires_at <= now)
    await throttle.purge(now)
