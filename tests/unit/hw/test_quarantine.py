"""Who must wait for how long, by the clock alone; what an echo teaches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pymodbus.pdu import ModbusPDU
from tests.sim.hw.units import framed

from ward_hw.bus.answer import Expected
from ward_hw.bus.echo import Echo
from ward_hw.bus.order import Accept, Order, OrderQueue, Priority
from ward_hw.bus.quarantine import LONGEST_S, Quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 0.3
READ = framed(bytes((17, 4, 0, 0, 0, 1)))
Future = asyncio.Future[ModbusPDU | None]
ANSWER = framed(bytes((17, 4, 2, 0, 9)))
WRITE = framed(bytes((17, 5, 0, 1, 0xFF, 0)))


@pytest.fixture
def future() -> Iterator[Future]:
    loop = asyncio.new_event_loop()
    yield loop.create_future()
    loop.close()


def order(
    future: Future,
    priority: Priority = Priority.POLL,
    *,
    unit: int = 17,
    number: int = 0,
    accept: Accept | None = None,
    may_be_stale: bool = False,
) -> Order:
    return Order(unit, READ, Expected.to(READ), priority, number, 9.0, future, accept, may_be_stale)


def test_after_one_failure_a_unit_rests_for_its_time_out_except_for_what_proves_itself(future: Future) -> None:
    quarantine = Quarantine(TIMEOUT)
    quarantine.failed(17, 10.0)
    assert quarantine.suspect(17)
    for priority in Priority:
        assert quarantine.held_until(order(future, priority)) == 10.0 + TIMEOUT
        assert quarantine.held_until(order(future, priority, accept=lambda _: True)) <= 10.0
        assert quarantine.held_until(order(future, priority, may_be_stale=True)) <= 10.0
    assert quarantine.held_until(order(future, unit=18)) <= 10.0


def test_polls_and_renewals_of_a_dead_unit_grow_rare_and_orders_do_not(future: Future) -> None:
    quarantine = Quarantine(TIMEOUT)
    pauses = []
    for _ in range(40):
        quarantine.failed(17, 10.0)
        pauses.append(quarantine.held_until(order(future)) - 10.0)
        renewal = quarantine.held_until(order(future, Priority.RENEWAL, accept=lambda _: True)) - 10.0
        assert renewal <= LONGEST_S[Priority.RENEWAL]
        for priority in (Priority.EMERGENCY, Priority.SAFETY, Priority.COMMAND):
            assert quarantine.held_until(order(future, priority, accept=lambda _: True)) <= 10.0
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(TIMEOUT)
    assert pauses[1] == pytest.approx(2 * TIMEOUT)
    assert pauses[-1] == LONGEST_S[Priority.POLL]
    quarantine.answered(17, proven=False)
    assert quarantine.held_until(order(future)) <= 10.0 + TIMEOUT
    assert quarantine.suspect(17)
    quarantine.answered(17, proven=True)
    assert not quarantine.suspect(17)


def test_an_answer_that_was_not_waited_for_is_no_failure() -> None:
    quarantine = Quarantine(TIMEOUT)
    quarantine.given_up(17, 10.0)
    assert quarantine.suspect(17)
    assert quarantine.failures(17) == 0


def test_of_equal_urgency_the_doubtful_go_last_but_before_the_less_urgent(future: Future) -> None:
    queue = OrderQueue()
    ranks = [(Priority.COMMAND, 1), (Priority.EMERGENCY, 2), (Priority.EMERGENCY, 3), (Priority.EMERGENCY, 2)]
    for number, (priority, unit) in enumerate(ranks):
        queue.put(order(future, priority, unit=unit, number=number))
    taken = [queue.take(lambda _: True, lambda each: each.unit == 2) for _ in range(5)]
    assert [None if each is None else each.number for each in taken] == [2, 1, 3, 0, None]


def test_an_order_that_may_not_go_holds_nobody_up(future: Future) -> None:
    queue = OrderQueue()
    for number, unit in enumerate((1, 2)):
        queue.put(order(future, unit=unit, number=number))
    taken = queue.take(lambda each: each.unit == 2, lambda _: False)
    assert taken is not None
    assert taken.unit == 2
    assert queue.take(lambda each: each.unit == 2, lambda _: False) is None
    assert len(queue) == 1


def heard_after(echo: Echo, request: bytes, received: bytes) -> tuple[bool, bool | None]:
    """Whether an answer is found, and what is known of the adapter then."""
    return echo.find(Expected.to(request), received, 0) is not None, echo.heard


def test_an_adapter_that_hears_itself_is_found_out_by_a_read() -> None:
    echo = Echo(None)
    assert heard_after(echo, READ, READ) == (False, True)
    assert heard_after(echo, READ, READ + ANSWER) == (True, True)
    assert heard_after(echo, WRITE, WRITE) == (False, True)
    assert heard_after(echo, WRITE, WRITE + WRITE) == (True, True)
    echo.forget()
    assert echo.heard is None


def test_an_adapter_that_does_not_is_found_out_by_a_read_too() -> None:
    echo = Echo(None)
    assert heard_after(echo, READ, b"\0" + ANSWER) == (True, False)
    assert heard_after(echo, WRITE, WRITE) == (True, False)
    assert heard_after(echo, READ, READ + ANSWER) == (True, True)  # what it does now counts
    assert heard_after(echo, READ, ANSWER) == (True, False)


def test_until_it_is_known_one_copy_of_a_write_is_its_echo() -> None:
    echo = Echo(None)
    assert heard_after(echo, WRITE, WRITE) == (False, None)
    assert heard_after(echo, WRITE, WRITE + WRITE) == (True, True)


def test_an_exception_to_a_write_is_never_its_echo() -> None:
    refusal = framed(bytes((WRITE[0], WRITE[1] | 0x80, 4)))
    assert heard_after(Echo(None), WRITE, refusal) == (True, None)
    assert heard_after(Echo(None), WRITE, WRITE + refusal) == (True, True)


def test_a_damaged_echo_teaches_nothing_wrong() -> None:
    assert heard_after(Echo(None), READ, READ[1:] + ANSWER) == (True, None)


@pytest.mark.parametrize("told", [True, False])
def test_what_is_told_is_believed(told: bool) -> None:
    echo = Echo(told)
    assert heard_after(echo, READ, READ + ANSWER) == (True, told)
    assert heard_after(echo, READ, ANSWER) == (True, told)
    assert heard_after(echo, WRITE, WRITE) == (not told, told)
