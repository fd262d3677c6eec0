"""The made-up schools: what kind each is, how large, and how its people keep their records."""

from dataclasses import dataclass

from config.demo.habits import BUSY, DILIGENT, ORDINARY, SLOPPY, Habits

CITY = ("LC", "临澄市教育局（演示）")
COUNTY = ("CX", "澄溪县教育局（演示）")
MARK = "（演示）"

PRIMARY = ("一", "二", "三", "四", "五", "六")
JUNIOR = ("七", "八", "九")
SENIOR = ("高一", "高二", "高三")
NURSERY = ("小", "中", "大")


@dataclass(frozen=True, slots=True)
class Profile:
    """One school. `sections`: classes per grade, in the order of `grades`; `pupils`: the range of a class's size."""

    name: str
    name_en: str
    stage: str
    grades: tuple[str, ...]
    sections: tuple[int, ...]
    pupils: tuple[int, int]
    habits: Habits
    meals: tuple[str, ...] = ()
    boarding: bool = False
    has_bus: bool = False
    small: bool = False
    """So small that the principal keeps the records and leads as well."""

    @property
    def has_canteen(self) -> bool:
        return bool(self.meals)


LUNCH = ("lunch",)
LUNCH_SUPPER = ("lunch", "supper")
ALL_MEALS = ("breakfast", "lunch", "supper")

PROFILES = (
    Profile(
        "城关中心小学",
        "Chengguan Central Primary School",
        "primary",
        PRIMARY,
        (2, 1, 1, 1, 2, 1),
        (36, 46),
        ORDINARY,
        LUNCH,
        has_bus=True,
    ),
    Profile(
        "第一高级中学",
        "No. 1 Senior High School",
        "senior",
        SENIOR,
        (2, 2, 2),
        (44, 52),
        DILIGENT,
        ALL_MEALS,
        boarding=True,
    ),
    Profile(
        "石桥村小学",
        "Shiqiao Village Primary School",
        "primary",
        PRIMARY,
        (1, 1, 1, 1, 1, 1),
        (14, 25),
        SLOPPY,
        LUNCH,
    ),
    Profile("青禾幼儿园", "Qinghe Kindergarten", "kindergarten", NURSERY, (1, 1, 1), (18, 26), DILIGENT),
    Profile(
        "阳光幼儿园",
        "Yangguang Kindergarten",
        "kindergarten",
        NURSERY,
        (1, 1, 2),
        (22, 30),
        ORDINARY,
        LUNCH,
        has_bus=True,
    ),
    Profile(
        "第三初级中学", "No. 3 Junior High School", "junior", JUNIOR, (2, 2, 2), (40, 48), BUSY, LUNCH_SUPPER
    ),
    Profile(
        "柳湾九年一贯制学校",
        "Liuwan Nine-Year School",
        "nine_year",
        PRIMARY + JUNIOR,
        (1,) * 9,
        (30, 42),
        ORDINARY,
        LUNCH,
        boarding=True,
    ),
    Profile(
        "特殊教育学校",
        "Special Education School",
        "special",
        ("启智一", "启智二", "启聪一"),
        (1, 1, 1),
        (7, 11),
        DILIGENT,
        LUNCH,
    ),
    Profile("茶坪教学点", "Chaping Teaching Point", "primary", PRIMARY[:2], (1, 1), (5, 9), BUSY, small=True),
    Profile(
        "实验小学",
        "Experimental Primary School",
        "primary",
        PRIMARY,
        (1, 2, 1, 1, 1, 1),
        (42, 48),
        DILIGENT,
        LUNCH,
    ),
    Profile(
        "枫林完全中学",
        "Fenglin Secondary School",
        "complete",
        JUNIOR + SENIOR,
        (1,) * 6,
        (40, 50),
        ORDINARY,
        LUNCH_SUPPER,
        boarding=True,
    ),
    Profile(
        "沙岭小学", "Shaling Primary School", "primary", PRIMARY, (1, 1, 1, 1, 1, 0), (20, 32), BUSY, LUNCH
    ),
)
"""In the order in which a smaller demo takes them."""
MORE_NAMES = (
    "东门",
    "西坪",
    "南塘",
    "北岭",
    "大河",
    "小河",
    "杨柳",
    "桃源",
    "清水",
    "白石",
    "红旗",
    "新民",
    "望江",
    "松岗",
)


def school_name(number: int) -> tuple[str, str]:
    """The Chinese and English name of the school of that number; after the twelfth, villages lend theirs."""
    profile = PROFILES[number % len(PROFILES)]
    if number < len(PROFILES):
        return f"澄溪县{profile.name}{MARK}", f"{profile.name_en}, Chengxi (demo)"
    round_ = number // len(PROFILES)
    village = MORE_NAMES[(number * 5 + round_) % len(MORE_NAMES)]
    return f"澄溪县{village}{round_}号·{profile.name}{MARK}", f"{profile.name_en} {round_}, Chengxi (demo)"


def school_code(number: int) -> str:
    """`CX01` …"""
    return f"{COUNTY[0]}{number + 1:02}"


def class_label(profile: Profile, grade: str, section: int) -> str:
    """`三(1)班`, `小一班`, `启智一班`: as such schools call their classes."""
    if profile.stage == "kindergarten":
        return f"{grade}{'一二三四五'[section]}班"
    return f"{grade}班" if profile.stage == "special" else f"{grade}({section + 1})班"
