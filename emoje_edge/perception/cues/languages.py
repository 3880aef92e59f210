"""Names of languages as they stand in file names: `talk.en.srt`, `talk.pt-BR.srt`, `talk.german.srt`.

A list and no pattern: `talk.new.srt`, `talk.raw.srt` and `talk.day.srt` are other videos' or older subtitles.
"""

from __future__ import annotations

import re

from emoje_edge.perception.cues.raw_cue import words

ENGLISH = frozenset({"en", "eng", "english"})
# ISO 639-1
_TWO = words(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el "
    "en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu "
    "iw ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my "
    "na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn "
    "so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
# ISO 639-2 of those that subtitles are in; `new`, `day`, `bak`, `sun` and the like are words as well
_THREE = words(
    "afr alb amh ara arm aze baq bel ben bos bul bur cat ces chi cmn cym cze dan deu dut ell eng epo est eus fas fil "
    "fin fra fre geo ger gle glg gre guj hau heb hin hrv hun hye ice ind isl ita jav jpn kan kat kaz khm kor kur lao "
    "lat lav lit ltz mac mal mao mar may mkd mlt mon mri msa mya nep nld nno nob nor pan per pol por pus ron rum rus "
    "scc scr sin slk slo slv som spa sqi srp swa swe tam tel tgl tha tur ukr und urd uzb vie wel yor yue zho zul"
)
_NAMES = words(
    "english german deutsch french francais français spanish espanol español italian italiano portuguese portugues "
    "português dutch nederlands polish polski russian chinese japanese korean arabic hindi turkish swedish danish "
    "norwegian finnish greek czech hungarian hebrew romanian bulgarian ukrainian vietnamese thai indonesian croatian "
    "serbian castilian latin brazilian mandarin cantonese persian farsi"
)
_SUBTAG = re.compile(r"[a-z0-9]{1,16}", re.IGNORECASE)


def is_language(tag: str) -> bool:
    """Whether it is a language as in BCP 47 (en, pt-BR, zh-Hans, es-419, en-orig), or a language's name."""
    first, *others = re.split("[-_]", tag.casefold())
    return first in _TWO | _THREE | _NAMES and all(map(_SUBTAG.fullmatch, others))


def is_english(tag: str) -> bool:
    """Whether that language is English."""
    return re.split("[-_]", tag.casefold())[0] in ENGLISH
