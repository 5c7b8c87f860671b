"""Random bundles that are loadable: every column of every file, and everything that a rule can find wrong with them.

    random_bundle(folder, seed)                      a whole caseload
    later_bundle(folder, previous_folder, seed)      the same some weeks on

The same seed gives the same files. What the contract leaves open is left out unless `quirks` is asked for.
"""

import random
from datetime import date, timedelta
from pathlib import Path

from . import dictionary, reader, values
from .contract import RULE_ITEMS, window_start
from .values import chance

# The first four are the services of the samples, so that both can be loaded into one database.
AGENCIES = [
    ("E1001", "eput-essex-stars", "adult"),
    ("E1002", "open-road", "adult"),
    ("E1003", "forward-trust", "adult"),
    ("E1004", "phoenix-futures", "adult"),
    ("E2001", "the-childrens-society", "yp"),
    ("E2002", "open-road", "yp"),
    ("E3001", "peabody", "cjit"),
    ("E3002", "forward-trust", "cjit"),
]
AS_OF = date(2026, 10, 31)
EPISODE_RULES = [rule for rule in RULE_ITEMS if rule not in ("E01", "E02")]  # those two are the person's


def _quoted(rng, cell, always):
    if (
        always
        or any(character in cell for character in ',"\r\n')
        or cell != cell.strip()
        or chance(rng, 0.02)
    ):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def write_bundle(folder, tables, columns, rng=None, plain=True):
    """Writes tables as a bundle; not plain: a byte order mark, CRLF and needless quotes here and there."""
    folder, rng = Path(folder), rng or random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    for file, rows in tables.items():
        mark, end, always = "", "\n", False
        if not plain:
            mark, end, always = rng.choice(["", "\ufeff"]), rng.choice(["\n", "\r\n"]), chance(rng, 0.2)
        lines = [",".join(columns[file])]
        lines += [",".join(_quoted(rng, row.get(name, ""), always) for name in columns[file]) for row in rows]
        (folder / file).write_bytes((mark + end.join(lines) + end).encode("utf-8"))
    return folder


class Maker:
    """Makes rows; remembers identifiers, which are never re-used."""

    def __init__(self, rng, agencies, letter, as_of, quirks):
        self.rng, self.letter, self.as_of, self.quirks = rng, letter, as_of, quirks
        self.agencies = [agency for agency, _, _ in agencies]
        self.used = {}  # scope of uniqueness -> identifiers
        self.tables = {file: [] for file in dictionary.FILES}

    def identifier(self, *scope):
        """A fresh identifier within a scope, e.g. the episodes of one agency."""
        return values.identifier(self.rng, self.used.setdefault(scope, set()), self.quirks)

    def person(self, client_key):
        """A person with registrations at some agencies, and episodes there."""
        rng = self.rng
        row = {name: self.cell("clients.csv", name) for name in dictionary.CLIENT_COLUMNS}
        self.tables["clients.csv"].append({**row, "client_key": client_key})
        for agency in rng.sample(
            self.agencies, min(len(self.agencies), rng.choice([0, 1, 1, 1, 1, 2, 2, 3, 4]))
        ):
            client_id = self.identifier("client", agency)
            reference = values.free_text(rng, self.quirks)
            self.tables["registrations.csv"].append(
                {
                    "client_key": client_key,
                    "agency_code": agency,
                    "client_id": client_id,
                    "reference": reference,
                }
            )
            for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3])):
                self.episode(agency, client_id, row["date_of_birth"])

    def episode(self, agency, client_id, born):
        """An episode that is right but for what `spoil` does to it, with its children and consent acts."""
        rng, start = self.rng, window_start(self.as_of)
        key = {
            "agency_code": agency,
            "client_id": client_id,
            "episode_id": self.identifier("episode", agency),
        }
        referred = self.as_of - timedelta(days=rng.randint(0, 3000))
        triaged = min(referred + timedelta(days=rng.choice([0, 0, 3, 10, 40])), self.as_of)
        ended = min(triaged + timedelta(days=rng.randint(0, 900)), self.as_of)
        row = {
            name: self.cell("episodes.csv", name, referred)
            for name in dictionary.file_columns("episodes.csv")
        }
        row |= key
        row |= {"REFLD": referred.isoformat(), "TRIAGED": triaged.isoformat(), "DISD": "", "DISRSN": ""}
        for name in RULE_ITEMS["E11"]:
            if name != "DISRSN":
                row[name] = rng.choice(
                    sorted(dictionary.codes(dictionary.ITEMS[name]["reference_list"], self.letter))
                )
        for name in ("DRUG2", "DRUG3", "ROUTE", "INJSTAT", "RFLS"):
            row[name] = "" if chance(rng, 0.2) else row[name]
        if chance(rng, 0.65):
            boundary = [start, start - timedelta(days=1), self.as_of]  # the days on which the window turns
            row["DISD"] = (rng.choice(boundary) if chance(rng, 0.15) else ended).isoformat()
            row["DISRSN"] = rng.choice(["80", "81", "83", "86", "90"])
        if chance(rng, 0.35):
            for rule in rng.sample(EPISODE_RULES, rng.choice([1, 1, 1, 2, 4])):
                values.spoil(rng, row, rule, born, self.as_of)
        self.tables["episodes.csv"].append(row)
        for file in dictionary.CHILD_FILES:
            for _ in range(rng.choice([0, 0, 1, 1, 2, 3, 5])):
                self.child(file, key, referred)
        self.tables["consents.csv"] += [key | act for act in self.acts(triaged)]

    def child(self, file, key, day):
        """A child of an episode; half of them share one date, so that the identifier decides the order."""
        rng = self.rng
        _, identifier, dated = dictionary.CHILD_FILES[file]
        row = {name: self.cell(file, name, day) for name in dictionary.file_columns(file)} | key
        row[identifier] = self.identifier(file, *key.values())
        if chance(rng, 0.5):
            row[dated] = day.isoformat()
        self.tables[file].append(row)

    def acts(self, day):
        """A consent history: none, one, several, several on one day, equal ones."""
        rng = self.rng
        decisions = rng.choice(
            ["", "Y", "Y", "Y", "Y", "Y", "Y", "N", "YN", "YN", "NY", "YNY", "NYN", "YY", "YNYN", "NN"]
        )
        same_day, method = chance(rng, 0.4), rng.choice(["oral", "written"])
        acts = []
        for decision in decisions:
            if not same_day:
                day, method = day + timedelta(days=rng.randint(0, 400)), rng.choice(["oral", "written"])
            acts.append({"decision": decision, "decided_on": day.isoformat(), "method": method})
        return acts

    def cell(self, file, column, day=AS_OF):
        """A value for any column that is no key."""
        if file == "clients.csv":
            return values.client(self.rng, column, self.letter, self.quirks) if column != "client_key" else ""
        if column == "PC":
            return self.rng.choice(values.POSTCODES)
        if column in dictionary.ITEMS:
            return values.item(self.rng, column, self.letter, day, self.quirks)
        return values.free_text(self.rng, self.quirks)


