"""Invented names of people."""

import random

SURNAMES = (
    "陈林黄周吴徐孙马朱胡郭何高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢"
    "姜崔钟谭陆汪范廖石金韦贾夏付方邹熊白孟秦"
)
GIVEN = (
    "慧敏",
    "国强",
    "秀兰",
    "志远",
    "雅婷",
    "建华",
    "晓燕",
    "文博",
    "丽娟",
    "海峰",
    "春梅",
    "俊杰",
    "思雨",
    "德明",
    "玉珍",
    "家豪",
    "静怡",
    "永福",
    "小芳",
    "立新",
    "佳琪",
    "光明",
    "红霞",
    "子轩",
    "美玲",
    "卫东",
    "淑芬",
    "明哲",
    "欣然",
    "长根",
    "巧云",
    "宏伟",
    "若兰",
    "振国",
    "冬梅",
    "一鸣",
    "桂英",
    "少华",
    "雪莲",
    "江涛",
    "芷晴",
    "大勇",
    "月娥",
    "书豪",
    "婉清",
    "世杰",
    "金凤",
    "天成",
)


class Names:
    """Names, each given once as long as they last."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"{seed}:names")  # noqa: S311
        self._given: set[str] = set()

    def next(self) -> str:
        for _ in range(50):
            name = self._random.choice(SURNAMES) + self._random.choice(GIVEN)
            if name not in self._given:
                break
        self._given.add(name)
        return name
