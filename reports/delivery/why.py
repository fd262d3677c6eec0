"""An attempt's error in a word that whoever signs returns understands (PURE)."""

from __future__ import annotations

STATUSES = {"401": "let-in", "403": "let-in", "404": "place", "409": "taken", "535": "let-in"}
"""What an answer's number means, with which an error of HTTP or SMTP begins."""
SIGNS = (
    ("taken", ("is there already",)),
    ("let-in", ("Authentication", "PermissionDenied", "PermissionError")),
    ("trust", ("host key", "SSL", "certificate", "Certificate", "HostKeyNotVerifiable")),
    (
        "unreachable",
        ("no answer within", "Connect", "Timeout", "gaierror", "Network", "Disconnected", "OSError"),
    ),
    ("place", ("FileNotFoundError", "NoSuchFile", "NotADirectory")),
    ("made", ("RenderError", "MissingGlyph", "font")),
)
"""Names of reasons, and what of each stands in the errors of the ways: of httpx, asyncssh, smtplib and the system."""


def why(error: str) -> str:
    """taken (there is another file of that name), let-in, trust, unreachable, place, made (the file cannot be drawn),
    or other; empty without an error.
    """
    if not error:
        return ""
    named = (name for name, signs in SIGNS if any(sign in error for sign in signs))
    return STATUSES.get(error.partition(" ")[0]) or next(named, "other")
