"""The same people in every test: one of each role at the first school, and an officer from another school.

Hill County (`HILL`) lies under the city (`CITY`) and has two schools, `S001` and `S002`; River County
(`RIVER`) has `S003`.
"""

import asyncio
import functools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import httpx
from litestar import Litestar

from safety.access import queries, tokens
from safety.access.actions import NewPerson, NewRole, create_accounts, open_session
from safety.access.scope import Scope
from safety.access.tables import Account
from safety.database import transaction
from safety.places.tables import Bureau, School, SchoolClass

# A Wednesday in the autumn term: 10:00 in Shanghai.
NOW = datetime(2026, 10, 14, 2, 0, tzinfo=UTC)
PASSWORD = "a phrase for tests only"
BASE_URL = "http://localhost:8000"
NAMES = {
    "officer": "安书远",
    "principal": "陈校明",
    "teacher": "林小禾",
    "canteen": "周大厨",
    "guard": "高守门",
    "leader": "带德广",
    "clerk": "孙经办",
    "inspector": "督世清",
    "admin": "管理员",
    "outsider": "外校安",
}


@functools.cache
def password_hash() -> str:
    """One digest for everybody, made once: argon2id is slow on purpose."""
    return asyncio.run(tokens.hash_password(PASSWORD))


@dataclass
class Cast:
    """Ids of the places, and each person's scope by role name (`outsider` is the officer of `S002`)."""

    city: int
    county: int
    river: int
    school: int
    other_school: int
    far_school: int
    school_class: int
    scopes: dict[str, Scope] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Scope:
        return self.scopes[name]


async def make_cast(now: datetime = NOW) -> Cast:
    """Put places and people into the database in use. Everybody's login is their role's name, the password
    `PASSWORD`.
    """
    cast = await _places()
    people = [NewPerson(name, NAMES[name], (_role(name, cast),), one_time=False) for name in NAMES]
    await create_accounts(None, people, now)
    hashed = await asyncio.to_thread(password_hash)
    await Account.update({Account.password_hash: hashed}, force=True)
    for name in NAMES:
        scope = await queries.scope_of_login(name, now)
        assert scope is not None
        cast.scopes[name] = scope
    return cast


def _role(name: str, cast: Cast) -> NewRole:
    if name == "admin":
        return NewRole("admin")
    if name in {"clerk", "inspector"}:
        return NewRole(name, bureau=cast.county)
    if name == "outsider":
        return NewRole("officer", school=cast.other_school)
    return NewRole(name, school=cast.school, school_class=cast.school_class if name == "teacher" else None)


async def _places() -> Cast:
    city = await _bureau("CITY", "明州市教育局", None)
    county = await _bureau("HILL", "青山县教育局", city)
    river = await _bureau("RIVER", "清江县教育局", city)
    schools = [
        await _school("S001", "青山县实验学校", county),
        await _school("S002", "青山县第二小学", county),
        await _school("S003", "清江县中心小学", river),
    ]
    made = SchoolClass(
        school=schools[0],
        school_year="2026-2027",
        grade="三年级",
        name="三(1)班",
        pupils=42,
        first_day=date(2026, 9, 1),
        last_day=date(2027, 8, 31),
    )
    await made.save()
    return Cast(city, county, river, *schools, school_class=made.id)


async def _bureau(code: str, name: str, parent: int | None) -> int:
    made = Bureau(code=code, name=name, parent=parent)
    await made.save()
    return int(made.id)


async def _school(code: str, name: str, bureau: int) -> int:
    made = School(
        code=code,
        name=name,
        stage="nine_year",
        enrolment=840,
        has_canteen=True,
        meals="lunch",
        bureau=bureau,
    )
    await made.save()
    return int(made.id)


class Browser(httpx.AsyncClient):
    """A browser of one person: keeps cookies, follows nothing, and fills forms in with the page's token."""

    def __init__(self, app: Litestar, language: str = "zh-CN") -> None:
        super().__init__(
            transport=httpx.ASGITransport(app=app),
            base_url=BASE_URL,
            headers={"accept": "text/html", "accept-language": language},
        )
        self.app = app

    async def as_(self, scope: Scope, now: datetime = NOW) -> "Browser":
        """Sign in without the password, which takes no time."""
        async with transaction():
            token = await open_session(scope.account_id, now)
        kernel = self.app.state.kernel
        self.cookies.set(kernel.session_cookie, token, domain="localhost.local")
        return self

    @property
    def csrf(self) -> str:
        """The token that this browser's pages carry."""
        kernel = self.app.state.kernel
        token = self.cookies.get(kernel.session_cookie)
        if token:
            return kernel.sign("csrf-session", token)
        return kernel.sign("csrf-anonymous", self.cookies.get(kernel.anonymous_cookie) or "")

    async def send_form(self, path: str, /, **fields: str) -> httpx.Response:
        """Post a form as its page would."""
        return await self.post(path, data={"_csrf_token": self.csrf, **fields})
