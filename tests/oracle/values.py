"""Random cells of a bundle: plausible, missing, wrong by NDTMS rules, and awkward for CSV, COPY and sorting."""

from datetime import date, timedelta

from . import dictionary

FORENAMES = [
    "Łukasz",
    "Óscar",
    "Zoë",
    "Seán",
    "Jean-Luc",
    "Åsa",
    "ørjan",
    "émilie",
    "Ñusta",
    "Şirin",
    "Иван",
    "李",
    "Anne-Marie",
    "mohammed",
    "Kwame",
    "Mary",
    "John",
    "d'Arcy",
] + ["Mary Jane", "E\u0301milie"]
SURNAMES = [
    "O'Brien",
    "D'Souza",
    "Müller",
    "Nowak",
    "Żak",
    "Ćwik",
    "ąk",
    "Smith",
    "Harris-Lee",
    "St.John",
    "王",
    "Петров",
    "Ødegård",
    "İnce",
    "ñandú",
    "Jones",
] + ["van Dyk", "de la Cruz"]
# Upper case differs between libraries, or it is open what the first letter is: only on request.
QUIRKY_NAMES = ["ßen", "ﬁona", "'t Hooft", " Leading", "-dash", "1st", "ǆ", "ŉ"]

POSTCODES = [
    "CM1 1QH",
    "CM11QH",
    "cm1 1qh",
    "co1 2ab",
    "SS14",
    "SS147LT",
    "E1",
    "E1 6AN",
    "M11AE",
    "sw1a2aa",
    "ZZ99 3VZ",
    "zz993vz",
    "CM14 3HU",
    "W1A 0AX",
    "CM20",
    "SS8",
    "C",
    "",
    "CM9  1EX",
]

# Free text that a naive reader or writer of CSV, or COPY, gets wrong.
AWKWARD_TEXTS = [
    'comma, "quote" and more',
    '"',
    '""quoted""',
    "two\nlines",
    "carriage\r\nreturn",
    "first\n\\.\nlast",
    "\\.",
    "\\N",
    "NULL",
    "null",
    "NA",
    "=1+1",
    "+44 7700 900123",
    "@home",
    "tab\there",
    "back\\slash",
    "line\u2028separator",
    "next\u0085line",
    "Ünïcödé 漢字 🙂",
    "%s {} $1 :name",
    "'; DROP TABLE x; --",
    "<script>alert(1)</script>",
    "trailing comma,",
    ",",
    "a" * 300,
]
QUIRKY_TEXTS = [" ", "  padded  ", "lone\rreturn", "\u00a0", "\x01control", "\ufeffmark", "e\u0301 \u200b"]

ABSURD_DATES = ["0001-01-01", "1752-09-14", "1899-12-31", "2099-12-31", "9999-12-31"]
TOWNS = ["Basildon", "Maldon", "Harlow", "Clacton-on-Sea", "Canvey Island", "Rochford, Essex"]


def chance(rng, probability):
    """True with a probability."""
    return rng.random() < probability


def near(rng, day, before, after):
    """ISO date some days before or after a day."""
    moved = day.toordinal() + rng.randint(-before, after)
    return date.fromordinal(min(max(moved, 1), date.max.toordinal())).isoformat()


def free_text(rng, quirks=False):
    """Text that is empty, plain or awkward."""
    if chance(rng, 0.2):
        return ""
    if chance(rng, 0.4):
        return f"{rng.randint(1, 300)} {rng.choice(['High Street', 'Mill Lane', 'Église Rd'])}"
    return rng.choice(AWKWARD_TEXTS + (QUIRKY_TEXTS if quirks else []))


def identifier(rng, used, quirks=False):
    """A new identifier, remembered in `used`: digits, zeros in front, letters, mixed, very long, unicode."""
    while True:
        number = rng.randint(1, 400)
        made = rng.choice(
            [
                str(number),
                str(number),
                str(number * 1000),
                f"0{number}",
                f"000{number % 10}",
                f"L{number}-{rng.randint(1, 9)}",
                f"{number}a",
                f"A{number}",
                f"a{number}",
                f"Ż{number % 20}",
                f"é{number % 20}/{number}",
                f"{number}-{rng.randint(1, 20)}",
                f"{number}.5",
                "9" * rng.randint(18, 40),
                "1" + "0" * rng.randint(18, 40),
                f"٣{number}",  # an Arabic-Indic digit: a digit to isdigit(), not to the contract
                f"x,{number}",
                f'q"{number}',
                f"s p {number}",
            ]
        )
        if quirks and chance(rng, 0.1):
            made = rng.choice([f" {number}", f"{number} ", f"-{number}", f"+{number}", f"{number}\n"])
        if made not in used:
            used.add(made)
            return made