def _columns(rng, skip=("PC",)):
    """Every column of every file; those that are no key in any order."""
    columns = {}
    for file in dictionary.FILES:
        names = [name for name in dictionary.file_columns(file) if name not in skip]
        if file != "services.csv" and chance(rng, 0.5):
            rng.shuffle(names)
        columns[file] = names
    return columns


def random_bundle(
    folder,
    seed,
    people=40,
    agencies=None,
    letter="Q",
    as_of=AS_OF,
    quirks=False,
    plain=False,
    pc_column=False,
):
    """Writes a bundle and returns its folder.

    `agencies` are `(code, organisation slug, data set)`; `quirks` adds what the contract leaves open; `plain` writes
    no byte order marks and LF only; `pc_column` puts PC into episodes.csv.
    """
    rng = random.Random(seed)
    agencies = agencies or AGENCIES
    maker = Maker(rng, agencies, letter, as_of, quirks)
    maker.tables["services.csv"] = [
        {"agency_code": code, "name": f"Service {code}, “new”", "organisation": slug, "dataset": dataset}
        for code, slug, dataset in agencies
    ]
    for number in range(people):
        maker.person(f"R{seed}-{number:05}" if chance(rng, 0.8) else f"{seed}/{number} é,")
    for file in ("registrations.csv", "episodes.csv", "consents.csv", *dictionary.CHILD_FILES):
        if chance(rng, 0.5):
            rng.shuffle(maker.tables[file])
    return write_bundle(folder, maker.tables, _columns(rng, () if pc_column else ("PC",)), rng, plain)


def local_acts(folder, seed, count=30, as_of=AS_OF):
    """Consent acts to be recorded here rather than imported, for episodes of a bundle, in order of recording.

    Each is `(agency, client_id, episode_id, decision, decided_on, method)`, the arguments of Oracle.record_consent.
    Without them every episode with a yes may be held from the import on, and a download makes no difference.
    """
    rng = random.Random(f"local {seed}")
    episodes = read_tables(folder)[0]["episodes.csv"]
    acts = []
    for row in rng.choices(episodes, k=count):
        decided_on = values.near(rng, as_of, 300, 0)
        key = tuple(row[name] for name in dictionary.EPISODE_KEY)
        acts.append((*key, rng.choice("YYN"), decided_on, rng.choice(["oral", "written"])))
    return acts


