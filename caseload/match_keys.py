"""What a person is recognised by in another organisation's record: names as words and as they sound, dates and numbers as they compare.

Made here, because sound and script need Python; compared in the database by `caseload_known_elsewhere` (migration 0010), because only
there may two organisations' records meet. Pure: text in, words out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from caseload.dataset.transforms import postcode_district
from caseload.search import digits, name_words

MOST_WORDS = 6
LONGEST_WORD = 40
# They come and go in spelling, so they are no part of the name; Mac, Mc, O, Fitz, Al and El belong to the word behind them.
_LEFT_OUT = frozenset(
    ("ul", "ur", "bin", "ibn", "bint", "binti", "ap", "ab", "de", "da", "do", "dos", "di", "la", "le", "van", "von", "der", "den")
)  # fmt: skip
# So many sons of one family bear them that they tell nobody apart where another name stands beside them.
_OF_MANY = frozenset({"mohammed", "abdul"})
_JOINED = frozenset({"mac", "mc", "o", "fitz", "al", "el"})
_MAC = re.compile(r"^mac(?=[a-z]{4})")
# The article, which is written apart, with a hyphen, as one word or not at all.
_AL = re.compile(r"^[ae]l(?=[^aeiouy][a-z]{3})")
_FULL_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}")
# NHS's own codes for no fixed abode and for not known are nobody's place.
_NO_PLACE = "ZZ99"

# One name under several spellings or short forms that no rule of sound brings together; the first stands for all.
_ONE_NAME = """
mohammed muhammad mohamed mohammad muhammed mohamad muhamad mohamud mohd muhd md mehmet
ahmed ahmad ahmet ahmadi
hussain hussein husain husayn hossain hosain hussien
hassan hasan hassen
yusuf yousef youssef yousuf josef yousif
ibrahim ebrahim ibraheem
abdullah abdallah abdulla
khadija khadijah khadeeja hadija
aisha ayesha aysha aishah aicha
fatima fatimah fatema fatma
omar umar omer
othman osman usman uthman
jamal gamal djamal
noor nur nour
begum begom
khatun khatoon
chowdhury choudhury chaudhry chowdhry chaudhary choudhry
miah mia miya
ullah ulla
uddin udin
siddique siddiq siddiqui siddiky
william will bill billy liam willie
robert rob bob bobby robbie
richard rick dick ricky richie
michael mike mick mickey micky michal
thomas tom tommy thos
james jim jimmy jamie
john johnny jon jonny
joseph joe joey
edward ed eddie ted teddy ned
david dave davey dai dafydd
daniel dan danny
matthew matt matty mateusz matheus
christopher chris kit christine christina
anthony tony antony
andrew andy andrzej
peter pete piotr
paul pawel pavel
gregory greg grzegorz grzesiek
stephen steven steve stevie
nicholas nick nicky nicolas
samuel sam sammy samantha
benjamin ben benny
alexander alex alec sandy alexandra
patrick paddy padraig pat
martin marty
margaret maggie peggy meg marged
elizabeth liz lizzie beth betty elisabeth eliza elzbieta
catherine cathy kate katie katherine kathryn cath
bridget biddy breda bridie brigid
kathleen kathy kath cathleen
mary mairi maire
rebecca becky becca rebekah
jennifer jenny jen
susan sue susie
deborah debbie debra
patricia trish tricia
theresa teresa tess terri
victoria vicky vicki viktoria
jacqueline jackie jacqui
sean shaun shawn
ian iain
geoffrey jeffrey geoff jeff
philip phillip phil
alan allan allen
rhys rees reece reese
ieuan ifan evan
llewelyn llywelyn llewellyn lewellyn
gruffydd gruffudd griffith griff
hywel howell howel
catrin kathrin cadi
katarzyna kasia
malgorzata gosia
agnieszka aga
aleksander olek
aleksandra ola
jakub kuba
yaqub yakub yaqoob yacub
tomasz tomek
krzysztof krzysiek
wojciech wojtek
joanna asia
magdalena magda
maciej maciek
jan janek
stanislaw staszek
mcdonagh mcdonough mcdonogh
doherty dougherty docherty dogherty
maughan maughn mawn maugham
connors oconnor oconnors
karim kareem
tariq tarek tarik tareq
khalid khaled
salim saleem selim
rashid rasheed
walid waleed
layla leila leyla laila
maryam mariam miriam maryan
mahmoud mahmud mahmood
suleiman sulayman soliman sulaiman
mansour mansur mansoor
zainab zaynab zeinab
yasmin yasmeen jasmin jasmine
faruk farooq faruq
shahid shaheed
saeed said sayeed sayed
nadeem nadim
rahman rehman
stuart stewart
graham graeme grahame
clare claire
tracey tracy tracie
neil neal niall
glen glenn
leanne leeanne
huw hugh
luis luiz louis
sian shan
amy aimee
sara sarah
ann anne anna
lucas lukas lukasz
quilligan culligan
reilly riley oreilly
"""
_CANONICAL: dict[str, str] = {}
for _line in _ONE_NAME.split("\n"):
    for _word in _line.split():
        _CANONICAL.setdefault(_word, _line.split()[0])

# Spellings of one sound within a word: Callum, Calum; Paweł, Pavel; Kareem, Karim. What is compared is folded by these.
_SPELLINGS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"krz|prz|trz", "ksh"),
        (r"sch|sz", "sh"),
        (r"cz|tch", "ch"),
        (r"ph|ff", "f"),
        (r"ck|q|kh", "k"),
        (r"th", "t"),
        (r"dh", "d"),
        (r"bh", "b"),
        (r"c(?=[eiy])", "s"),
        (r"c(?!h)", "k"),
        (r"w", "v"),
        (r"z", "s"),
        (r"x", "ks"),
        (r"ee|ea|ie(?=[^aeiouy])", "i"),
        (r"oo|ou", "u"),
        (r"ay|ai|ei|ey(?=.)", "e"),
        (r"(?<=.)y", "i"),
        (r"(?<=[aeiou])h(?![aeiouy])", ""),
        (r"(.)\1+", r"\1"),
    )
)
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^[kgp]n", "n"),
        (r"^wr", "r"),
        (r"(?<=[kpt])rz", "S"),
        (r"ngh", "ng"),
        (r"ough|augh", "o"),
        (r"(?<=[aeiouy])gh", ""),
        (r"gh", "g"),
        (r"tsch|tch|cz|ch", "C"),
        (r"sch|sh|sz", "S"),
        (r"rz|zh|dj|dzh|g(?=[eiy])", "j"),
        (r"kh|ck|q", "k"),
        (r"ph|ff", "f"),
        (r"th", "t"),
        (r"dh", "d"),
        (r"bh", "b"),
        (r"x", "ks"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"[aeo]w(?![aeiouy])", "o"),
        (r"w", "v"),
        (r"z", "s"),
        (r"(?<=[aeiouy])h(?![aeiouy])", ""),
        (r"(.)\1+", r"\1"),
    )
)
_START = re.compile(r"^([^aeiouy]*)([aeiouy]*)(.*)$")


def _canonical(word: str) -> str:
    return _CANONICAL.get(word) or _CANONICAL.get(_AL.sub("", word)) or _AL.sub("", word)


def spoken(word: str) -> str:
    """How a word sounds, whatever its spelling: the first vowel as low or round, and the consonants. Never empty for a word."""
    text = _canonical(word)
    if text[:1] == "y" and text[1:2] in "aeiou":
        text = f"j{text[1:]}"
    for pattern, sound in _SOUNDS:
        text = pattern.sub(sound, text)
    found = _START.match(text)
    if found is None:
        return text
    before, vowels, rest = found.groups()
    round_or_low = "" if not vowels else "u" if set(vowels) & {"o", "u"} else "a"
    return f"{before}{round_or_low}{re.sub('[aeiouy]', '', rest)}"


def folded(word: str) -> str:
    """The word in one spelling of its sounds; at least a letter of a word."""
    text = word
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text or word


def sound_key(word: str) -> str:
    """`spoken`, where it says enough to call two words the same name; '' where it would bring Dan and Dean together."""
    text = _canonical(word)
    if text in _CANONICAL:
        return f"={text}"
    key = spoken(word)
    return key if sum(c not in "au" for c in key) >= 3 else ""


def words_of(name: str) -> list[str]:
    """The words of a forename or a surname that are compared, in their order: without particles, Mac and O joined to what follows."""
    found: list[str] = []
    joined = ""
    for word in name_words(name):
        if word in _JOINED and len(found) < MOST_WORDS:
            joined += word
            continue
        found.append(_MAC.sub("mc", f"{joined}{word}")[:LONGEST_WORD])
        joined = ""
    found += [joined] if joined else []
    found = list(dict.fromkeys(found))
    return ([word for word in found if word not in _LEFT_OUT] or found)[:MOST_WORDS]


def is_nhs_number(text: str) -> bool:
    """Ten digits of which the last is the check digit (modulus 11)."""
    found = [int(c) for c in text]
    return (
        len(found) == 10
        and (11 - sum(d * w for d, w in zip(found, range(10, 1, -1), strict=False)) % 11) % 11 == found[9]
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """A client as they are compared. Nothing known is an empty list or text, or no date."""

    fore: list[str]
    fore_spelt: list[str]
    fore_sounds: list[str]
    sur: list[str]
    sur_spelt: list[str]
    sur_sounds: list[str]
    earlier: list[str]
    first: str
    full_name: str
    born: dt.date | None
    sex: str
    nhs: str
    postcode: str
    district: str


def keys_of(
    *,
    forename: str,
    surname: str,
    earlier_surnames: Iterable[str] = (),
    born: dt.date | None,
    sex: str,
    nhs_number: str,
    postcode: str,
) -> Keys:
    """What a client is compared by. An NHS number whose check digit is wrong is none; of a postcode of no place nothing is kept."""
    fore, sur = words_of(forename), words_of(surname)
    fore = [word for word in fore if _canonical(word) not in _OF_MANY] or fore[:1]
    nhs = digits(nhs_number)
    district = postcode_district(postcode)
    whole = re.sub(r"\s+", "", postcode).upper()
    no_place = whole.startswith(_NO_PLACE)
    return Keys(
        fore=fore,
        fore_spelt=[folded(word) for word in fore],
        fore_sounds=[sound_key(word) for word in fore],
        sur=sur,
        sur_spelt=[folded(word) for word in sur],
        sur_sounds=[sound_key(word) for word in sur],
        earlier=sorted(
            {folded(word) for name in earlier_surnames for word in words_of(name)} - {*map(folded, sur)}
        ),
        first=fore[0] if fore else "",
        full_name="+".join(sorted(spoken(word) for word in (*fore[:1], *sur[-1:]))),
        born=born,
        sex=sex if sex in {"M", "F"} else "",
        nhs=nhs if is_nhs_number(nhs) else "",
        postcode=whole if _FULL_POSTCODE.fullmatch(whole) and not no_place else "",
        district="" if no_place else district[:LONGEST_WORD],
    )
