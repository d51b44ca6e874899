"""Plans that are kept: each form once for all who ask at one time, and never more than the bounds."""

import asyncio
from uuid import UUID, uuid4

import pytest

from database import Database
from dataloaders import plans
from dataloaders.plans import Plans
from models.layouts import Layout
from schema.maps import SeatPlan
from tests.world import new_draft, new_event, priced


class Forms:
    """A form of a plan that says how often it was made."""

    def __init__(self) -> None:
        self.made: list[UUID] = []

    def form(self, event_id: UUID, layout: Layout) -> int:
        self.made.append(event_id)
        return layout.numbered


async def test_a_final_plan_is_made_once_for_all_who_ask(database: Database) -> None:
    event, kept, forms = await new_event(database), Plans(database), Forms()
    assert kept.known(forms.form, event.id) is None
    found = await asyncio.gather(*(kept.plan(forms.form, event.id, is_final=True) for _ in range(20)))
    assert found == [10] * 20
    assert await kept.plan(forms.form, event.id, is_final=True) == kept.known(forms.form, event.id) == 10
    assert forms.made == [event.id]


async def test_each_form_is_kept_for_itself(database: Database) -> None:
    event, kept, forms = await new_event(database), Plans(database), Forms()
    await kept.plan(forms.form, event.id, is_final=True)
    plan = await kept.plan(SeatPlan.of, event.id, is_final=True)
    assert plan is kept.known(SeatPlan.of, event.id)
    assert plan.sections[0].rows[1].seats[0].index == 5


async def test_a_plan_that_is_not_final_is_made_each_time(database: Database) -> None:
    draft, kept, forms = await new_draft(database), Plans(database), Forms()
    for _ in range(2):
        assert await kept.plan(forms.form, draft.id, is_final=False) == 10
    assert kept.known(forms.form, draft.id) is None
    assert len(forms.made) == 2


async def test_the_least_recently_used_go_when_there_are_too_many_seats(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SEATS_KEPT_MAX", 30)
    events = [await new_event(database, await priced(1, seats)) for seats in (10, 10, 10)]
    kept, forms = Plans(database), Forms()
    for event in events:
        await kept.plan(forms.form, event.id, is_final=True)
    kept.known(forms.form, events[0].id)
    large = await new_event(database, await priced(1, 20))
    await kept.plan(forms.form, large.id, is_final=True)
    assert [kept.known(forms.form, e.id) for e in (*events, large)] == [10, None, None, 20]


async def test_there_are_never_more_plans_than_the_bound(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "PLANS_KEPT_MAX", 2)
    events = [await new_event(database, await priced(0, 0, standing=5)) for _ in range(3)]
    kept, forms = Plans(database), Forms()
    for event in events:
        assert await kept.plan(forms.form, event.id, is_final=True) == 0
    assert [kept.known(forms.form, event.id) for event in events] == [None, 0, 0]


async def test_who_gives_up_waiting_leaves_the_plan_to_the_others(database: Database) -> None:
    event, kept, forms = await new_event(database), Plans(database), Forms()
    impatient, patient = (
        asyncio.create_task(kept.plan(forms.form, event.id, is_final=True)) for _ in range(2)
    )
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 10
    assert impatient.cancelled()
    assert len(forms.made) == 1


async def test_what_went_wrong_is_not_kept(database: Database) -> None:
    event, kept, broken = await new_event(database), Plans(database), [True]

    def form(_: UUID, layout: Layout) -> int:
        if broken.pop() if broken else False:
            raise ValueError("once")
        return layout.numbered

    with pytest.raises(ValueError, match="once"):
        await kept.plan(form, event.id, is_final=True)
    assert await kept.plan(form, event.id, is_final=True) == 10
    with pytest.raises(IndexError):
        await kept.plan(form, uuid4(), is_final=True)
