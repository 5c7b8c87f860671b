"""Invented pairs of registrations: half are one person written down twice, half are two people. Seeded; nobody in it exists.

Written without a look at the rules that compare: what goes wrong is drawn by its own chance, several things at once, and the people who are
hard to tell apart (twins, father and son, bearers of a common name born in one year) make up most of the different half.
"""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

_FIRST_BIRTHDAY, _DAYS = dt.date(1955, 1, 1), 52 * 365

_NAMES = Path(__file__).parents[1] / "data" / "same_person_names.toml"
_OF_WOMEN = {"Begum", "Khatun", "Khanom", "Bibi"}
# Half of the English have a surname that few bear.
_STEMS = """
Ash Black Brad Brook Burn Cald Carl Clay Cold Cran Dal Den East Elm Ever Fair Farn Fen Gold Gran Green Hart Haw Hazel Hol Hurst Kel Kirk
Lang Lin Long Mar Mel Mid Mor New Nor Oak Oat Pem Pres Ran Red Rock Rose Rush Sand Shaw Shel South Stan Stock Sut Swin Thorn Wake Wal War
Wes Whit Win Wood York
"""
_ENDS = "ford ley ton well worth by ham wood field den combe cott burn stead gate shaw bridge hurst"


@dataclass(frozen=True)
class People:
    """Names that go together; `variants` are what a name is also written as, `twins` pairs of like names that parents give."""

    share: int
    men: tuple[str, ...]
    women: tuple[str, ...]
    surnames: tuple[str, ...]
    variants: tuple[tuple[str, ...], ...]
    twins: tuple[tuple[str, ...], ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in text.split())


@cache
def peoples() -> dict[str, People]:
    """By name."""
    rare = tuple(f"{stem}{end}" for stem in _words(_STEMS) for end in _words(_ENDS))
    return {
        name: People(
            share=given["share"],
            men=_words(given["men"]),
            women=_words(given["women"]),
            surnames=_words(given["surnames"]) + (rare if name == "english" else ()),
            variants=tuple(_words(line) for line in given["variants"].strip().splitlines()),
            twins=tuple(_words(line) for line in given["twins"].strip().splitlines()),
        )
        for name, given in tomllib.loads(_NAMES.read_text("utf-8")).items()
    }


@dataclass(frozen=True)
class Registered:
    """A person as one registration says it."""

    people: str
    forename: str
    surname: str
    born: dt.date
    sex: str
    postcode: str
    nhs_number: str


@dataclass(frozen=True)
class Pair:
    """Two registrations, whether they are one person, and how they came about."""

    one: Registered
    other: Registered
    same: bool
    how: tuple[str, ...]


