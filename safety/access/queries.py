"""Reading accounts. `session` and `bearer` are on the path of every request: one or two statements each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from safety.access.rules import SEEN_EVERY, in_force
from safety.access.scope import Role, Scope, is_read_only
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.errors import NotAllowed

Row = tuple[Any, ...]

_WHO = (
    "a.id, a.login, a.name, a.language, a.must_change_password, "
    "g.role, g.bureau, g.school, g.school_class, g.from_day, g.until_day, s.code"
)
_GRANTS = "left join role_grant g on g.account = a.id left join school s on s.id = g.school"
BY_SESSION = (
    f"select {_WHO}, w.id, w.seen_at from web_session w join account a on a.id = w.account {_GRANTS} "  # noqa: S608
    "where w.token_hash = $1 and w.expires_at > $2 and a.disabled_at is null"
)
BY_BEARER = (
    f"select {_WHO} from api_token k join account a on a.id = k.account {_GRANTS} "  # noqa: S608
    "where k.token_hash = $1 and k.revoked_at is null and a.disabled_at is null"
)
BY_ID = f"select {_WHO} from account a {_GRANTS} where a.id = $1 and a.disabled_at is null"  # noqa: S608
# Which bureaus lie below which: (root, kind, id, code), kind 0 for a bureau and 1 for a school.
REACH = (
    "with recursive tree (root, id) as ("
    " select id, id from bureau where id in ({roots})"
    " union select tree.root, b.id from bureau b join tree on b.parent = tree.id)"
    " select tree.root, 0, b.id, b.code from tree join bureau b on b.id = tree.id"
    " union all select tree.root, 1, s.id, s.code from tree join school s on s.bureau = tree.id"
)
EVERYTHING = "select 0, 0, id, code from bureau union all select 0, 1, id, code from school"


@dataclass(frozen=True, slots=True)
class SessionFound:
    """A session that holds: its row's id, whose it is, and whether its last-seen time is old enough to
    move.
    """

    id: int
    scope: Scope
    due_for_touch: bool


async def session(token_hash: str, now: datetime) -> SessionFound | None:
    """The session with that token's digest, unless it has ended or its account was disabled."""
    rows = await _fetch(BY_SESSION, [token_hash, now])
    if not rows:
        return None
    due = now - rows[0][13] >= SEEN_EVERY
    return SessionFound(rows[0][12], await _scope(rows, now), due)


async def bearer(token_hash: str, now: datetime) -> Scope | None:
    """Whose API token that is; None for one revoked or unknown, or of a disabled account."""
    rows = await _fetch(BY_BEARER, [token_hash])
    return await _scope(rows, now) if rows else None


async def scope_of(account_id: int, now: datetime) -> Scope | None:
    """The scope of an account, as the person has it when signed in; None for a disabled or unknown one."""
    rows = await _fetch(BY_ID, [account_id])
    return await _scope(rows, now) if rows else None


async def scope_of_login(login: str, now: datetime) -> Scope | None:
    """The same by login."""
    rows = await _fetch("select id from account where login = $1", [login])
    return await scope_of(rows[0][0], now) if rows else None


@dataclass(frozen=True, slots=True)
class _Grant:
    role: str
    bureau: int | None
    school: int | None
    school_class: int | None
    code: str | None


async def _scope(rows: Sequence[Row], now: datetime) -> Scope:
    today = local_day(now)
    grants = [
        _Grant(row[5], row[6], row[7], row[8], row[11])
        for row in rows
        if row[5] and in_force(row[9], row[10], today)
    ]
    admin = any(grant.role == "admin" for grant in grants)
    reach = await _reach(grants, admin)
    roles = tuple(_role(grant, reach) for grant in grants)
    codes = {grant.code: grant.school for grant in grants if grant.code and grant.school}
    below = [(kind, number, code) for places in reach.values() for kind, number, code in places]
    school_codes = codes | {code: number for kind, number, code in below if kind == 1}
    bureau_codes = {code: number for kind, number, code in below if kind == 0}
    account_id, login, name, language, must_change = rows[0][:5]
    return Scope(
        account_id=account_id,
        login=login,
        name=name,
        roles=roles,
        schools=frozenset(school_codes.values()),
        bureaus=frozenset(bureau_codes.values()),
        read_only=is_read_only(frozenset(grant.role for grant in grants)),
        admin=admin,
        language=language,
        must_change_password=bool(must_change),
        school_codes=school_codes,
        bureau_codes=bureau_codes,
    )


