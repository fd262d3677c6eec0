"""Every ledger for programs."""

import uuid
from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from safety.access.actions import issue_token
from safety.ledger.declare import Ledger
from tests.cast import NOW, Browser, Cast
from tests.ledgers import LEDGERS, NAMES, count, create_test_table, ledgers_in_use, other, sample, writer_of


@pytest.fixture(params=LEDGERS, ids=NAMES)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return request.param


@pytest.fixture(autouse=True)
async def in_use(app: Litestar, cast: Cast) -> AsyncIterator[None]:
    """After the application, which puts the product's own ledgers in use."""
    with ledgers_in_use():
        await create_test_table()
        yield


def base(ledger: Ledger) -> str:
    return f"/schools/S001/ledgers/{ledger.name}"


def typed_by(ledger: Ledger, raw: dict[str, str] | None = None) -> dict[str, str]:
    """What a form of an officer sends: fields that others state are not in it."""
    given = sample(ledger) if raw is None else raw
    return {item.name: given[item.name] for item in ledger.fields if item.by is None}


async def program(app: Litestar, cast: Cast, name: str) -> Browser:
    """A program with somebody's token."""
    token = await issue_token(None, name, "test", NOW)
    client = Browser(app)
    client.headers["authorization"] = f"Bearer {token}"
    client.headers["accept"] = "application/json"
    return client


async def test_programs_record_read_correct_and_void(app: Litestar, cast: Cast, ledger: Ledger) -> None:
    client = await program(app, cast, writer_of(ledger))
    place, key = f"/api/v1{base(ledger)}", {"idempotency-key": str(uuid.uuid4())}
    body = {name: text or None for name, text in typed_by(ledger).items()}
    made = await client.post(place, json=body, headers=key)
    assert made.status_code == 201, made.text
    again = await client.post(place, json=body, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    here = f"{place}/{made.json()['id']}"
    assert made.headers["location"] == here
    mended = typed_by(ledger, other(ledger, sample(ledger)))
    clash = await client.post(place, json=mended, headers=key)
    assert clash.status_code == 409
    assert clash.headers["content-type"].startswith("application/problem+json")
    assert clash.json()["code"] == "same-key-other-body"

    found = (await client.get(here)).json()
    assert found["entry"]["recorded_by"] == writer_of(ledger)
    assert set(found["entry"]["values"]) == {item.name for item in ledger.fields}
    listed = (await client.get(place, params={"person": writer_of(ledger)})).json()
    assert [entry["id"] for entry in listed["entries"]] == [made.json()["id"]]
    assert (await client.get(place, params={"since": "nonsense"})).status_code == 400

    new = await client.post(
        f"{here}/correct", json={**mended, "why": "笔误"}, headers={"idempotency-key": str(uuid.uuid4())}
    )
    assert new.status_code == 201, new.text
    gone = await client.post(f"{place}/{new.json()['id']}/void", json={"why": "重复"})
    assert gone.status_code == 204
    assert (await client.get(place)).json()["total"] == 0


async def test_programs_hear_what_is_wrong_and_who_they_are_not(
    app: Litestar, cast: Cast, ledger: Ledger
) -> None:
    client, place = await program(app, cast, writer_of(ledger)), f"/api/v1{base(ledger)}"
    key = {"idempotency-key": str(uuid.uuid4())}
    body = typed_by(ledger)
    assert (await client.post(place, json=body)).json()["errors"][0]["code"] == "key-missing"
    first = next(item.name for item in ledger.fields if item.required and item.by is None)
    for wrong, code in (({**body, "extra": "x"}, "unknown-field"), ({**body, first: ["x"]}, "value-form")):
        answer = await client.post(place, json=wrong, headers=key)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    missing = await client.post(place, json={}, headers=key)
    assert first in {error["field"] for error in missing.json()["errors"]}
    assert (await client.post(place, content=b"{not json", headers=key)).status_code == 400
    assert (await client.post(place, json=["x"], headers=key)).status_code == 400
    assert (await client.post(place, json={**body, "recorded_at": "2026-10-14T08:00"}, headers=key)).status_code in {
        400, 403,
    }  # fmt: skip
    for name, status in (("outsider", 404), ("inspector", 403)):
        stranger = await program(app, cast, name)
        assert (await stranger.post(place, json=body, headers=key)).status_code == status
        assert (await stranger.get(place)).status_code == status
    nobody = Browser(app)
    assert (await nobody.get(place)).status_code == 401
    assert await count(ledger) == 0


async def test_the_description_of_the_api_names_every_route(app: Litestar) -> None:
    described = (await Browser(app).get("/schema/openapi.json")).json()
    paths = [path for path in described["paths"] if path.startswith("/api/v1/schools/{code}/ledgers")]
    assert len(paths) == 5
    assert {"/api/v1/deliveries", "/api/v1/deliveries/{message}", "/api/v1/bureaus/{code}/delivery"} <= set(
        described["paths"]
    )
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
