"""The smallest whole PDF, for what only handles files."""

import io

import pikepdf


def small_pdf(title: str) -> bytes:
    """One empty page; another title makes another file."""
    made = pikepdf.new()
    made.add_blank_page()
    made.docinfo["/Title"] = title
    out = io.BytesIO()
    made.save(out, deterministic_id=True)
    return out.getvalue()
