"""A rich made-up return: every section filled, rare characters in the names, every mark and status used."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec

from reports.document import Bureau as BureauName
from reports.document import (
    Cause,
    ChainHead,
    Change,
    Clock,
    Exceptional,
    Fact,
    Incident,
    Mark,
    Penalty,
    Period,
    ReturnDocument,
    Rule,
    School,
    Score,
    ScoreGroup,
    ScoreLine,
    SignOff,
    Veto,
    Words,
    freeze,
    suppressed,
)

RARE = "喆堃昇祎翀㛃"
DECREE_493 = Words(
    zh="《生产安全事故报告和调查处理条例》（国务院令第493号）第三条、第九条",
    en="State Council Decree 493, arts 3, 9",
)
DRILLS = Words(
    zh="《中小学幼儿园应急疏散演练指南》（教基一厅〔2014〕2号）", en="Guide to evacuation drills (2014) No. 2"
)
FOOD = Words(zh="《学校食品安全与营养健康管理规定》", en="Rules on school food safety and nutrition")
FOOD_LAW = Words(zh="《中华人民共和国食品安全法》第四十五条、第五十三条", en="Food Safety Law, arts 45, 53")
OWN = Words(zh="本系统计分规则", en="this scoring sheet")
LOCAL = Words(zh="地方“1530”安全教育做法", en="provincial “1530” practice")
GUARDS = Words(zh="GB/T 29315—2022", en="GB/T 29315-2022")

# (line, expected, on time, late, backfilled, missing, points, max, status, rule, source, mark)
LineRow = tuple[str, int, int, int, int, int, str, str, str, str, str, Words, Mark]
LINES: dict[str, list[LineRow]] = {
    "targets": [
        ("T1", 216, 208, 5, 0, 3, "9.86", "10.00", "partial",
         "每周班级安全教育到课与补课人数之和，与应到人数之比达100%", "pupils reached ÷ enrolled = 100 %", OWN, "D"),
        ("T2", 64, 63, 0, 0, 1, "12.00", "12.00", "met",
         "无责任事故，且零报告覆盖教学日95%以上", "no liability incident; zero-reports cover 95 %", OWN, "D"),
        ("T3", 324, 324, 0, 0, 0, "7.78", "8.00", "partial",
         "抽测不少于在校生30%，全部通过", "30 % checked, all passed", OWN, "D"),
        ("T4", 64, 63, 0, 0, 1, "7.00", "7.00", "met",
         "无较大以上交通事故", "no traffic incident of a larger grade", DECREE_493, "V1"),
        ("T5", 64, 63, 0, 0, 1, "0.00", "7.00", "missed",
         "无食物中毒", "no food poisoning", OWN, "D"),
        ("T6", 64, 63, 0, 0, 1, "6.00", "6.00", "met",
         "无心理健康原因致伤致亡", "no injury from mental-health causes", OWN, "D"),
    ],
    "education": [
        ("education.weekly", 216, 208, 5, 0, 3, "4.14", "4.21", "partial",
         "每班每周一次安全教育", "every class, every week", LOCAL, "V2"),
        ("education.daily", 1152, 1100, 30, 2, 20, "3.06", "3.16", "partial",
         "每班每个教学日放学前提醒", "every class, every school day", LOCAL, "V2"),
        ("education.monthly", 2, 2, 0, 0, 0, "1.05", "1.05", "full",
         "每月一次主题教育", "once a month", LOCAL, "V2"),
        ("education.legal", 0, 0, 0, 0, 0, "0.00", "0.00", "nothing-due",
         "每学期一次法治教育", "once a term", LOCAL, "U"),
        ("education.holiday", 2, 2, 0, 0, 0, "1.05", "1.05", "full",
         "放假前一次安全提示", "before each holiday", LOCAL, "V2"),
    ],
    "duty": [
        ("duty.gate", 128, 126, 0, 0, 2, "2.07", "2.11", "partial",
         "每个教学日上学放学时段按班次签到", "each slot checked in", GUARDS, "V2"),
        ("duty.marshal", 128, 128, 0, 0, 0, "2.11", "2.11", "full",
         "上学放学时段设护学岗", "marshals at arrival and dismissal", GUARDS, "V2"),
        ("duty.leader", 64, 64, 0, 0, 0, "2.11", "2.11", "full",
         "每个教学日一名领导带班", "one leader a school day", OWN, "D"),
        ("duty.patrol", 320, 301, 0, 0, 19, "1.99", "2.11", "partial",
         "每个教学日巡查不少于5次，间隔30分钟以上", "5 rounds a day, 30 minutes apart", GUARDS, "V2"),
    ],
    "food": [
        ("food.samples", 128, 126, 0, 1, 1, "6.20", "6.31", "partial",
         "每餐留样不少于125克，保存48小时以上", "125 g of each meal for 48 h", FOOD, "V2"),
        ("food.purchases", 10, 9, 1, 0, 0, "6.00", "6.32", "partial",
         "每周至少一批采购，证票齐全", "accepted batch with its certificates", FOOD_LAW, "V1"),
        ("food.stock", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "入库验收", "stock", OWN, "D"),
        ("food.supervision", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "后厨监督", "kitchen", OWN, "D"),
        ("food.accompaniment", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "每餐陪餐", "meals", FOOD, "V2"),
        ("food.health", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "每日晨检", "health", FOOD_LAW, "U"),
        ("food.control", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "日管控等", "control", FOOD, "V2"),
        ("food.authority", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "每月联系", "contact", OWN, "D"),
    ],
    "drills": [
        ("drills.monthly", 2, 1, 0, 0, 1, "3.94", "7.89", "partial",
         "中小学每月至少一次应急演练", "a drill a month", DRILLS, "V2"),
        ("drills.evaluated", 1, 1, 0, 0, 0, "3.16", "3.16", "full",
         "演练后7日内评估", "evaluated in 7 days", OWN, "D"),
        ("drills.fire", 0, 0, 0, 0, 0, "0.00", "0.00", "nothing-due",
         "每半年一次消防演练", "a fire drill per half-year", Words(zh="公安部令第61号第四十条", en="Order 61"), "V2"),
    ],
    "hazards": [
        ("hazards.inspections", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "隐患排查", "inspections", OWN, "D"),
        ("hazards.closed", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "按期销号", "closed in time", OWN, "D"),
    ],
    "governance": [
        ("governance.letters", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "责任书", "letters", OWN, "D"),
        ("governance.plans", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "应急预案", "plans", OWN, "D"),
        ("governance.meetings", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "安全会议", "meetings", OWN, "D"),
        ("governance.outreach", 0, 0, 0, 0, 0, "0.00", "0.00", "no-ledger", "家校社", "outreach", OWN, "D"),
    ],
}  # fmt: skip


def _at(day: date, hour: int = 8, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def entry_id(number: int) -> str:
    return f"01990000-0000-7000-8000-{number:012d}"


def _facts() -> tuple[Fact, ...]:
    first = date(2026, 7, 1)
    rows = [
        (row[0], number)
        for group in LINES.values()
        for row in group
        for number in range(row[2] + row[3] + row[4])
    ]
    return tuple(
        Fact(
            id=entry_id(at),
            line=line,
            occurrence=f"{line}/{number}",
            happened_on=first + timedelta(days=number % 90),
            recorded_at=_at(first + timedelta(days=number % 90), number % 12),
        )
        for at, (line, number) in enumerate(rows)
    )


def _groups(facts: tuple[Fact, ...]) -> tuple[ScoreGroup, ...]:
    entries: dict[str, list[str]] = {}
    for fact in facts:
        entries.setdefault(fact.line, []).append(fact.id)
    return tuple(_group(name, rows, entries) for name, rows in LINES.items())


def _group(name: str, rows: list[LineRow], entries: dict[str, list[str]]) -> ScoreGroup:
    lines = tuple(_line(row, entries.get(row[0], [])) for row in rows)
    return ScoreGroup(id=name, points=_sum(r[6] for r in rows), max=_sum(r[7] for r in rows), lines=lines)


def _sum(points: object) -> str:
    hundredths = sum(int(p.replace(".", "")) for p in points)  # type: ignore[attr-defined]
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _line(row: LineRow, entries: list[str]) -> ScoreLine:
    name, expected, on_time, late, backfilled, missing, points, most, status, _, _, source, _ = row
    return ScoreLine(
        id=name,
        applies=not status.startswith("no") or status == "none",
        expected=expected,
        on_time=on_time,
        late=late,
        backfilled=backfilled,
        missing=missing,
        open=0,
        points=points,
        max=most,
        status=status,  # type: ignore[arg-type]
        source=source.zh,
        entries=tuple(entries),
    )


def _rules() -> tuple[Rule, ...]:
    rows = [row for group in LINES.values() for row in group]
    return tuple(Rule(line=r[0], text=Words(zh=r[9], en=r[10]), source=r[11], mark=r[12]) for r in rows)


def _incidents() -> tuple[Incident, ...]:
    poisoning, quarrel = date(2026, 9, 11), date(2026, 9, 21)
    return (
        Incident(
            id=entry_id(900001),
            category="food_poisoning",
            grade="ordinary",
            happened_on=poisoning,
            discovered_at=_at(poisoning, 5, 30),
            recorded_at=_at(poisoning, 9, 10),
            liability="pending",
            clocks=(
                Clock(reason="food_poisoning", starts_at=_at(poisoning, 5, 30), due_at=_at(poisoning, 7, 30),
                      reported_at=_at(poisoning, 9, 5), reported_by="school", outcome="late"),
                Clock(reason="grade", starts_at=_at(poisoning, 10), due_at=_at(poisoning, 11),
                      reported_at=_at(poisoning, 10, 20), reported_by="school", outcome="in-time"),
            ),
            affected=6,
            minor_injuries=6,
        ),
        Incident(
            id=entry_id(900002),
            category="mental_health",
            grade=None,
            happened_on=quarrel,
            discovered_at=_at(quarrel, 2),
            recorded_at=_at(quarrel, 4),
            liability="no",
            clocks=(
                Clock(reason="other", starts_at=_at(quarrel, 2), due_at=_at(quarrel + timedelta(days=1), 2),
                      reported_at=_at(quarrel, 4), reported_by="school", outcome="in-time"),
            ),
            affected=suppressed(1, "mental_health"),
        ),
    )  # fmt: skip


def _exceptions() -> tuple[Exceptional, ...]:
    september = [
        date(2026, 9, day) for day in (2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 21, 22, 23, 24, 25)
    ]
    daily = [("missed", "education.daily", day, unit) for day in september for unit in ("三(1)班", "六(2)班")]
    busy = [
        ("late", "education.daily", date(2026, 9, 4), f"{grade}({n})班")
        for grade in "一二三四五"
        for n in (1, 2)
    ]
    patrols = [("missed", "duty.patrol", day, "") for day in september[:9]]
    others = [
        ("missed", "education.weekly", date(2026, 9, 11), "四(2)班"),
        ("late", "education.weekly", date(2026, 9, 18), "五(1)班"),
        ("missed", "T2", date(2026, 9, 25), ""),
        ("missed", "drills.monthly", date(2026, 9, 30), ""),
        ("late", "food.purchases", date(2026, 9, 18), ""),
        ("backfilled", "food.samples", date(2026, 9, 23), "午餐"),
        ("missed", "food.samples", date(2026, 9, 24), "晚餐"),
        ("missed", "duty.gate", date(2026, 9, 9), "到校岗"),
    ]
    return tuple(
        Exceptional(
            line=line,
            kind=kind,  # type: ignore[arg-type]
            occurrence=f"{line}/{day}/{unit}",
            due_on=day,
            unit=unit,
            recorded_at=None if kind == "missed" else _at(day + timedelta(days=9)),
        )
        for kind, line, day, unit in (*daily, *busy, *patrols, *others)
    )


def sample_return(**changes: object) -> ReturnDocument:
    """A frozen return of one busy quarter; `changes` replace whole fields before it is frozen."""
    facts = _facts()
    groups = _groups(facts)
    off = Penalty(incident=entry_id(900001), cause="late", points="2.00")
    earned = int(_sum(group.points for group in groups).replace(".", "")) - 200
    score = Score(
        school="330102001",
        period="2026Q3",
        as_of=datetime(2026, 9, 30, 16, 0, tzinfo=UTC),
        standards="2026.1",
        total=f"{earned // 100}.{earned % 100:02d}",
        grade="合格",
        penalties=(off,),
        groups=groups,
    )
    document = ReturnDocument(
        school=School(
            code="330102001",
            name=Words(zh="江州县翀山镇祎堃小学", en="Yikun Primary School, Chongshan"),
            stage="primary",
            enrolment=1080,
        ),
        bureau=BureauName(
            code="330102", name=Words(zh="江州县教育局", en="Jiangzhou County Education Bureau")
        ),
        period=Period(
            id="2026Q3",
            starts=date(2026, 7, 1),
            ends=date(2026, 9, 30),
            closes_at=datetime(2026, 9, 30, 16, 0, tzinfo=UTC),
        ),
        version=1,
        made_at=datetime(2026, 9, 30, 16, 0, 5, tzinfo=UTC),
        made_up=True,
        standards="2026.1",
        score=score,
        rules=_rules(),
        facts=facts,
        incidents=_incidents(),
        exceptions=_exceptions(),
        late=16,
        backfilled=1,
        sign_off=SignOff(
            signer="欧阳喆昇㛃",
            signed_at=datetime(2026, 9, 29, 8, 20, tzinfo=UTC),
            facts_digest="5f" * 32,
            changes=(
                Change(id=entry_id(17), line="food.samples", happened_on=date(2026, 9, 30), kind="added"),
                Change(
                    id=entry_id(21), line="education.daily", happened_on=date(2026, 9, 30), kind="altered"
                ),
                Change(id=entry_id(33), line="duty.gate", happened_on=date(2026, 9, 29), kind="removed"),
            ),
        ),
        chain_head=ChainHead(lines=48213, digest="c3" * 32),
    )
    return freeze(msgspec.structs.replace(document, **changes))


def worst_return() -> ReturnDocument:
    """Unsigned, vetoed, closed late, under a test clock, second version: all a head may have to say."""
    base = sample_return()
    veto = Veto(incident=entry_id(900001), cause="concealed")
    return sample_return(
        sign_off=None,
        closed_late=True,
        test_clock=True,
        provisional_years=(2027,),
        version=2,
        previous_digest="a7" * 32,
        reason="补录9月24日晚餐留样",
        made_at=datetime(2026, 10, 2, 1, 30, tzinfo=UTC),
        score=msgspec.structs.replace(base.score, veto=(veto,), grade="不合格"),
    )


def sloppy_return() -> ReturnDocument:
    """Unsigned, everything that has a ledger missed, late and backfilled all quarter long, a cause to each of it."""
    base = worst_return()
    lines = [line.id for group in base.score.groups for line in group.lines if line.status != "no-ledger"]
    excused = {"T1", "T3", "T4", "T5", "T6"}
    days = [date(2026, 9, 1) + timedelta(days=n) for n in range(30)]
    exceptions = tuple(
        Exceptional(line=line, kind=kind, occurrence=f"{day}/{unit}", due_on=day, unit=unit)
        for line in lines
        if line not in excused
        for at, kind in enumerate(("missed", "late", "backfilled"))
        for day in days[at::4]
        for unit in (("一(1)班", "二(2)班", "三(3)班", "四(1)班") if line.startswith("education") else ("",))
    )
    cause = "本月人员变动频繁，交接不清，登记不及时，已安排专人负责并每日核对台账，下季度起按周通报。" * 3
    again = tuple(
        msgspec.structs.replace(item, id=entry_id(900010 + n))
        for n, item in enumerate(base.incidents + base.incidents)
    )
    return msgspec.structs.replace(
        base,
        exceptions=exceptions,
        causes=tuple(Cause(line=line, text=cause) for line in lines),
        incidents=again,
        version=1,
        reason="",
        previous_digest=None,
        test_clock=False,
        closed_late=False,
        provisional_years=(),
    )
