"""`python -m ward_hub`: the command line, where the script is not on the path."""

from __future__ import annotations

import sys

from ward_hub.cli.main import main

sys.exit(main())
