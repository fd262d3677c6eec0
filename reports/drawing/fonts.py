"""The fonts a document is drawn with: small everyday subsets in front, the full files behind them.

Drawing with the full Chinese fonts is slow, and a subset lacks the rare characters that names are full
of. So both stand in one folder, the subset first: Pango takes each character from the first family that
has it. A character that none has is an error before anything is drawn, because an empty box in a sealed
return would be a falsified name.

The everyday set is GB 2312 (6,763 hanzi and its symbols, generated from Python's own codec), printable
ASCII and Latin-1, the signs that documents use, and the full fonts' hanzi beyond Unicode's first plane:
in a font made for mainland China these are the ones that 通用规范汉字表 (8,105) added for names and
places, such as 𬱖. The table's other additions to GB 2312 (喆 堃 祎 翀 㛃 …) cannot be told from GBK's
traditional forms without the table itself, which is not ours to ship; the commonest in names are listed
below, and the rest come from the full files.

A site that has the faces which official documents ask for (小标宋, 仿宋, 楷体, 黑体), with a licence to embed them,
puts them into `fonts` in the data folder under the names of `SITE_FACES`; the style sheets name those before ours.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import os
import shutil
import struct
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

RECIPE = "2"
"""Raised whenever the subsets would come out different: a new recipe means a new folder."""

SONG = "Campus Song"
HEI = "Campus Hei"
FULL_SONG = "Noto Serif SC"
FULL_HEI = "Noto Sans SC"
SITE_FACES = {
    "xiaobiaosong": "Campus Biaosong",
    "fangsong": "Campus Fang",
    "kaiti": "Campus Kai",
    "heiti": "Campus Heiti",
}
"""A site's own files, `fangsong.ttf` or `fangsong.otf`, and the family that the style sheets call them."""

NAME_CHARACTERS = (
    "喆堃昇祎翀玥旻昉昕曈珺琰瑀瑄璟瑾璘珩珣玘琤琎瓅婳姮嫄媖娴婧婠妤姝"
    "妘媛嫣婵祾禛禩祐祺禔祜禹焜焱烨烜煊熠燊燚炜炘犇骉骁骐骞翯翃翊翮翾颀"
    "頔顗颢飏淏淼湉湜溁滢漪澍濛瀚沄沐泓泫洺浛浠涴淇渟漷灏昱昶晟晗晞晔晙"
    "晫暄暐暻曦曌栩桉梓棽椿楠榕槿樾橦霈霏雯雱霂霁霙靓靖韫韬韶頲颉垚埗埼"
    "堉塬墉壵奕奡妡姵娉娬婼孖孜宓宸寔寯峄峤峣崟崧嵘嶷巍芃芊芮苡苒茜荃荇"
    "菀菁菡萱葳蓁蓂蔚蕙蕤薇藜蘅诜诩谞谡谧贇赟踔轩轶辀辂辚迦逯逵遨邈郗郦"
    "鄢鄯酆釿钊钏钐钦钰钲钺铄铎铠铤铮锐锜锟锴锷镕镠镡镭鑫闵闳闾阊阚隽雒"
    "㑇㑊㕮㘎㙍㙘㙦㛃㛚㛹㟃㠇㠓㤘㥄㧐㧑㧟㫰㬊㬎㬚㭎㭕㮾㳇㳘㳚㴔㵐㶲㸆㸌㺄㻬㽏㿠䃅䃎䅟䌹䎃䎖䏝䏡䏲䐃䓖䓛䓨䓬"
    "龑龢麒麟鹓鹔鹭鸢鲲黻齮䶮仡伋佺侃侑侗俣俶俸倓倞倢偲偓傒儆儇兕冔"
)
SYMBOLS = (
    "〇−—–…‘’“”·•、。〈〉《》「」『』【】〔〕（）！，：；？～￥％＋－＝×÷±≤≥≠≈√✓"
    "○●◎□■△▲▽▼◇◆☆★→←↑↓①②③④⑤⑥⑦⑧⑨⑩№℃㎡㎏€£©®™"
)

_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">files</dir>
  <cachedir prefix="relative">cache</cachedir>
</fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Fonts:
    """A prepared folder. `configuration` is for FONTCONFIG_FILE; it knows no font outside the folder."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "fonts.conf"


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    family: str
    full_family: str


def _sources() -> tuple[_Source, _Source]:
    import pylopdf_fonts_zh_cn

    return (
        _Source(Path(pylopdf_fonts_zh_cn.serif_path()), SONG, FULL_SONG),
        _Source(Path(pylopdf_fonts_zh_cn.sans_path()), HEI, FULL_HEI),
    )


def gb2312() -> frozenset[str]:
    """Every character of GB 2312-1980, from the codec: 682 symbols and 6,763 hanzi."""
    cells = (bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return frozenset("".join(cell.decode("gb2312", errors="ignore") for cell in cells))


def _latin() -> Iterator[str]:
    return (chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100)))


def _beyond_first_plane(code: int) -> bool:
    return code >= 0x20000


def everyday(covered: Iterable[int]) -> frozenset[int]:
    """Code points of the subset, out of those a full font covers."""
    wanted = gb2312() | frozenset(NAME_CHARACTERS) | frozenset(SYMBOLS) | frozenset(_latin())
    return frozenset(code for code in covered if chr(code) in wanted or _beyond_first_plane(code))


def prepare(data: Path) -> Fonts:
    """The fonts below `data/fonts`, made at the first call (under a second) and found again after it.

    Processes may race: each makes its own folder and the first rename wins. Raises OSError when `data` is not
    writable or full, ValueError when a site's own file is no font.
    """
    own = _site_files(data / "fonts")
    mark = _mark("".join(sorted(set(NAME_CHARACTERS + SYMBOLS))).encode(), *own.values())
    target = data / "fonts" / f"{version('pylopdf-fonts-zh-cn')}-{RECIPE}-{mark}"
    if (target / "fonts.conf").is_file():
        return Fonts(target.resolve())
    target.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        _fill(making, own)
        _settle(making, target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return Fonts(target.resolve())


def _mark(*parts: bytes) -> str:
    """Other characters or other files make another folder."""
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts))
    return digest.hexdigest()[:8]


def _site_files(folder: Path) -> dict[str, bytes]:
    """A site's own faces: the name of each file, and what is in it."""
    names = [f"{face}{suffix}" for face in SITE_FACES for suffix in (".otf", ".ttf")]
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _fill(folder: Path, own: Mapping[str, bytes]) -> None:
    files = folder / "files"
    files.mkdir()
    for source in _sources():
        name = source.family.replace(" ", "") + ".otf"
        (files / source.path.name).write_bytes(_rewritten(source.path.read_bytes(), source.full_family))
        (files / name).write_bytes(_rewritten(_subset(source), source.family))
    for name, content in own.items():
        (files / name).write_bytes(_site_face(name, content))
    (folder / "fonts.conf").write_text(_CONFIGURATION, encoding="utf-8")


def _site_face(name: str, content: bytes) -> bytes:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        made = _rewritten(content, SITE_FACES[Path(name).stem])
        covered = TTFont(io.BytesIO(made)).getBestCmap() or {}
    except (TTLibError, KeyError, struct.error) as problem:
        raise ValueError(f"{name} is not an OpenType or TrueType font") from problem
    if ord(" ") not in covered:
        # A space is never taken from another face, so every line set in this one would have a box in it.
        raise ValueError(f"{name} has no space")
    return made


def _settle(making: Path, target: Path) -> None:
    # mkdtemp makes 0700; a second service account (serve and work) must be able to read the fonts.
    making.chmod(0o755)
    try:
        making.rename(target)
    except OSError:
        if not (target / "fonts.conf").is_file():
            raise


def _subset(source: _Source) -> bytes:
    # Imported here because the service asks for the folder at every start, and seldom makes it.
    import uharfbuzz

    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(source.path)))
    wanted = uharfbuzz.SubsetInput()
    wanted.sets(uharfbuzz.SubsetInputSets.UNICODE).set(set(everyday(face.unicodes)))
    data: bytes = uharfbuzz.subset(face, wanted).blob.data
    return data


