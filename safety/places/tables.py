"""Bureaus, schools and what they consist of. Rows here are settings: changed in place, each change audited."""

from piccolo.columns import Boolean, Date, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

RESTRICT = OnDelete.restrict


class Bureau(Table, tablename="bureau"):
    """An education bureau; `parent` is the level above. `elsewhere`: its people work on another instance, and what is
    for it goes there.
    """

    code = Varchar(length=40, unique=True)
    name = Varchar(length=120)
    parent: ForeignKey["Bureau"] = ForeignKey("self", null=True, default=None, on_delete=RESTRICT)
    made_up = Boolean(default=False)
    elsewhere = Boolean(default=False)


class School(Table, tablename="school"):
    """A school. `revision` grows with every change to it, its calendar or classes: caches go by it."""

    code = Varchar(length=40, unique=True)
    name = Varchar(length=120)
    name_en = Varchar(length=160, default="")
    stage = Varchar(length=20)
    enrolment = Integer(default=0)
    has_canteen = Boolean(default=False)
    meals = Varchar(length=40, default="")
    boarding = Boolean(default=False)
    has_bus = Boolean(default=False)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=True)
    revision = Integer(default=1)
    made_up = Boolean(default=False)


class Campus(Table, tablename="campus"):
    """A site of a school."""

    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=True)
    name = Varchar(length=80)


class Zone(Table, tablename="zone"):
    """A grid zone (网格) of a campus, answered for by named people."""

    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=True)
    campus = ForeignKey(Campus, null=False, on_delete=RESTRICT)
    name = Varchar(length=80)


class SchoolClass(Table, tablename="school_class"):
    """A class of one school year. `since`/`until`, where given, narrow it; `first_day`…`last_day` is what holds."""

    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=True)
    school_year = Varchar(length=9)
    grade = Varchar(length=20)
    name = Varchar(length=40)
    pupils = Integer(default=0)
    since = Date(null=True, default=None)
    until = Date(null=True, default=None)
    first_day = Date(default=None)
    last_day = Date(default=None)


class Headcount(Table, tablename="headcount"):
    """What a head-count was when: of a class, or (class null) the enrolment of the school. Only ever added to."""

    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=True)
    school_class = ForeignKey(SchoolClass, null=True, default=None, on_delete=RESTRICT)
    pupils = Integer()
    recorded_at = Timestamptz(default=None)


class Term(Table, tablename="term"):
    """A school term, both ends included."""

    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=True)
    name = Varchar(length=60)
    starts = Date(default=None)
    ends = Date(default=None)


class Closure(Table, tablename="closure"):
    """A day on which a school is closed, or open though the calendar says otherwise (kind `closed` or `extra`)."""

    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=True)
    day = Date(default=None)
    kind = Varchar(length=10)
    reason = Varchar(length=200, default="")
