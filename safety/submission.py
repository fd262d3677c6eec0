"""The key that a form or a program sends with what it submits: the same key and body is the same submission (PURE)."""

import re

from safety.errors import BadInput

KEY = re.compile(r"[A-Za-z0-9._:-]{8,80}")


def checked_key(text: str) -> str:
    """The key as it is. Raises BadInput (`key-form` on `submission_key`) for what is none."""
    if not KEY.fullmatch(text):
        raise BadInput.one("submission_key", "key-form")
    return text
