"""Run as a process of its own: documents drawn one after another, by WeasyPrint left alone or with what is kept.

`python -m tests.reports.drawn_both_ways plain|kept` reads jobs in MessagePack and prints the digest of each PDF; for
`kept`, that of each drawn a second time and a third time with everything forgotten in between, too.
"""

import hashlib
import sys

import msgspec

from reports.kinds import RenderJob
from reports.pdf import Drawer


def leave_alone() -> None:
    import weasyprint

    from reports.drawing.kept import library, page

    library.install = lambda: None  # type: ignore[assignment]
    page.Page = lambda markup, fetcher: weasyprint.HTML(string=markup, url_fetcher=fetcher)  # type: ignore[misc,assignment]


def main(way: str) -> None:
    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[RenderJob])
    if way == "plain":
        leave_alone()
    drawer = Drawer()
    drawn = [_digest(drawer, job) for job in jobs]
    if way == "kept":
        drawn += _again(drawer, jobs)
    sys.stdout.write(msgspec.json.encode(drawn).decode())


def _again(drawer: Drawer, jobs: list[RenderJob]) -> list[str]:
    from reports.drawing.kept import styles, texts

    known, lines = texts.KEPT.count, [_digest(drawer, job) for job in reversed(jobs)]
    assert 0 < texts.KEPT.count == known, "the same texts were broken into lines again"
    styles.MOST_PLACES, texts.MOST_LINES = 20, 20  # type: ignore[misc]
    forgetful = [_digest(drawer, job) for job in jobs]
    assert texts.KEPT.count <= texts.MOST_LINES
    return [*reversed(lines), *forgetful]


def _digest(drawer: Drawer, job: RenderJob) -> str:
    drawn = hashlib.sha256(drawer.draw(job)).hexdigest()
    drawer.tidy()
    return drawn


if __name__ == "__main__":
    main(sys.argv[1])
