"""What names the edition of the drawing: all that a page depends on, so that no change of it is taken for forgery."""

import grimp

from reports.drawing.edition import ROOT, drawing_files

STARTS = ("reports.kinds", "reports.pdf", "reports.drawing.worker")


def test_every_module_that_draws_is_in_the_edition() -> None:
    graph = grimp.build_graph("reports", "safety")
    found, waiting = set[str](), list(STARTS)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(graph.find_modules_directly_imported_by(module))
    files = {ROOT / f"{module.replace('.', '/')}.py" for module in found}
    assert files <= set(drawing_files())


def test_the_pages_templates_and_texts_are_in_the_edition() -> None:
    names = {path.name for path in drawing_files()}
    assert {"return.html", "return.css", "rollup.html", "rollup.css", "return.toml", "rollup.toml"} <= names
