"""What became of messages, and who may send them again; senders elsewhere: on both databases."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reports.delivery import peers, tracking
from reports.delivery.actions import deliver_waiting
from reports.delivery.outbox import post
from reports.delivery.receive import Parcel, receive
from reports.delivery.why import why
from reports.jobs import close
from reports.sealing.keys import pem, trusted
from reports.transports import Guarded
from reports.transports.folder import Folder
from safety.audit.queries import verify
from safety.database import CampusEngine, fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from tests.delivery.conftest import CLOSE, Q3, Desk, make_desk
from tests.signing import new_key

LATER = CLOSE + timedelta(hours=2)


@pytest.fixture
async def desk(database: CampusEngine, tmp_path: Path) -> Desk:
    return await make_desk(tmp_path / "sender")


def share(tmp_path: Path) -> Guarded:
    return Guarded(Folder(tmp_path / "share"))


async def test_the_stages_of_a_message(desk: Desk, tmp_path: Path) -> None:
    principal, way = desk.cast["principal"], share(tmp_path)

    async def stage(upward: Guarded | None = way) -> str:
        (track,) = await tracking.of_return(principal, desk.cast.school, Q3, upward)
        return track.stage

    assert (await stage(None), await stage()) == ("no-way", "new")
    await deliver_waiting(replace(desk.press, upward=way), LATER)
    assert (await stage(None), await stage()) == ("no-way", "retrying")
    (track,) = await tracking.of_return(principal, desk.cast.school, Q3, way)
    assert (track.sender, track.addressee, track.way, track.attempts) == ("S001", "青山县教育局", "folder", 1)
    assert [at for at, _ in track.failed] == [LATER]
    (tmp_path / "share").mkdir()
    await tracking.send_again(principal, track.message, LATER)
    await deliver_waiting(replace(desk.press, upward=way), LATER)
    assert await stage() == "delivered"
    with pytest.raises(Conflict, match="already-delivered"):
        await tracking.send_again(principal, track.message, LATER)
    assert await verify() == []


async def test_what_is_late_is_told_to_those_it_concerns(desk: Desk, tmp_path: Path) -> None:
    way, clerk, admin = share(tmp_path), desk.cast["clerk"], desk.cast["admin"]
    assert await tracking.count_late(clerk, way, CLOSE + timedelta(minutes=59)) == 0
    assert await tracking.count_late(clerk, way, LATER) == 1
    assert await tracking.count_late(admin, way, LATER) == 1
    assert await tracking.count_late(clerk, None, LATER) == 0
    assert await tracking.count_late(desk.cast["outsider"], way, LATER) == 0
    await fetch_tuples(None, "update outbox set state = 'dead'")
    (track,) = await tracking.late(clerk, way, CLOSE)
    assert (track.stage, track.sender_name) == ("dead", "青山县实验学校")


async def test_a_bureau_is_told_what_below_it_has_not_arrived_and_no_other(
    desk: Desk, tmp_path: Path
) -> None:
    way, cast = share(tmp_path), desk.cast
    (track,) = await tracking.below(cast["clerk"], cast.county, way)
    assert (track.sender, track.stage, track.why) == ("S001", "new", "")
    assert await tracking.below(cast["admin"], cast.river, way) == []
    assert len(await tracking.below(cast["admin"], cast.city, way)) == 1
    await deliver_waiting(replace(desk.press, upward=way), LATER)
    (track,) = await tracking.below(cast["inspector"], cast.county, way)
    assert (track.stage, track.why) == ("retrying", "place")
    (tmp_path / "share").mkdir()
    await deliver_waiting(replace(desk.press, upward=way), LATER, everything=True)
    assert await tracking.below(cast["clerk"], cast.county, way) == []
    for look in (
        tracking.below(cast["officer"], cast.county, way),
        tracking.silent(cast["officer"], cast.county, Q3),
    ):
        with pytest.raises(NotFound):
            await look


async def test_a_school_that_sends_from_elsewhere_and_has_not_is_named(desk: Desk, tmp_path: Path) -> None:
    cast = desk.cast
    assert await tracking.silent(cast["clerk"], cast.county, Q3) == []
    await peers.add(None, "S001", pem(new_key().certificate).decode(), tmp_path, LATER)
    assert await tracking.silent(cast["clerk"], cast.county, Q3) == [], "it was not enrolled in that quarter"
    await peers.add(None, "S002", pem(new_key().certificate).decode(), tmp_path, CLOSE - timedelta(days=1))
    (found,) = await tracking.silent(cast["clerk"], cast.county, Q3)
    assert (found.code, found.seen_at) == ("S002", None)
    assert await tracking.silent(cast["admin"], cast.river, Q3) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("", ""),
        ("no answer within 120 s", "unreachable"),
        ("ConnectError: [Errno 111] Connection refused", "unreachable"),
        ("401 the token is not known", "let-in"),
        ("the server's host key is not the known one: x", "trust"),
        ("return-S001-2026Q3-v1.pdf is there already and holds something else", "taken"),
        ("RenderError: the worker ended", "made"),
        ("500 Internal Server Error", "other"),
        ("409 another file of that version was received", "taken"),
        ("535 5.7.8 bad credentials", "let-in"),
        ("404", "place"),
        ("the answer is 404 bytes too long", "other"),
    ],
)
def test_an_error_is_told_in_a_word(error: str, reason: str) -> None:
    assert why(error) == reason


async def test_a_bureaus_messages_are_its_clerks(desk: Desk, tmp_path: Path) -> None:
    rollup = new_id()
    await fetch_tuples(
        None,
        "insert into rollup (id, bureau, period, version, document, document_digest, facts_digest, sealed_at, reason) "
        "values ($1, $2, '2026Q3', 1, '{}', 'd', 'f', $3, '')",
        [rollup, desk.cast.county, CLOSE],
    )
    message = await post("rollup", rollup, None, CLOSE)
    clerk = desk.cast["clerk"]
    (track,) = await tracking.of_bureau(clerk, desk.cast.county, share(tmp_path))
    assert (track.kind, track.sender, track.addressee, track.way) == ("rollup", "HILL", "", "folder")
    assert await tracking.count_late(clerk, share(tmp_path), LATER) == 2
    await tracking.send_again(clerk, message, LATER)
    for who, refusal in (("officer", NotFound), ("outsider", NotFound), ("inspector", NotAllowed)):
        with pytest.raises(refusal):
            await tracking.send_again(desk.cast[who], message, LATER)
    with pytest.raises(NotFound):
        await tracking.of_bureau(desk.cast["officer"], desk.cast.county, None)
    with pytest.raises(NotFound):
        await tracking.of_return(desk.cast["outsider"], desk.cast.school, Q3, None)
    with pytest.raises(NotFound):
        await tracking.send_again(clerk, new_id(), LATER)


# ---------------------------------------------------------------- senders on other instances
async def test_a_sender_is_what_its_code_says(desk: Desk, tmp_path: Path) -> None:
    key = new_key()
    text = pem(key.certificate).decode()
    school = await peers.add(None, "S002", text, tmp_path, LATER)
    bureau = await peers.add(desk.cast["admin"], "HILL", text, tmp_path, LATER)
    assert (school.kind, bureau.kind) == ("return", "rollup")
    assert key.certificate in trusted(tmp_path)
    found = await peers.by_token(bureau.token)
    assert found is not None
    assert (found.code, found.bureau, found.certificate) == ("HILL", desk.cast.city, key.certificate)
    assert await peers.by_token("A" * 43) is None
    with pytest.raises(Conflict, match="peer-there"):
        await peers.add(None, "HILL", text, tmp_path, LATER)
    with pytest.raises(BadInput):
        await peers.add(None, "CITY", text, tmp_path, LATER)
    with pytest.raises(NotAllowed):
        await peers.add(desk.cast["clerk"], "RIVER", text, tmp_path, LATER)
    assert [one.code for one in await peers.listed(None)] == ["HILL", "S002"]
    assert await peers.revoke(None, bureau.id, LATER) == "HILL"
    assert await peers.by_token(bureau.token) is None
    rows = await fetch_tuples(
        None, "select facts from audit_line where action in ('peer.added', 'peer.revoked')"
    )
    assert len(rows) == 3
    assert bureau.token not in str(rows)
    assert await verify() == []


async def test_a_school_with_an_instance_of_its_own_is_not_closed_here(desk: Desk, tmp_path: Path) -> None:
    await peers.add(None, "S002", pem(new_key().certificate).decode(), tmp_path, LATER)
    assert (await close(desk.press, Q3, LATER)).sealed == 1
    codes = "select s.code from school_return r join school s on s.id = r.school order by 1"
    assert await fetch_tuples(None, codes) == [("S001",), ("S003",)]


async def test_a_roll_up_from_elsewhere_is_kept_with_its_data(desk: Desk, tmp_path: Path) -> None:
    peer = await peers.add(None, "HILL", pem(new_key().certificate).decode(), tmp_path, LATER)
    parcel = Parcel(
        new_id(), "rollup", "HILL", peer.id, desk.cast.city, "2026Q3", 1, "f" * 64, "b" * 64, 9, '{"a":1}'
    )
    async with transaction():
        first = await receive(parcel, new_key(), LATER)
    async with transaction():
        again = await receive(parcel, new_key(), LATER + timedelta(days=1))
    assert (again.receipt, again.number, again.repeated) == (first.receipt, first.number, True)
    kept = await fetch_tuples(None, "select sender, period, version, document from received_rollup")
    assert kept == [("HILL", "2026Q3", 1, '{"a":1}')]
    for other in (replace(parcel, bytes_digest="c" * 64), replace(parcel, peer=None)):
        with pytest.raises(Conflict, match="same-message-other-file"):
            async with transaction():
                await receive(other, None, LATER)
    with pytest.raises(Conflict, match="version-known"):
        async with transaction():
            await receive(replace(parcel, message=new_id()), None, LATER)
