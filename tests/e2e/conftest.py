"""The longest stories begin first: one that began last would be waited for by itself."""

from __future__ import annotations

import pytest

LONGEST = ("test_story.py", "test_at_the_hub.py", "test_page.py", "test_operations_walk.py", "test_power_cuts.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of LONGEST before all others, in its order; xdist keeps it with `--no-loadscope-reorder`."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