def read_tables(folder):
    """Tables and headers of a bundle, as they stand in its files."""
    tables, columns = {}, {}
    for file in dictionary.FILES:
        path = Path(folder) / file
        if path.exists():
            records, problems = reader.read_records(path)
            assert not problems, problems
            columns[file] = records[0][1]
            tables[file] = [dict(zip(columns[file], cells, strict=True)) for _, cells in records[1:]]
    return tables, columns


def later_bundle(
    folder, previous_folder, seed, letter="Q", as_of=AS_OF, quirks=False, plain=False, open_references=False
):
    """Writes the caseload of `previous_folder` some weeks on and returns its folder.

    Cells changed, emptied and filled, consent acts added, people and episodes added, lines dropped (with everything
    that points to them; with `open_references`, lines that others still point to), and columns dropped.
    """
    rng = random.Random(f"later {seed}")
    tables, columns = read_tables(previous_folder)
    agencies = [(row["agency_code"], row["organisation"], row["dataset"]) for row in tables["services.csv"]]
    maker = Maker(rng, agencies, letter, as_of, quirks)
    for row in tables["registrations.csv"]:
        maker.used.setdefault(("client", row["agency_code"]), set()).add(row["client_id"])
    for row in tables["episodes.csv"]:
        maker.used.setdefault(("episode", row["agency_code"]), set()).add(row["episode_id"])
    for file, (_, identifier, _) in dictionary.CHILD_FILES.items():
        for row in tables.get(file, []):
            scope = (file, *(row[name] for name in dictionary.EPISODE_KEY))
            maker.used.setdefault(scope, set()).add(row[identifier])
    _drop_lines(rng, tables, open_references)
    _change_cells(rng, maker, tables, columns)
    for number in range(max(2, len(tables["clients.csv"]) // 10)):
        maker.person(f"later-{seed}-{number}")
    for row in tables["registrations.csv"]:
        if chance(rng, 0.1):
            maker.episode(row["agency_code"], row["client_id"], "")
    for row in tables["episodes.csv"]:
        key = {name: row[name] for name in dictionary.EPISODE_KEY}
        if chance(rng, 0.25):
            # Some new acts fall on the day of an old one: recorded later, they decide.
            days = [act["decided_on"] for act in tables["consents.csv"] if key.items() <= act.items()]
            day = date.fromisoformat(max(days)) if days and chance(rng, 0.5) else as_of - timedelta(days=9)
            maker.tables["consents.csv"] += [key | act for act in maker.acts(day)]
        if chance(rng, 0.1):
            maker.child(rng.choice(list(dictionary.CHILD_FILES)), key, as_of)
    for file, rows in maker.tables.items():
        tables.setdefault(file, []).extend(rows)
        columns.setdefault(file, dictionary.file_columns(file))
    for file in columns:
        optional = [name for name in columns[file] if name not in dictionary.required_columns(file)]
        if file != "services.csv" and chance(rng, 0.4):
            dropped = rng.sample(optional, min(len(optional), rng.choice([1, 2, 5])))
            columns[file] = [name for name in columns[file] if name not in dropped]
    return write_bundle(folder, tables, columns, rng, plain)


def _drop_lines(rng, tables, open_references):
    """Drops lines, which must change nothing that is held; without open references whatever hangs on them too."""
    gone = set()
    for file, parent in (
        ("clients.csv", ()),
        ("registrations.csv", ("client_key",)),
        ("episodes.csv", ("agency_code", "client_id")),
        ("consents.csv", dictionary.EPISODE_KEY),
        *((file, dictionary.EPISODE_KEY) for file in dictionary.CHILD_FILES),
    ):
        kept = []
        for row in tables.get(file, []):
            orphan = not open_references and tuple(row[name] for name in parent) in gone
            if orphan or chance(rng, 0.04):
                gone.add(tuple(row[name] for name in dictionary.KEYS[file]))
            else:
                kept.append(row)
        tables[file] = kept
        if file == "consents.csv":
            # A consent line shares its key with its episode, which is still there.
            episodes = {tuple(row[name] for name in dictionary.EPISODE_KEY) for row in tables["episodes.csv"]}
            gone -= episodes


def _change_cells(rng, maker, tables, columns):
    """Changes cells that are no key, and no line of the consent history."""
    for file, rows in tables.items():
        if file in ("services.csv", "consents.csv"):
            continue
        fixed = {"client_key", *dictionary.KEYS[file]}
        names = [name for name in columns[file] if name not in fixed]
        for row in rows:
            if chance(rng, 0.15):
                for name in rng.sample(names, min(len(names), rng.choice([1, 1, 3]))):
                    row[name] = "" if chance(rng, 0.2) else maker.cell(file, name, AS_OF - timedelta(days=60))
