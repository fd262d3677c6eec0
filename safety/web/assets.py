"""Static files under names that carry their own digest, so that browsers may keep them for ever."""

import hashlib
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from safety.errors import NotFound
from safety.web.guards import open_to_all
from safety.web.visit import WebRequest

STATIC_FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    content: bytes
    media_type: str


class Assets:
    """All static files, read once. A file's address holds the first 12 digits of its SHA-256."""

    def __init__(self, folders: Iterable[Path] = (STATIC_FOLDER,)) -> None:
        self._addresses: dict[str, str] = {}
        self._files: dict[str, Asset] = {}
        for folder in folders:
            for path in sorted(item for item in folder.rglob("*") if item.is_file()):
                self._add(path.relative_to(folder).as_posix(), path)

    def _add(self, name: str, path: Path) -> None:
        content = path.read_bytes()
        stem, dot, ending = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
        self._addresses[name] = f"/static/{hashed}"
        self._files[hashed] = Asset(content, mimetypes.guess_type(name)[0] or "application/octet-stream")

    def url(self, name: str) -> str:
        """The address of a static file. Raises KeyError for one that does not exist."""
        return self._addresses[name]

    def find(self, hashed: str) -> Asset | None:
        return self._files.get(hashed)


@get("/static/{name:path}", guards=[open_to_all()], opt={"bare": True}, sync_to_thread=False)
def static_file(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """A static file by its hashed name; an old or guessed name is 404."""
    asset = request.app.state.kernel.assets.find(name.lstrip("/"))
    if asset is None:
        raise NotFound
    return Response(asset.content, media_type=asset.media_type, headers={"cache-control": FOR_EVER})
