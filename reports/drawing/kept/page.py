"""A page read as XML, which the templates write: by a parser in C, where HTML's is in Python."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import cssselect2
import weasyprint


class Page(weasyprint.HTML):  # type: ignore[misc]
    """What WeasyPrint has of a document. Raises ElementTree.ParseError for markup that is not well-formed."""

    def __init__(self, markup: str, fetcher: Any) -> None:
        # The library's own constructor would parse.
        self.base_url = None
        self.url_fetcher = fetcher
        self.media_type = "print"
        # S314: the markup is our template's, every text in it escaped.
        self.etree_element = ElementTree.fromstring(markup)  # noqa: S314
        self.wrapper_element = cssselect2.ElementWrapper.from_html_root(
            self.etree_element, content_language=None
        )
