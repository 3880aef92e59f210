"""Plain sentences about oneself, made from parts, for the text student: what a sitcom and comments seldom say.

A robot or a helpline hears "I feel awful today", "I am not happy", "ugh" or a lone emoji.  The corpora hold few of
them, and their negations keep the negated word's label.  Statements carry a label; what is negated, wished or only
imagined carries a distribution, by rule.  The sentences that the evaluation asks share no frame with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.training.datasets import UNLABELLED, Corpus, Sample
from emoje_edge.training.objective import Targets

FLOOR = 0.02  # of a class that a rule does not name


@dataclass(frozen=True)
class Words:
    """What one emotion is said with.

    Attributes:
        moods: after "I am".  events: what happened, as a sentence.  cries: alone or before anything.  emoji: likewise.
    """

    moods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    cries: tuple[str, ...] = ()
    emoji: str = ""
    verbs: tuple[str, ...] = field(default=())


def split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


WORDS: Mapping[str, Words] = {
    "anger": Words(
        split("angry|furious|mad|annoyed|irritated|pissed off|outraged|livid|fed up|frustrated|enraged|resentful"),
        split(
            "he lied to my face again|they stole my bike|you broke your promise|she keeps insulting me|he hit my car"
            "|they ignored everything that I said|you never listen to me|my boss blamed me for his mistake"
            "|somebody scratched my door on purpose|they cheated us|you ruined everything|he talks over me all the time"
            "|they made me wait for three hours|she went through my things|you had no right to do that"
        ),
        split(
            "damn it|how dare you|shut up|get out|leave me alone|enough|stop it|you idiot|grrr|what a jerk"
            "|to hell with it"
        ),
        "😠😡🤬👿😤",
        split("I hate|I can't stand|I am sick of|I have had it with"),
    ),
    "disgust": Words(
        split("disgusted|grossed out|nauseated|repulsed|sickened|appalled|revolted"),
        split(
            "the milk has gone sour and lumpy|there is mold all over the bread|somebody threw up on the seat"
            "|the sink is full of slimy hair|he picks his nose and eats it|the toilet has not been cleaned for months"
            "|there are maggots in the bin|his breath smells like rotten fish|I stepped in dog poop barefoot"
            "|the soup tasted like dirty socks|there was a cockroach in my food|he spat on the floor"
            "|the fridge reeks of old meat|she licked the plate of a stranger|the water was brown and stank"
        ),
        split(
            "yuck|eww|ew|gross|ugh, gross|that is disgusting|how revolting|blech|nasty|that stinks|so gross"
            "|yikes, nasty"
        ),
        "🤢🤮",
        split("I am repelled by|It turns my stomach, |It makes me sick, |I feel like throwing up from"),
    ),
    "fear": Words(
        split(
            "afraid|scared|terrified|frightened|worried|anxious|nervous|panicking|petrified|uneasy|alarmed|horrified"
        ),
        split(
            "somebody is following me|I heard footsteps in the empty house|the brakes are not working"
            "|the doctor wants to see me at once|a big dog is running toward us|the plane is shaking badly"
            "|I am trapped in here|there is smoke under the door|he has a knife|I think that they will fire me tomorrow"
            "|the child has not come home yet|something moved in the dark|I can not breathe in here"
            "|the ice is cracking under us|they might find us"
        ),
        split(
            "help|oh god, no|please don't hurt me|run|look out|watch out|oh no, oh no|don't leave me alone here|hide"
        ),
        "😱😨😰😧",
        split("I am afraid of|I dread|I am terrified of|It scares me,"),
    ),
    "joy": Words(
        split(
            "happy|glad|delighted|excited|thrilled|proud|grateful|cheerful|relieved|overjoyed|in love|pleased|ecstatic"
        ),
        split(
            "I got the job|we are going to have a baby|my team won the cup|she said yes|I passed my driving test"
            "|the sun is out and we are on holiday|my best friend is coming to visit|the tests came back clean"
            "|my daughter took her first steps|the party was wonderful|we finally moved into our own place"
            "|you made my day|the concert was amazing|they loved my cake|I finished my book at last"
        ),
        split(
            "yay|hooray|woohoo|haha|awesome|great|congratulations|thank you so much|I love it|well done|how lovely"
            "|yes, yes|cheers"
        ),
        "😂🤣😊😀😁😄😃😍🥰❤💕🎉👏🙌😎😘🤗✨💖",
        split("I love|I enjoy|I am looking forward to|I am so thankful for"),
    ),
    "neutral": Words(
        split(
            "at home|on the bus|ready|here|in the kitchen|thirty years old|back at four|a nurse|on my way|done with it"
        ),
        split(
            "the meeting starts at nine|I put the keys on the table|the shop closes at six|she lives in the next street"
            "|the bus stops at the corner|we need two more chairs|I will send you the file|the report has ten pages"
            "|turn left after the bridge|it is Tuesday today|my number ends with seven|he works in an office downtown"
            "|I usually take the stairs|the box is under the desk|the train leaves from platform two"
        ),
        split("okay|all right|I see|hello|yes|well|hmm|right|sure|good morning|one moment|let me see|maybe|so"),
        "😐😑🤔",
        split("I know|I am thinking about|I read about|I am waiting for"),
    ),
    "sadness": Words(
        split(
            "sad|lonely|depressed|heartbroken|miserable|hopeless|disappointed|hurt|sorry|down|devastated|unhappy"
            "|worthless"
        ),
        split(
            "my cat died this morning|she left me|I lost my job|nobody came to my birthday|I failed the exam again"
            "|my grandmother is very ill|we had to sell the house|he does not love me any more|I cry every night"
            "|they forgot about me|I miss my father so much|our dog had to be put down|I have no friends here"
            "|I buried my brother today|everything that I try goes wrong"
        ),
        split(
            "oh no|I'm so sorry|poor thing|what a pity|alas|I miss you|I give up|it's hopeless|sniff|I can't go on"
            "|too bad"
        ),
        "😢😭😔😞☹🙁💔😿😥",
        split("I miss|I regret|I am mourning|I long for"),
    ),
    "surprise": Words(
        split("surprised|amazed|shocked|stunned|astonished|speechless|startled|taken aback|baffled"),
        split(
            "you are getting married|he just walked through the wall|they gave us the whole building"
            "|it is your twin sister"
            "|the tickets cost nothing|you speak Chinese|she is ninety years old|all of it is gone|he is the boss now"
            "|there is a pony in the living room|you knew it all along|my phone was in the freezer"
            "|that was you on television|it snowed in July|you came all the way from Peru"
        ),
        split(
            "wow|what|oh my god|no way|really|you're kidding|are you serious|whoa|my goodness|what the|since when"
            "|holy cow"
        ),
        "😮😲😯🤯😳",
        split("I can't believe|I did not expect|I never thought about|Who would have thought of"),
    ),
}
_THINGS = split(
    "this|that smell|my neighbours|the noise|that film|the dark|my old school|this city|her cooking|his jokes|mondays"
    "|that song|the weather|my new room|what they did|hospitals|the news|spiders|my family|this game"
)
_MOOD = split(
    "I am {}|I'm {}|I feel {}|I feel so {}|I am really {} right now|I was {} all day|honestly, I'm {}|this makes me {}"
    "|we are all {}|I've been {} since yesterday|I am so {} about {thing}|it left me {}|I'm getting {}"
)
_EVENT = split("{}|oh, {}|can you imagine, {}|listen, {}|today {}|I just found out that {}|and then {}|well, {}")
_SURE = split("{}|{}|what? {}|wow, {}|no way, {}|wait, {}|you mean {}")
_NOT = split(
    "I am not {}|I'm not {} at all|I don't feel {}|I am no longer {}|I was never {}|nobody here is {}"
    "|it does not make me {}"
    "|I wouldn't say that I'm {}|I'm anything but {}|why would I be {}|we are not {} any more|who says that I am {}"
    "|I am hardly {}|I have no reason to be {}|there is nothing here to be {} about|neither of us is {}"
    "|I can't say I'm {}|I don't think I am {}|he isn't {} either|far from {}|that never made me {}"
    "|you'd think I'm {}, but no"
    "|I stopped being {} long ago|not {}, no|none of us were {}|it isn't that I'm {}|I don't get {} easily"
    "|she didn't look {} to me|I am too tired to be {}|not one bit {}|without being {}|I could hardly be called {}"
)
# events and acts denied: what did not happen moves nobody
_DENIED = split(
    "I didn't cry|nobody shouted|he never hit anyone|we haven't won anything|I'm not going to scream"
    "|there was no accident|nobody died|I didn't win|she didn't say yes|it doesn't hurt|I don't miss it"
    "|there is nothing to fear here|no one is following us|it doesn't smell at all|the food was not bad"
    "|I wasn't expecting more|it's no surprise to me|I saw that coming|I don't mind the noise|nothing to laugh about"
    "|I can't complain|he did not lie|they have not hurt us|I don't love it|it's nothing to celebrate"
    "|that's not funny to me|I have no complaints|it was not your fault|no need to worry"
)
_IF = split(
    "I would be {} if I were you|if it were true I would be {}|I wish I were {}|one day I may be {}|are you {}"
    "|he asked whether I was {}|she thinks that I am {}|I used to be {}|people say he was {}|don't be {}"
)
# what is asked of a robot, a nurse or a neighbour all day: nobody who says it is afraid
_ASKED = split(
    "close the door|sit down|wait here|call me tomorrow|bring me a glass of water|pass the salt|turn on the light"
    "|sign this form|hold this for a second|help yourself|help me with the dishes|help me carry the box|come in"
    "|be careful with that vase|watch the step|run the test once more|open the window|take a seat|give me a hand"
    "|tell me your name|follow me|write it down|take the next left|put it over there|wake me at seven|read it aloud"
    "|look at the next page|leave it on the table|move a little to the side|show me the way to the station"
    "|ask her about it|keep the receipt|don't worry about the bill|don't forget the keys|stop at the corner"
)
_REQUEST = split(
    "please {}|{}, please|could you please {}|can you {}|would you {}|{}|just {}|please {} now|you can {}|and then {}"
    "|I'd like you to {}|they told me to {}|will you {} for me"
)
_STILL = {"joy": ("I couldn't be more {}", "I have never been so {}", "I am not just {}, I'm over the moon")}
_STILL["anger"] = ("I couldn't be more {}", "I have never been so {}", "it's not that I'm {}, I'm boiling")
_STILL["sadness"] = ("I couldn't be more {}", "I have never been so {}", "I can't stop being {}")
_STILL["fear"] = ("I couldn't be more {}", "I have never been so {}", "I can't help being {}")
_CALM = {"neutral": 0.72, "joy": 0.16, "sadness": 0.06}
_UNHAPPY = {"sadness": 0.42, "neutral": 0.34, "anger": 0.16}

Line = tuple[str, dict[str, float]]


def sentences(count: int, *, seed: int) -> tuple[Corpus, Targets]:
    """`count` sentences of their own dialogue each: statements are labelled, all have a distribution in the targets."""
    g = np.random.default_rng(seed)
    kinds = (_statement, _statement, _thing, _negated, _negated, _imagined, _cry, _emoji, _request)
    lines = [kinds[int(g.integers(len(kinds)))](g) for _ in range(count)]
    samples = tuple(
        Sample(f"plain{i}", 0, _label(shares), text=_mark(text, g), source=f"plain sentence {i}")
        for i, (text, shares) in enumerate(lines)
    )
    logits = torch.tensor([[shares.get(name, FLOOR) for name in EMOTIONS] for _, shares in lines])
    logits = logits.reshape(count, len(EMOTIONS)).log()
    rows = {f"plain/{s.uid}": i for i, s in enumerate(samples)}
    return Corpus("plain", EMOTIONS, samples), Targets(rows, logits)


def _label(shares: dict[str, float]) -> int:
    best = max(shares, key=shares.__getitem__)
    return EMOTIONS.index(best) if shares[best] > 0.8 else UNLABELLED


def _any(g: np.random.Generator, options: tuple[str, ...] | str) -> str:
    return options[int(g.integers(len(options)))]


def _emotion(g: np.random.Generator) -> tuple[str, Words]:
    name = _any(g, EMOTIONS)
    return name, WORDS[name]


def _statement(g: np.random.Generator) -> Line:
    name, words = _emotion(g)
    if g.random() < 0.45 and name != "neutral":
        return _any(g, _MOOD).format(_any(g, words.moods), thing=_any(g, _THINGS)), {name: 0.9}
    frame = _any(g, _SURE if name == "surprise" else _EVENT)
    text = frame.format(_any(g, words.events))
    cry = f"{_any(g, words.cries)}, " if g.random() < 0.2 else ""
    return cry + text, {name: 0.9}


def _thing(g: np.random.Generator) -> Line:
    name, words = _emotion(g)
    return f"{_any(g, words.verbs)} {_any(g, _THINGS)}", {name: 0.9}


def _negated(g: np.random.Generator) -> Line:
    name = _any(g, ("joy", "joy", "anger", "fear", "sadness", "disgust", "surprise"))
    mood = _any(g, WORDS[name].moods)
    if g.random() < 0.15:
        return _any(g, _DENIED), _CALM
    if name in _STILL and g.random() < 0.15:
        return _any(g, _STILL[name]).format(mood), {name: 0.9}
    return _any(g, _NOT).format(mood), _UNHAPPY if name == "joy" else _CALM


def _imagined(g: np.random.Generator) -> Line:
    name = _any(g, ("joy", "anger", "fear", "sadness", "disgust", "surprise"))
    return _any(g, _IF).format(_any(g, WORDS[name].moods)), {"neutral": 0.7, name: 0.12, "sadness": 0.12}


def _request(g: np.random.Generator) -> Line:
    return _any(g, _REQUEST).format(_any(g, _ASKED)), {"neutral": 0.85}


def _cry(g: np.random.Generator) -> Line:
    name, words = _emotion(g)
    return _any(g, words.cries), {name: 0.9}


def _emoji(g: np.random.Generator) -> Line:
    """Alone, several, or after a plain statement, whose emotion it then tells."""
    name, words = _emotion(g)
    some = _any(g, words.emoji) * int(g.integers(1, 4))
    return (f"{_any(g, WORDS['neutral'].events)} {some}" if g.random() < 0.6 else some), {name: 0.9}


def _mark(text: str, g: np.random.Generator) -> str:
    if not text[-1].isalpha():
        return text
    return text[0].upper() + text[1:] + _any(g, (".", ".", ".", "", "!"))