Reach = dict[int, list[tuple[int, int, str]]]


async def _reach(grants: Iterable[_Grant], admin: bool) -> Reach:
    """What lies below each bureau named in a grant; everything, under root 0, for an administrator."""
    roots = sorted({grant.bureau for grant in grants if grant.bureau is not None})
    if admin:
        rows = await _fetch(EVERYTHING, [])
    elif roots:
        places = ", ".join(f"${place}" for place in range(1, len(roots) + 1))
        rows = await _fetch(REACH.replace("{roots}", places), roots)
    else:
        return {}
    reach: Reach = {}
    for root, kind, number, code in rows:
        reach.setdefault(root, []).append((kind, number, code))
    return reach


def _role(grant: _Grant, reach: Reach) -> Role:
    places = reach.get(0 if grant.role == "admin" else grant.bureau or -1, [])
    own = {grant.school} if grant.school is not None else set()
    return Role(
        name=grant.role,
        schools=frozenset(own | {number for kind, number, _ in places if kind == 1}),
        bureaus=frozenset(number for kind, number, _ in places if kind == 0),
        school=grant.school,
        bureau=grant.bureau,
        school_class=grant.school_class,
    )


async def account_exists() -> bool:
    """Whether there is any account at all; until then `/setup` is open."""
    return bool(await _fetch("select 1 from account limit 1", []))


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account in the list: `roles` are (role, place's name, class's name) triples."""

    id: int
    login: str
    name: str
    disabled: bool
    waiting: bool
    roles: tuple[tuple[str, str, str], ...]


_LIST = (
    "select a.id, a.login, a.name, a.disabled_at, a.must_change_password, g.role, b.name, s.name, c.name "
    "from account a left join role_grant g on g.account = a.id left join bureau b on b.id = g.bureau "
    "left join school s on s.id = g.school left join school_class c on c.id = g.school_class "
    "where a.id in "
    "(select id from account where login like $1 or name like $1 order by login limit $2 offset $3) "
    "order by a.login, g.id"
)


async def list_accounts(scope: Scope, search: str, offset: int, limit: int) -> list[AccountLine]:
    """A page of accounts whose login or name holds `search`, by login. Raises NotAllowed but for
    administrators.
    """
    _administrators_only(scope)
    rows = await _fetch(_LIST, [f"%{search}%", limit, offset])
    found: dict[int, AccountLine] = {}
    for number, login, name, disabled_at, waiting, role, bureau, school, class_name in rows:
        known = found.get(number)
        roles = (
            *(known.roles if known else ()),
            *([(role, school or bureau or "", class_name or "")] if role else []),
        )
        found[number] = AccountLine(number, login, name, disabled_at is not None, bool(waiting), roles)
    return list(found.values())


async def count_accounts(scope: Scope, search: str) -> int:
    """How many accounts `list_accounts` would give in all."""
    _administrators_only(scope)
    sql = "select count(*) from account where login like $1 or name like $1"
    return int((await _fetch(sql, [f"%{search}%"]))[0][0])


@dataclass(frozen=True, slots=True)
class TokenLine:
    """An API token that is in use. Neither it nor its digest is ever shown: `number` names it."""

    number: int
    login: str
    name: str
    label: str
    created_at: datetime


_TOKENS = (
    "select k.id, a.login, a.name, k.label, k.created_at from api_token k join account a on a.id = k.account "
    "where k.revoked_at is null order by a.login, k.id"
)


async def list_tokens(scope: Scope | None) -> list[TokenLine]:
    """The API tokens in use, by login; `scope` None is the shell. Raises NotAllowed but for administrators."""
    if scope is not None:
        _administrators_only(scope)
    return [TokenLine(*row) for row in await _fetch(_TOKENS, [])]


async def class_ids(school: int, today: date) -> dict[str, int]:
    """The classes of a school in the school year of `today`, by name."""
    first = today.year if today.month >= 9 else today.year - 1
    rows = await _fetch(
        "select name, id from school_class where school = $1 and school_year = $2",
        [school, f"{first}-{first + 1}"],
    )
    return {str(name): int(number) for name, number in rows}


def _administrators_only(scope: Scope) -> None:
    if not scope.admin:
        raise NotAllowed


async def _fetch(sql: str, args: Sequence[object]) -> list[Row]:
    return await fetch_tuples(None, sql, args)
