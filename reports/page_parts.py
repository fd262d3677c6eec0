"""What the pages of returns share: a document in the visitor's words, grades, files."""

import asyncio
from collections.abc import Callable

from litestar import Response

from reports import files
from reports.document import ReturnDocument
from reports.layout.view import View, view
from reports.layout.wording import Text, Writer
from safety.errors import NotFound
from safety.web.kernel import kernel_of
from safety.web.visit import WebRequest, visit_of


def view_of(request: WebRequest, document: ReturnDocument) -> View:
    """What the printed return says, in the visitor's language."""
    return view(document, visit_of(request).lang, text_of(request))


def text_of(request: WebRequest) -> Text:
    """The catalogue in the visitor's language, for what is printed."""
    lang = visit_of(request).lang
    catalogue = kernel_of(request).pages.catalogue

    def text(key: str, **values: object) -> str:
        # The view asks for codes that may have no word of their own, and prints those as they are.
        if key not in catalogue:
            raise KeyError(key)
        return catalogue.t(key, lang, **values)

    return text


def grade_names(request: WebRequest) -> Callable[[str | None], str]:
    """A grade as it was sealed, in the visitor's language."""
    write = Writer(visit_of(request).lang, text_of(request))
    return lambda grade: write.known(f"return.grade.{grade}", grade) if grade else ""


async def send_file(
    request: WebRequest, digest: str, name: str, media_type: str = "application/pdf"
) -> Response[bytes]:
    """A stored file, byte for byte, as `as_file` sends it. Raises NotFound, ValueError for one that was altered."""
    try:
        content = await asyncio.to_thread(files.read, request.app.state.settings.data, digest)
    except FileNotFoundError as error:
        raise NotFound from error
    return as_file(request, content, name, media_type)


def as_file(
    request: WebRequest, content: bytes, name: str, media_type: str = "application/pdf"
) -> Response[bytes]:
    """A file to be read where it is asked for; with `?download=1` to be kept."""
    way = "attachment" if request.query_params.get("download") == "1" else "inline"
    headers = {"content-disposition": f'{way}; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
