"""The programme: whatever is held, what is due airs in the order of the rules, and nothing expired begins."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.statements import MINIMAL, NOW

from ward_hub.programme import Candidate, plan, preempts
from ward_protocol.statements import Priority, Status, TimeTrust

SPAN = 100


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Bulletins around NOW, each with an identity of its own."""
    held = []
    for number in range(draw(st.integers(0, 8))):
        begins = NOW + draw(st.integers(-SPAN, SPAN))
        bulletin = replace(
            MINIMAL,
            issuer=draw(st.sampled_from(["ward", "province"])),
            sequence=number + 1,
            issued=begins - draw(st.integers(0, 10)),
            not_before=begins,
            expires=begins + draw(st.integers(1, SPAN)),
            priority=draw(st.sampled_from(Priority)),
            status=draw(st.sampled_from(Status)),
        )
        attempts = draw(st.integers(0, 1))
        held.append(Candidate(bytes([number]) * 32, bulletin, ready=draw(st.booleans()), attempts=attempts))
    return held


def may_air(one: Candidate, now: float, trust: TimeTrust) -> bool:
    emergency = one.bulletin.priority is Priority.EMERGENCY
    if trust is TimeTrust.NONE:
        at_once = one.bulletin.not_before <= one.bulletin.issued
        live = now < one.bulletin.expires
        real = emergency and one.bulletin.status is Status.ACTUAL
        return real and live and not one.attempts and (at_once or one.bulletin.not_before <= now)
    return one.bulletin.not_before <= now < one.bulletin.expires and (one.ready or emergency)


def drill(one: Candidate) -> bool:
    return one.bulletin.is_drill


trusts = st.sampled_from(TimeTrust)
moments = st.integers(-SPAN, 2 * SPAN).map(lambda offset: float(NOW + offset))


@given(candidates(), moments, trusts)
def test_what_airs_may_air_and_nothing_goes_before_it(held: list[Candidate], now: float, trust: TimeTrust) -> None:
    chosen = plan(held, now, trust).next
    due = [one for one in held if may_air(one, now, trust)]
    assert (chosen is None) == (not due)
    if chosen is None:
        return
    assert chosen in due
    for other in due:
        assert drill(chosen) <= drill(other)
        if drill(chosen) == drill(other):
            assert other.bulletin.priority <= chosen.bulletin.priority
            if other.bulletin.priority is chosen.bulletin.priority:
                assert chosen.bulletin.not_before <= other.bulletin.not_before
        assert not preempts(other, chosen)


@given(candidates(), moments, trusts)
def test_what_has_lapsed_is_exactly_what_has_expired(held: list[Candidate], now: float, trust: TimeTrust) -> None:
    assert set(plan(held, now, trust).lapsed) == {one for one in held if one.bulletin.expires <= now}


@given(candidates(), moments, trusts, st.randoms(use_true_random=False))
def test_the_order_in_which_they_came_does_not_matter(
    held: list[Candidate], now: float, trust: TimeTrust, random: object
) -> None:
    mixed = list(held)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert plan(mixed, now, trust) == plan(held, now, trust)


@given(candidates(), moments, trusts)
def test_nothing_changes_before_the_moment_to_look_again(held: list[Candidate], now: float, trust: TimeTrust) -> None:
    """A hub that sleeps until then misses no beginning and no end."""
    first = plan(held, now, trust)
    end = NOW + 3 * SPAN if first.look_again is None else first.look_again
    assert end > now
    for step in range(int(end - now)):
        later = plan(held, now + step, trust)
        assert (later.next, later.lapsed) == (first.next, first.lapsed)


@given(candidates())
def test_an_emergency_cuts_short_what_is_none_and_a_drill_nothing_real(held: list[Candidate]) -> None:
    for one in held:
        for other in held:
            urgent, urgent_other = (each.bulletin.priority is Priority.EMERGENCY for each in (one, other))
            if drill(one) == drill(other):
                assert preempts(one, other) == (urgent and not urgent_other)
            else:
                assert preempts(one, other) == (urgent and drill(other))


@given(candidates(), moments, trusts)
def test_what_is_real_airs_as_if_there_were_no_drills(held: list[Candidate], now: float, trust: TimeTrust) -> None:
    real = [one for one in held if not drill(one)]
    chosen = plan(real, now, trust).next
    assert chosen is None or plan(held, now, trust).next == chosen
