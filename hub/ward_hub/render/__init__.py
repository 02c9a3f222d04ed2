"""Vietnamese text as 1-bit pictures for LED boards."""

from __future__ import annotations

from ward_hub.render.errors import RenderError
from ward_hub.render.font import Weight
from ward_hub.render.layout import board_show
from ward_hub.render.line import render_line, warm_up
from ward_hub.render.text import check_text, describe, normalise

__all__ = ["RenderError", "Weight", "board_show", "check_text", "describe", "normalise", "render_line", "warm_up"]
