"""When this release was made. A hub's clock never shows less, whatever its battery, its network or its journal say."""

from __future__ import annotations

# Unix seconds, 2026-06-01T00:00:00Z. Who makes a release sets it to that day; a test keeps it from lying ahead of the
# last change of the tree.
RELEASED = 1_780_272_000