def code(rng, list_name, letter):
    """A code of a list: valid, retired or future, unknown, too long, or missing."""
    known = sorted({row["code"] for row in dictionary.CODES if row["list"] == list_name})
    valid = sorted(dictionary.codes(list_name, letter)) if list_name else []
    draw = rng.random()
    if draw < 0.1:
        return ""
    if draw < 0.14:
        return rng.choice(["XX", "777", "y", "?", "0", "very long and unknown code", "ż"])
    if draw < 0.18 and known:
        return rng.choice(known)
    return rng.choice(valid) if valid else rng.choice(["1", "2", "3", "99", "A", "B", "Y", "N", "UNK"])


def item(rng, name, letter, day, quirks=False):
    """A value of a dictionary item, around a day."""
    entry = dictionary.ITEMS[name]
    if entry["type"] == "date":
        if chance(rng, 0.02):
            return rng.choice(ABSURD_DATES)
        return "" if chance(rng, 0.2) else near(rng, day, 10, 300)
    if entry["entity"] == "top" and entry["type"] in ("int", "text") and name != "TOPID":
        if chance(rng, 0.3):
            return rng.choice(["NA", "NA", ""])
        return str(rng.choice([0, 0, rng.randint(1, 28), rng.randint(29, 45)]))
    if entry["type"] == "int":
        return rng.choice(["", "0", str(rng.randint(1, 30)), str(rng.randint(1, 120))])
    if entry["type"] in ("code", "flag"):
        return code(rng, entry["reference_list"], letter)
    return free_text(rng, quirks)


def birth(rng):
    """Date of birth; 1902-12-31 and 1903-01-01 are the two sides of rule E02."""
    if chance(rng, 0.1):
        return rng.choice(["", "1902-12-31", "1903-01-01", "1850-02-28", "2000-02-29"])
    return near(rng, date(1940, 1, 1), 0, 25000)


def client(rng, column, letter, quirks=False):
    """A cell of clients.csv other than its key."""
    if column in ("forename", "surname"):
        names = FORENAMES if column == "forename" else SURNAMES
        return "" if chance(rng, 0.03) else rng.choice(names + (QUIRKY_NAMES if quirks else []))
    if column == "date_of_birth":
        return birth(rng)
    if column == "sex":
        return rng.choice(["M", "F"] * 7 + ["X", ""])
    if column == "postcode":
        return rng.choice(POSTCODES)
    if column == "nhs_number":
        return rng.choice(["", "9996803872", "999 680 3872", "not known"])
    if column in ("address_line_1", "address_line_2"):
        return free_text(rng, quirks)
    if column == "town":
        return rng.choice(TOWNS)
    if column == "title":
        return rng.choice(["Mr", "Ms", "Dr", ""])
    if column == "phone":
        return f"07700 900{rng.randint(0, 999):03}"
    if column == "email":
        return rng.choice(["", f"p{rng.randint(1, 999)}@mail.example"])
    name = next(name for name, given in dictionary.CLIENT_ITEMS.items() if given == column)
    if name == "NATION":
        return rng.choice(["GBR", "POL", "ROU", "", "XXX", "English"])
    return code(rng, dictionary.ITEMS[name]["reference_list"], letter)


def spoil(rng, episode, rule, born, as_of):
    """Makes an episode fail one error-level rule, or stand exactly on the boundary of it."""

    def day(name):
        return date.fromisoformat(episode[name]) if episode[name] else as_of

    one = timedelta(days=1)
    if rule == "E03":
        episode["REFLD"] = ""
    elif rule == "E04" and born:
        episode["REFLD"] = rng.choice([born, near(rng, date.fromisoformat(born), 2, 1)])
        episode["TRIAGED"] = max(episode["TRIAGED"], episode["REFLD"])
    elif rule == "E05":
        episode["TRIAGED"] = ""
    elif rule == "E06":
        episode["TRIAGED"] = (day("REFLD") - rng.choice([0, 1, 40]) * one).isoformat()
    elif rule == "E07":
        episode["DRUG1"] = ""
    elif rule == "E08":
        name = rng.choice(["REFLD", "TRIAGED", "DISD"])
        episode[name] = (as_of + rng.choice([0, 1, 1, 300]) * one).isoformat()
        if name == "DISD":
            episode["DISRSN"] = "80"
    elif rule == "E09":
        name = rng.choice(["DISD", "DISRSN"])
        episode[name] = "" if episode[name] else {"DISD": as_of.isoformat(), "DISRSN": "80"}[name]
    elif rule == "E10":
        episode["DISD"] = (day("TRIAGED") - rng.choice([0, 1, 20]) * one).isoformat()
        episode["DISRSN"] = episode["DISRSN"] or "86"
    elif rule == "E11":
        name = rng.choice(["RFLS", "DISRSN", "DRUG1", "DRUG2", "DRUG3", "INJSTAT", "ROUTE"])
        wrong = {"RFLS": ["5", "77", "04"], "DISRSN": ["1", "8O"], "INJSTAT": ["n", "X"]}
        episode[name] = rng.choice([*wrong.get(name, ["1", "9", "701", "7000 "]), "ż"])
