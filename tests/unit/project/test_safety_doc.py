"""docs/safety.md has a row for each fault and a column for each moment of the bench, all within the limit."""

from __future__ import annotations

from tests.fault.relay_faults import FAULTS, MOMENTS
from tests.unit.project.tables import table_after, text

LIMIT_S = 3.5


def test_the_table_of_faults_and_moments_is_the_bench_s() -> None:
    heading = f"| fault | {' | '.join(one.name for one in MOMENTS)} |"
    assert heading in text("docs/safety.md")
    rows = table_after("docs/safety.md", "relays")
    assert [row[0] for row in rows] == [one.name for one in FAULTS]
    assert all(len(row) == 1 + len(MOMENTS) for row in rows)
    assert all(0 < float(cell) <= LIMIT_S for row in rows for cell in row[1:])
