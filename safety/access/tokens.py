"""Secrets that are handed out once and kept only as digests, and passwords, kept only as argon2id."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import argon2

from safety.access.rules import ONE_TIME_ALPHABET, ONE_TIME_LENGTH, fold_password

# OWASP's second configuration (19 MiB, 2 passes, 1 lane): about 25 ms.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# What an unknown login's password is compared with, so that it takes as long as a known one's.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))
# Two at a time: a rush of sign-ins waits in line instead of filling memory.
_WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def looks_like_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> str:
    """SHA-256 in hexadecimal. Enough without salt or slowness: the token is random, not chosen by a
    person.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def new_one_time_password() -> str:
    """A password to print: four groups of three, about 59 bits, without characters that look alike."""
    letters = "".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(ONE_TIME_LENGTH))
    return "-".join(letters[start : start + 3] for start in range(0, ONE_TIME_LENGTH, 3))


async def hash_password(password: str) -> str:
    """argon2id of a password, made in a thread so that other requests go on."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _HASHER.hash, fold_password(password))


async def password_matches(stored: str | None, password: str) -> bool:
    """Whether a password is right. With nothing stored it takes the same time and is False."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_WORKERS, _verify, stored, fold_password(password))


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        return False
