"""`python -m tests.bench [NAME...]`: runs benches, prints tables, writes build/bench/NAME.json."""

from __future__ import annotations

import sys

from tests.bench.harness import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
