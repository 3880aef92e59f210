"""Which code page of before Unicode a text is in, told by the letters that a language has.

A page that is wrong turns letters into signs, puts capitals into the middle of words, and mixes letters that no
language has together.  So each language votes for its page, and the one whose letters are there wins.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

_TYPOGRAPHY = "’‘“”„–—…«»°\xa0"
_CYRILLIC = "cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic"
_CENTRAL = "cp1250", "iso8859_2"
_WESTERN = "cp1252", "cp850", "mac_roman"
_CASELESS_SIGNS = "、。，．！？：；「」『』（）《》“”‘’…—・〜～ー　"
_HIRAGANA = "".join(map(chr, range(0x3041, 0x3097)))
# accents, points and vowels that are characters of their own
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
# what stands within a word in no language
_IN_WORD = re.compile(rf"(?<=[^\W\d_])[^\w\s'’\-·.,:;!?…()\[\]/&*“”\"{_MARKS}](?=[^\W\d_])")
# nor so many letters beyond ASCII in a row in a language of Latin letters
_RUN = re.compile(r"(?:(?![\x00-\x7f])[^\W\d_]){3}")
# and letters of two alphabets in a word in none
_MIXED = re.compile(r"[a-zA-Z](?![\x00-\x7f])[^\W\d_]|(?![\x00-\x7f])[^\W\d_][a-zA-Z]")
_THAI = re.compile(rf"{_MIXED.pattern}|(?<![ก-ฮะ-ู็-๎])[ัิ-ฺ็-๎]|[฿๏-๛]")  # a vowel's sign stands at a consonant
_KANJI = re.compile("[一-龥]{6}")  # without a kana between them
_LOOKED_AT = 20_000  # bytes, of lines that hold more than ASCII


@dataclass(frozen=True)
class Language:
    """What tells a language.

    Attributes:
        pages: that it is written in, the most usual first.
        usual: characters beyond ASCII that it is full of.
        other: further ones of its own, as ranges of a regular expression's class.
        odd: what its words do not have.
        worth: of one of the further characters, against 1 for a usual one.
    """

    pages: tuple[str, ...]
    usual: str
    other: str = ""
    odd: re.Pattern[str] = _MIXED
    worth: float = 0.55


def _latin(pages: tuple[str, ...], letters: str) -> Language:
    return Language(pages, letters + letters.upper().replace("SS", "") + _TYPOGRAPHY, odd=_RUN)


# the first of equals wins
LANGUAGES = (
    *(_latin(_WESTERN, letters) for letters in ("éèêëàâçîïôûùüœæ", "äöüßé", "áéíóúñü¿¡ç", "áâãàçéêíóôõúü", "àèéìíòóù")),
    *(_latin(_WESTERN, letters) for letters in ("åäöéæøü", "áéíóúýþðæö", "éèëïöüáóí")),
    _latin(_CENTRAL, "ąćęłńóśźż"),
    _latin(_CENTRAL, "áčďéěíňóřšťúůýž"),
    _latin(_CENTRAL, "áäčďéíĺľňóôŕšťúýž"),
    _latin(_CENTRAL, "áéíóöőúüű"),
    _latin(_CENTRAL, "ăâîşţ"),
    _latin(_CENTRAL, "čćđšž"),
    _latin(("cp1254", "iso8859_9"), "çğıöşüâîİ"),
    _latin(("cp1257",), "ąčęėįšųūž"),
    _latin(("cp1257",), "āčēģīķļņšūž"),
    _latin(("cp1257",), "äöõüšž"),
    _latin(("cp1258",), "ăâđêôơưàáèéìíòóùúýãõ\u0300\u0301\u0303\u0309\u0323"),
    Language(_CYRILLIC, "оеаинтсрвлкмдпуяыьгзбчйхжшюОНПЯТЧВДКМАС", "А-яЁёЄєІіЇїЎўЂ-Џђ-џ№" + _TYPOGRAPHY),
    Language(("cp1253", "iso8859_7"), "αοιετσνηυρπκμλςάέήίόώωγθχδβξφ", "Ά-ώ" + _TYPOGRAPHY),
    Language(("cp1255",), "יוהלאתרבמנשדכםקחפעגטןזצסךףץ", "\u05b0-\u05f4" + _TYPOGRAPHY),
    Language(("cp1256",), "اليمنوترعبدسكهفحقأجخشصءةىطضغذزثإآئ،؟", "\u0600-\u06ff" + _TYPOGRAPHY),
    Language(("cp874",), "านรอกเงมยลวดทส่้ตะ็ปบคหัีใไิแจขพโืุู", "\u0e01-\u0e5b", odd=_THAI, worth=0.3),
    Language(
        ("cp932", "euc_jp"),
        "".join(map(chr, range(0x3041, 0x3097))) + _CASELESS_SIGNS,
        "ァ-ヺ一-龥",
        odd=_KANJI,
        worth=0.8,
    ),
    Language(
        ("gb18030",),
        "的一是不了人我在有他这么你们来到说大地要就出会可也对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去"
        "法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实好吗吧呢谢请见什为爱再跟很"
        + _CASELESS_SIGNS,
        "一-龥",
        worth=0.7,
    ),
    Language(
        ("big5",),
        "的一是不了人我在有他這麼你們來到說大地要就出會可也對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經去"
        "法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實嗎吧呢謝請見什為愛再跟很"
        + _CASELESS_SIGNS,
        "一-龥",
        worth=0.7,
    ),
    Language(
        ("cp949",),
        "이다는을에가하고지도의를은로서한사자어나기아리있그시라해것수만들일여정인과게보제주대안부없않내거네우요야오너"
        "면때말왜습니까세용미당신또" + _CASELESS_SIGNS,
        "가-힣",
    ),
)


def found_page(data: bytes) -> str | None:
    """The page, by Python's name; None where no language has these letters."""
    best, page, data = 0.0, None, _part(data)
    for language in LANGUAGES:
        for name in language.pages:
            score = _score(data, name, language)
            if score > best + 1e-9:
                best, page = score, name
    return page


def _part(data: bytes) -> bytes:
    """Its first lines that hold more than ASCII."""
    found, size = [], 0
    for line in data.splitlines():
        if not line.isascii() and size < _LOOKED_AT:
            found.append(line)
            size += len(line)
    return b"\n".join(found)


def is_western(page: str) -> bool:
    """Whether it is the page of Western Europe, which half of all old files are in and nobody needs to be told of."""
    return page == "cp1252"


def _score(data: bytes, page: str, language: Language) -> float:
    """How well the text fits: 1 where every character beyond ASCII is one that the language is full of."""
    try:
        text = data.decode(page)
    except UnicodeError:
        return -1.0
    beyond = [c for c in text if c > "\x7f"]
    if not beyond:
        return -1.0
    usual = set(language.usual)
    other = re.compile(f"[{language.other}]") if language.other else None
    odd = len(_IN_WORD.findall(text)) + _capitals(text) + len(language.odd.findall(text))
    return (_worth(beyond, usual, other, language.worth) - 2 * odd) / len(beyond)


def _worth(beyond: Iterable[str], usual: set[str], other: re.Pattern[str] | None, worth: float) -> float:
    return sum(1.0 if c in usual else worth if other and other.match(c) else -1.5 for c in beyond)


def _capitals(text: str) -> int:
    """Capitals after a small letter of a word, where one of both is beyond ASCII."""
    pairs = itertools.pairwise(text)
    return sum(a.islower() and b.isupper() and not (a.isascii() and b.isascii()) for a, b in pairs)
