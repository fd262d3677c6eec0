"""Lists come some at a time: which page of one an address asks for."""

from safety.web.visit import WebRequest

MOST_DIGITS = 6


def page_number(request: WebRequest) -> int:
    """The number in `?page=`, counted from 1; the first page for whatever is no such number."""
    text = request.query_params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 1
