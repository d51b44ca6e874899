"""A seat plan over plain HTTP: the same as through the API, and kept by whoever keeps."""

import gzip
from uuid import uuid4

import pytest

from database import Database
from models.users import Role
from routes.plans import PlanBytes
from schema import ids
from settings import Settings
from steps.publish import publish_event
from steps.transact import transact
from tests.serving import Server, serving
from tests.world import new_draft, new_event, new_user, priced

PLAN = """query ($e: ID!) { event(id: $e) { seatMap { plan { width height
    sections { name rows { label seats { index number x y tierId seatId } } }
    areas { name x y width height tierId firstIndex places } } } } }"""
PLAIN = {"accept-encoding": "identity"}


def address(event: str) -> str:
    return f"/events/{event}/plan"


async def test_the_plan_is_the_one_of_the_api(database: Database, server: Server) -> None:
    event = ids.event_id((await new_event(database, await priced(3, 4, standing=5))).id)
    answer = await server.http.get(address(event), headers=PLAIN)
    asked = await server.ask(PLAN, e=event)
    assert answer.status_code == 200
    assert answer.json() == asked["event"]["seatMap"]["plan"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=86400, immutable"
    assert "content-encoding" not in answer.headers


async def test_who_accepts_gzip_gets_it_under_an_etag_of_its_own(database: Database, server: Server) -> None:
    event = await new_event(database, await priced(3, 4))
    plain = await server.http.get(address(ids.event_id(event.id)), headers=PLAIN)
    packed = await server.http.get(address(ids.event_id(event.id)), headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert packed.headers["etag"] != plain.headers["etag"]
    assert all("Accept-Encoding" in answer.headers["vary"] for answer in (plain, packed))
    kept = server.app.state.house.plans.known(PlanBytes.of, event.id)
    assert gzip.decompress(kept.compressed.body) == kept.plain.body == plain.content


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=nonsense", False),
    ],
)
async def test_gzip_is_sent_to_whom_it_suits(
    database: Database, server: Server, accepted: str, is_packed: bool
) -> None:
    event = ids.event_id((await new_event(database, await priced(1, 1))).id)
    answer = await server.http.get(address(event), headers={"accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) is is_packed


async def test_who_has_it_is_told_that_it_has_not_changed(database: Database, server: Server) -> None:
    event = ids.event_id((await new_event(database)).id)
    etag = (await server.http.get(address(event), headers=PLAIN)).headers["etag"]
    assert etag.startswith('"')
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await server.http.get(address(event), headers=PLAIN | {"if-none-match": tags})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "public, max-age=86400, immutable"
    for tags in ('"other"', etag.strip('"')):
        answer = await server.http.get(address(event), headers=PLAIN | {"if-none-match": tags})
        assert answer.status_code == 200


async def test_head_tells_of_the_plan_without_it(database: Database, server: Server) -> None:
    event = ids.event_id((await new_event(database)).id)
    whole = await server.http.get(address(event), headers=PLAIN)
    head = await server.http.head(address(event), headers=PLAIN)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "cache-control", "content-type"):
        assert head.headers[name] == whole.headers[name]


async def test_what_is_not_on_sale_has_no_plan_for_anybody(database: Database, server: Server) -> None:
    draft, operator = await new_draft(database), await new_user(database, Role.OPERATOR, Role.ADMIN)
    bearer = {"authorization": f"Bearer {server.token(operator)}"}
    for event in (draft.id, uuid4()):
        answer = await server.http.get(address(ids.event_id(event)), headers=bearer)
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"
        (error,) = answer.json()["errors"]
        assert error == {"message": "There is no such event.", "extensions": {"code": "NOT_FOUND"}}
    await transact(database, publish_event, event_id=draft.id)
    assert (await server.http.get(address(ids.event_id(draft.id)))).status_code == 200


@pytest.mark.parametrize(
    "event", ["x", "ev_", "ve_AAAAAAAAAAAAAAAAAAAAAA", "%00", "ev_" + "A" * 5_000, "ev_é"]
)
async def test_what_is_no_id_is_refused(server: Server, event: str) -> None:
    answer = await server.http.get(address(event))
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error == {"message": "This is not the id of an event.", "extensions": {"code": "INVALID_ID"}}


async def test_a_page_of_an_allowed_origin_may_read_it(database: Database, settings: Settings) -> None:
    event = ids.event_id((await new_event(database)).id)
    ours, theirs = "https://shop.example", "https://other.example"
    chosen = settings.model_copy(update={"allowed_origins": [ours]})
    async with serving(chosen) as server:
        welcome = await server.http.get(address(event), headers={"origin": ours})
        stranger = await server.http.get(address(event), headers={"origin": theirs})
        without = await server.http.get(address(event))
    assert welcome.headers["access-control-allow-origin"] == ours
    assert "access-control-allow-origin" not in stranger.headers
    assert all("Origin" in answer.headers["vary"] for answer in (welcome, stranger, without))


async def test_other_methods_are_refused(database: Database, server: Server) -> None:
    event = ids.event_id((await new_event(database)).id)
    assert (await server.http.post(address(event))).status_code == 405


async def test_without_a_database_it_says_that_it_cannot_answer(settings: Settings) -> None:
    nobody = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    async with serving(nobody) as server:
        answer = await server.http.get(address(ids.event_id(uuid4())))
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
