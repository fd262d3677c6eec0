"""An attempt's error in a word that whoever signs returns understands (PURE)."""

from __future__ import annotations

SIGNS = (
    ("taken", ("is there already", " 409")),
    ("let-in", ("401 ", "403 ", "Authentication", "PermissionDenied", "PermissionError", "535 ")),
    ("trust", ("host key", "SSL", "certificate", "Certificate", "HostKeyNotVerifiable")),
    (
        "unreachable",
        ("no answer within", "Connect", "Timeout", "gaierror", "Network", "Disconnected", "OSError"),
    ),
    ("place", ("FileNotFoundError", "NoSuchFile", "NotADirectory", "404 ")),
    ("made", ("RenderError", "MissingGlyph", "font")),
)
"""Names of reasons, and what of each stands in the errors of the ways: of httpx, asyncssh, smtplib and the system."""


def why(error: str) -> str:
    """taken (there is another file of that name), let-in, trust, unreachable, place, made (the file cannot be drawn),
    or other; empty without an error.
    """
    if not error:
        return ""
    return next((name for name, signs in SIGNS if any(sign in f"{error} " for sign in signs)), "other")