def pairs(number: int, seed: int) -> Iterator[Pair]:
    """As many pairs, every second of one person."""
    maker = _Maker(random.Random(seed))
    for turn in range(number):
        yield maker.same() if turn % 2 == 0 else maker.different()


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.numbers = count(chance.randrange(10_000_000))
        # Two thirds live in 400 postcodes of 40 districts: towns, hostels.
        self.districts = [f"{area}{n}" for area in ("CM", "CO", "SS", "RM", "IG") for n in range(1, 9)]
        self.places = [self._new_postcode() for _ in range(400)]

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def pick(self, names: tuple[str, ...]) -> str:
        """The first are frequent, as names are."""
        weights = [1 / (rank + 3) for rank in range(len(names))]
        return self.chance.choices(names, weights)[0]

    # ---- a person -------------------------------------------------------------------------------------------

    def person(self, people: str = "", sex: str = "") -> Registered:
        known = peoples()
        people = people or self.chance.choices(list(known), [p.share for p in known.values()])[0]
        sex = sex or ("M" if self.happens(0.66) else "F")
        return Registered(
            people,
            self.forename(people, sex),
            self.surname(people, sex),
            self.birthday(people),
            sex,
            self.postcode(),
            self.nhs_number(),
        )

    def forename(self, people: str, sex: str) -> str:
        known = peoples()[people]
        return self.pick(known.men if sex == "M" else known.women)

    def surname(self, people: str, sex: str) -> str:
        if people == "punjabi" and self.happens(0.4):
            return "Singh" if sex == "M" else "Kaur"
        return self._as_borne(people, sex, self.pick(peoples()[people].surnames))

    @staticmethod
    def _as_borne(people: str, sex: str, name: str) -> str:
        """As a man or a woman bears it."""
        if people == "bengali" and sex == "M" and name in _OF_WOMEN:
            return "Ahmed"
        return f"{name[:-1]}a" if sex == "F" and people == "polish" and name.endswith("ski") else name

    def birthday(self, people: str) -> dt.date:
        day = _FIRST_BIRTHDAY + dt.timedelta(days=self.chance.randrange(_DAYS))
        # Who came without papers is often written down as born on 1 January.
        return day.replace(month=1, day=1) if people == "arabic" and self.happens(0.1) else day

    def _new_postcode(self) -> str:
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        return f"{self.chance.choice(self.districts)} {self.chance.randrange(1, 10)}{''.join(self.chance.choices(letters, k=2))}"

    def postcode(self) -> str:
        return self.chance.choice(self.places) if self.happens(0.66) else self._new_postcode()

    def nhs_number(self) -> str:
        """Of the range that is never given out (999), with its check digit; each once."""
        while True:
            nine = f"999{next(self.numbers) * 7919 % 1_000_000:06d}"
            check = (11 - sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11) % 11
            if check != 10:
                return f"{nine}{check}"

    # ---- one person, twice ----------------------------------------------------------------------------------

    def same(self) -> Pair:
        person = self.person()
        other, how = person, []
        while not how:
            other, how = self._again(person)
        one = replace(person, nhs_number=person.nhs_number if self.happens(0.5) else "")
        return Pair(one, other, True, tuple(how))

    def _again(self, person: Registered) -> tuple[Registered, list[str]]:
        other, how = person, []

        def change(name: str, share: float, **fields: str | dt.date) -> None:
            nonlocal other
            if any(getattr(other, field) != value for field, value in fields.items()) and self.happens(share):
                other = replace(other, **fields)  # type: ignore[arg-type]  # fields of the class
                how.append(name)

        change("transliteration", 0.3, forename=self._variant(person.people, person.forename))
        change("transliteration", 0.3, surname=self._variant(person.people, person.surname))
        change(
            "changed surname",
            0.08 if person.sex == "F" else 0.01,
            surname=self.surname(person.people, person.sex),
        )
        change("double surname", 0.02, surname=f"{other.surname}-{self.surname(person.people, person.sex)}")
        change("middle name", 0.05, forename=f"{other.forename} {self.forename(person.people, person.sex)}")
        change("typo", 0.1, forename=self._typo(other.forename))
        change("typo", 0.1, surname=self._typo(other.surname))
        change("swapped names", 0.03, forename=other.surname, surname=other.forename)
        if person.born.day <= 12:
            change(
                "swapped date", 0.06, born=person.born.replace(month=person.born.day, day=person.born.month)
            )
        change("digit slip", 0.03, born=self._slip(other.born))
        change("moved", 0.4, postcode=self.postcode())
        change("half a postcode", 0.08, postcode=other.postcode.split()[0])
        change("no postcode", 0.08, postcode="")
        change("no sex", 0.02, sex="")
        change("wrong sex", 0.004, sex="F" if other.sex == "M" else "M")
        change("no NHS number", 0.5, nhs_number="")
        return other, how

    def _variant(self, people: str, name: str) -> str:
        """Another spelling of one of its words, or the name without its accents."""
        for spellings in peoples()[people].variants:
            for spelling in spellings:
                if spelling in name.split():
                    others = [s for s in spellings if s != spelling]
                    return " ".join(self.chance.choice(others) if w == spelling else w for w in name.split())
        return name.translate(str.maketrans("łŁąćęńóśźżãáâçéêíóôõú", "lLacenoszzaaaceeiooou"))

    @staticmethod
    def _one_name(people: str, one: str, other: str) -> bool:
        """No parents call twins John and Johnny."""
        return any({one, other} <= set(spellings) for spellings in peoples()[people].variants)

    def _typo(self, name: str) -> str:
        at = self.chance.randrange(1, len(name)) if len(name) > 1 else 0
        if self.happens(0.06):
            at = 0
        kind = self.chance.choice(("drop", "double", "other", "swap", "insert"))
        letter = self.chance.choice("abcdefghijklmnoprstuvwy")
        if kind == "drop" and len(name) > 3:
            return name[:at] + name[at + 1 :]
        if kind == "double":
            return name[:at] + name[at] + name[at:]
        if kind == "other":
            return name[:at] + letter + name[at + 1 :]
        if kind == "insert":
            return name[:at] + letter + name[at:]
        at = min(at, len(name) - 2)
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]

    def _slip(self, born: dt.date) -> dt.date:
        """One digit of the date is another, or two neighbours are in each other's place."""
        while True:
            text = f"{born:%d%m%Y}"
            at = self.chance.choice((0, 1, 2, 3, 6, 7))
            if self.happens(0.25):
                at = self.chance.choice((0, 2, 6))
                text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            else:
                text = text[:at] + self.chance.choice("0123456789") + text[at + 1 :]
            try:
                slipped = dt.datetime.strptime(text, "%d%m%Y").date()  # noqa: DTZ007  # a date
            except ValueError:
                continue
            if slipped != born and slipped.year < 2012:
                return slipped

    # ---- two people -----------------------------------------------------------------------------------------

    def different(self) -> Pair:
        kinds = {
            self._twins: 20,
            self._father_and_son: 18,
            self._common_name: 25,
            self._siblings: 10,
            self._same_forename_and_date: 10,
            self._cousins: 5,
            self._strangers: 12,
        }
        one, other, how = self.chance.choices(list(kinds), list(kinds.values()))[0]()
        one, other = (replace(p, nhs_number=p.nhs_number if self.happens(0.5) else "") for p in (one, other))
        return Pair(one, other, False, (how,))

    def _twins(self) -> tuple[Registered, Registered, str]:
        one = self.person()
        sex = one.sex if self.happens(0.65) else ("F" if one.sex == "M" else "M")
        alike = peoples()[one.people].twins
        home = one.postcode if self.happens(0.7) else self.postcode()  # the others live apart
        if alike and self.happens(0.15):
            first, second = self.chance.choice(alike)
            men = peoples()[one.people].men
            one = replace(one, forename=first, sex="M" if first in men else "F")
            other = replace(
                one,
                forename=second,
                sex="M" if second in men else "F",
                postcode=home,
                nhs_number=self.nhs_number(),
            )
            return one, other, "twins with like names"
        other = replace(one, sex=sex, postcode=home, nhs_number=self.nhs_number())
        while other.forename == one.forename or self._one_name(one.people, one.forename, other.forename):
            other = replace(other, forename=self.forename(one.people, sex))
        return one, other, "twins"

    def _father_and_son(self) -> tuple[Registered, Registered, str]:
        son = self.person(sex="M" if self.happens(0.9) else "F")
        years = self.chance.randrange(18, 42)
        father = replace(son, born=self.birthday(""), nhs_number=self.nhs_number())
        father = replace(
            father, born=father.born.replace(year=son.born.year - years, day=min(father.born.day, 28))
        )
        if self.happens(0.04):  # born on the same day of the year
            father = replace(
                father, born=son.born.replace(year=son.born.year - years, day=min(son.born.day, 28))
            )
        return (
            son,
            replace(father, postcode=son.postcode if self.happens(0.6) else self.postcode()),
            "father and son",
        )

    def _common_name(self) -> tuple[Registered, Registered, str]:
        one = self.person()
        known = peoples()[one.people]
        forename = self.chance.choice((known.men if one.sex == "M" else known.women)[:5])
        surname = self._as_borne(one.people, one.sex, self.chance.choice(known.surnames[:8]))
        one = replace(one, forename=forename, surname=surname)
        other = replace(one, postcode=self.postcode(), nhs_number=self.nhs_number())
        if self.happens(0.3):
            other = replace(other, forename=self._variant(one.people, forename))
        while other.born == one.born:
            day = dt.date(one.born.year, 1, 1) + dt.timedelta(days=self.chance.randrange(365))
            other = replace(other, born=day)
        return one, other, "common name, born in one year"

    def _siblings(self) -> tuple[Registered, Registered, str]:
        one = self.person()
        other = replace(self.person(one.people), surname=one.surname, postcode=one.postcode)
        return one, other, "brothers and sisters"

    def _same_forename_and_date(self) -> tuple[Registered, Registered, str]:
        one = self.person()
        other = replace(self.person(one.people, one.sex), forename=one.forename, born=one.born)
        while other.surname.split()[-1] == one.surname.split()[-1]:  # Silva and da Silva are one name
            other = replace(other, surname=self.surname(one.people, one.sex))
        return one, other, "same forename and date of birth"

    def _cousins(self) -> tuple[Registered, Registered, str]:
        """One name in a family, one village, born a few years apart."""
        one = self.person()
        born = one.born + dt.timedelta(days=self.chance.randrange(200, 2500))
        return (
            one,
            replace(one, born=born, nhs_number=self.nhs_number(), postcode=self.postcode()),
            "cousins of one name",
        )

    def _strangers(self) -> tuple[Registered, Registered, str]:
        return self.person(), self.person(), "strangers"
