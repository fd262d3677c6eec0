"""The standards and the ledgers of this installation, put in use once at the start of every process."""

from functools import cache
from pathlib import Path

from config.ledgers import REGISTRY
from safety import in_use
from safety.standards import Standards, parse_all

STANDARDS_FOLDER = Path(__file__).parent / "standards"


@cache
def product_standards() -> Standards:
    """The dated records that come with the product. Raises BadStandards naming every fault of every file."""
    files = sorted(STANDARDS_FOLDER.glob("*.toml"))
    return parse_all({path.name: path.read_text(encoding="utf-8") for path in files})


def put_in_use() -> None:
    """Run on the product's standards and ledgers from now on."""
    in_use.use(product_standards(), REGISTRY)
