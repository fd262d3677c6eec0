"""The smallest whole PDF, for what only handles files."""

import io

import pikepdf


def small_pdf(title: str, data: bytes | None = None) -> bytes:
    """One empty page; another title makes another file. `data` is attached as a return's data are."""
    made = pikepdf.new()
    made.add_blank_page()
    made.docinfo["/Title"] = title
    if data is not None:
        made.attachments["return.json"] = pikepdf.AttachedFileSpec(made, data, filename="return.json")
    out = io.BytesIO()
    made.save(out, deterministic_id=True)
    return out.getvalue()
