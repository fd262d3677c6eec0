"""What each of the cast may reach, on both databases."""

from datetime import date, timedelta

import pytest

from safety.access import actions, queries, setup, tokens
from safety.access.actions import NewPerson, NewRole
from safety.access.tables import Account, LoginThrottle
from safety.audit.queries import lines
from safety.audit.rules import INSTANCE
from safety.database import CampusEngine
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from tests.cast import NOW, PASSWORD, Cast, make_cast


@pytest.fixture
async def cast(database: CampusEngine) -> Cast:
    return await make_cast()


async def test_school_roles_reach_their_school_and_bureau_roles_all_below_their_bureau(cast: Cast) -> None:
    assert cast["officer"].schools == {cast.school}
    assert cast["officer"].bureaus == frozenset()
    assert cast["clerk"].schools == {cast.school, cast.other_school}
    assert cast["inspector"].bureaus == {cast.county}
    assert cast["admin"].schools == {cast.school, cast.other_school, cast.far_school}
    assert cast["outsider"].schools == {cast.other_school}
    assert cast["teacher"].classes(cast.school) == {cast.school_class}


async def test_a_bureau_reaches_the_bureaus_below_it(cast: Cast) -> None:
    await actions.create_account(
        None, NewPerson("cityclerk", "市经办", (NewRole("clerk", bureau=cast.city),)), NOW
    )
    scope = await queries.scope_of_login("cityclerk", NOW)
    assert scope is not None
    assert scope.bureaus == {cast.city, cast.county, cast.river}
    assert scope.may(cast.far_school, "clerk")
    assert not scope.may(cast.far_school, "officer")


async def test_only_a_pure_inspector_is_read_only(cast: Cast) -> None:
    assert [name for name, scope in cast.scopes.items() if scope.read_only] == ["inspector"]
    await actions.grant(cast["admin"], "inspector", NewRole("officer", school=cast.school), NOW)
    scope = await queries.scope_of_login("inspector", NOW)
    assert scope is not None
    assert not scope.read_only


async def test_a_role_holds_from_its_first_to_its_last_day_in_shanghai(cast: Cast) -> None:
    role = NewRole("guard", school=cast.school, from_day=date(2026, 10, 15), until_day=date(2026, 10, 16))
    await actions.create_account(None, NewPerson("temp", "临时工", (role,)), NOW)
    held = []
    for hours in (0, 13, 14, 38, 61, 62):
        scope = await queries.scope_of_login("temp", NOW + timedelta(hours=hours))
        held.append(scope is not None and scope.may(cast.school, "guard"))
    assert held == [False, False, True, True, True, False]


async def test_a_token_opens_the_same_scope_until_its_account_is_disabled(cast: Cast) -> None:
    token = await actions.issue_token(None, "officer", "test", NOW)
    scope = await queries.bearer(tokens.digest(token), NOW)
    assert scope == cast["officer"]
    with pytest.raises(NotAllowed):
        await actions.issue_token(cast["guard"], "officer", "test", NOW)
    await actions.disable(cast["admin"], "officer", NOW)
    assert await queries.bearer(tokens.digest(token), NOW) is None


async def test_a_token_ends_without_its_account_and_the_trail_says_who_ended_it(cast: Cast) -> None:
    kept, ended = [await actions.issue_token(None, "officer", label, NOW) for label in ("kept", "ended")]
    listed = await queries.list_tokens(cast["admin"])
    assert [(line.login, line.label) for line in listed] == [("officer", "kept"), ("officer", "ended")]
    await actions.revoke_token(cast["admin"], listed[1].number, NOW)
    assert await queries.bearer(tokens.digest(ended), NOW) is None
    assert await queries.bearer(tokens.digest(kept), NOW) == cast["officer"]
    assert [line.label for line in await queries.list_tokens(None)] == ["kept"]
    told = [line async for line in lines(INSTANCE)][-1]
    assert (told.action, told.actor_login, told.subject) == ("account.api-ended", "admin", "account:officer")
    with pytest.raises(NotFound):
        await actions.revoke_token(None, listed[1].number, NOW)
    with pytest.raises(NotAllowed):
        await actions.revoke_token(cast["officer"], listed[0].number, NOW)
    with pytest.raises(NotAllowed):
        await queries.list_tokens(cast["officer"])


async def test_fifty_wrong_guesses_at_once_are_five(cast: Cast) -> None:
    for _ in range(6):
        with pytest.raises(BadInput):
            await actions.sign_in("officer", "wrong wrong", NOW)
    assert (await LoginThrottle.select(LoginThrottle.failures))[0]["failures"] == 5
    with pytest.raises(BadInput):
        await actions.sign_in("officer", PASSWORD, NOW)


async def test_of_a_bad_list_nobody_is_made(cast: Cast) -> None:
    people = [
        NewPerson("fine", "好"),
        NewPerson("Bad Login!", "坏"),
        NewPerson("fine", "重"),
        NewPerson("x1", ""),
        NewPerson("x2", "无校", (NewRole("officer"),)),
        NewPerson("x3", "短", password="short"),
    ]
    with pytest.raises(BadInput) as caught:
        await actions.create_accounts(None, people, NOW)
    assert {(item.field, item.code) for item in caught.value.problems} == {
        ("1.login", "login-form"),
        ("2.login", "login-taken"),
        ("3.name", "required"),
        ("4.role", "role-needs-school"),
        ("5.password", "password-short"),
    }
    assert await Account.count() == 10


async def test_the_second_of_two_set_ups_is_refused(database: CampusEngine) -> None:
    asked = setup.FirstSetup("1", "局", "root", "甲", "quiet river stone")
    await setup.first_setup(asked, NOW)
    with pytest.raises(Conflict):
        await setup.first_setup(asked, NOW)
    assert await Account.count() == 1


async def test_passwords_and_tokens_are_stored_as_digests_only(cast: Cast) -> None:
    stored = (await Account.select(Account.password_hash).first())["password_hash"]
    assert stored.startswith("$argon2id$")