def _rewritten(font: bytes, family: str) -> bytes:
    """The same glyphs under a family name of their own, each glyph's CID being its number in the file.

    The name keeps subset and full file apart for fontconfig. The numbers matter in the PDF: WeasyPrint writes
    glyph numbers where a CID-keyed font wants CIDs, so readers that go by the font's own table (the standard's
    way) would show other characters than poppler does.
    """
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.tables.DefaultTable import DefaultTable

    parsed = TTFont(io.BytesIO(font), recalcTimestamp=False, recalcBBoxes=False)
    names = parsed["name"]
    names.names = [record for record in names.names if record.nameID in (0, 5, 13, 14)]
    postscript = family.replace(" ", "")
    for identifier, value in ((1, family), (2, "Regular"), (3, postscript), (4, family), (6, postscript)):
        names.setName(value, identifier, 3, 1, 0x409)
    if "CFF " in parsed:
        outlines = _numbered(font, parsed.reader["CFF "])
        parsed["CFF "] = table = DefaultTable("CFF ")
        table.data = outlines
    out = io.BytesIO()
    parsed.save(out)
    return out.getvalue()


def _numbered(font: bytes, outlines: bytes) -> bytes:
    """The CFF table with its charset replaced, in place, by one range: glyph n has CID n. Without CIDs it stays."""
    from fontTools.ttLib import TTFont

    top = TTFont(io.BytesIO(font))["CFF "].cff[0]
    if "ROS" not in top.rawDict:
        return outlines
    at, glyphs = top.rawDict["charset"], len(top.CharStrings)
    # Format 2: one range from CID 1, counting the glyphs after it. Five bytes, always within the old charset.
    charset = struct.pack(">BHH", 2, 1, glyphs - 2)
    return outlines[:at] + charset + outlines[at + len(charset) :]


@lru_cache(maxsize=1)
def drawable() -> frozenset[int]:
    """Code points that some font in the folder can draw."""
    import uharfbuzz

    faces = (uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(source.path))) for source in _sources())
    return frozenset().union(*(frozenset(face.unicodes) for face in faces))


def first_undrawable(text: str) -> str | None:
    """The first character no font has, or None. Line breaks and invisible format marks need no glyph."""
    known = drawable()
    return next((c for c in text if ord(c) not in known and not _invisible(c)), None)


def _invisible(character: str) -> bool:
    return character in "\n\r\t" or unicodedata.category(character) == "Cf"


def without_format_marks(text: str) -> str:
    """`text` less the zero-width marks that come with pasted names: they print as nothing, or as a box."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


@dataclass(frozen=True, slots=True)
class Check:
    """One line for `doctor`: a stable `code`, and for the operator a file or the package to install."""

    code: str
    ok: bool
    detail: str


_LIBRARIES = (
    ("pango", "libpango-1.0.so.0", "libpango-1.0-0"),
    ("pangoft2", "libpangoft2-1.0.so.0", "libpangoft2-1.0-0"),
    ("harfbuzz", "libharfbuzz.so.0", "libharfbuzz0b"),
    ("harfbuzz-subset", "libharfbuzz-subset.so.0", "libharfbuzz-subset0"),
)


def check(data: Path, load: Callable[[str], object] = ctypes.CDLL) -> tuple[Check, ...]:
    """What `doctor` shows about drawing: the libraries WeasyPrint loads, and the fonts below `data`."""
    libraries = tuple(_check_library(code, file, package, load) for code, file, package in _LIBRARIES)
    return (*libraries, _check_fonts(data))


def _check_library(code: str, file: str, package: str, load: Callable[[str], object]) -> Check:
    try:
        load(file)
    except OSError as problem:
        return Check(code, ok=False, detail=f"{problem} (apt-get install {package})")
    return Check(code, ok=True, detail=file)


def _check_fonts(data: Path) -> Check:
    try:
        fonts = prepare(data)
    except (OSError, ImportError, ValueError) as problem:
        return Check("fonts", ok=False, detail=str(problem))
    sizes = [file.stat().st_size for file in (fonts.folder / "files").iterdir()]
    if len(sizes) < 4 or not all(sizes):
        return Check("fonts", ok=False, detail=f"{fonts.folder}: incomplete, delete the folder")
    return Check("fonts", ok=True, detail=os.fspath(fonts.folder))
