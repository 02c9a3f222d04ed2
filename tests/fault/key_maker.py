"""Makes hubs' keys in folders of a folder (argument 1), one after another, until killed; says each that a hub has."""

from __future__ import annotations

import sys
from pathlib import Path

from ward_hub.identity import hub_key

print("begun", flush=True)
for number in range(10**6):
    with hub_key(Path(sys.argv[1]) / str(number)) as key:
        print(number, key.public.raw.hex(), flush=True)
