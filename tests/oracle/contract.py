"""A second, deliberately naive implementation of the extract contract (sections 1 to 6), in plain Python.

Everything is text and dictionaries, so that a reader can hold each paragraph of the contract beside its lines here.
"""

import csv
import io
from dataclasses import dataclass, field
from datetime import date

from . import dictionary, reader

BundleRefused = reader.BundleRefused


class Refused(Exception):
    """A command that the contract does not allow; the text says why."""


@dataclass
class Submission:
    """One built file, with what was counted and what the national collection would do with it."""

    id: int
    agency: str
    dataset: str
    letter: str
    kind: str
    as_of: date
    file: str
    header: list
    rows: list
    manifest: dict
    preview: dict
    carried: set = field(repr=False)
    withdrawn: set = field(repr=False)
    downloaded: bool = False
    state: str = "built"

    def csv_bytes(self):
        """The file itself: header row, UTF-8 without a byte order mark, RFC 4180 quoting, CRLF (section 5)."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.header)
        writer.writerows([row[name] for name in self.header] for row in self.rows)
        return text.getvalue().encode("utf-8")


def natural(identifier):
    """Sort key of identifiers: those made of digits as numbers before all others, others by code point."""
    if identifier and all(character in "0123456789" for character in identifier):
        return (0, int(identifier), identifier)
    return (1, 0, identifier)


def natural_episode(key):
    """Sort key of `(agency, client_id, episode_id)`."""
    return tuple(natural(part) for part in key)


def window_start(as_of):
    """First day of the reporting window (section 4)."""
    return date(as_of.year - (2 if as_of.month <= 8 else 1), 1, 1)


def initial(name):
    """First letter of a name, upper case; one character even where the upper case of a letter has two."""
    return next((character.upper()[:1] for character in name if character.isalpha()), "")


def outcode(postcode):
    """First part of a postcode, upper case (section 5)."""
    parts = postcode.upper().split()
    if not parts:
        return ""
    if len(parts) > 1 or len(parts[0]) <= 4:
        return parts[0]
    return parts[0][:-3]


def uk_date(value):
    """`yyyy-mm-dd` as `dd/mm/yyyy`."""
    year, month, day = value.split("-")
    return f"{day}/{month}/{year}"


# Rule id: the items of the data set it needs. A rule applies only where all of them are columns (section 4).
RULE_ITEMS = {
    "E01": ("FINITIAL", "SINITIAL", "DOB", "SEX"),
    "E02": ("DOB",),
    "E03": ("REFLD",),
    "E04": ("DOB", "REFLD"),
    "E05": ("TRIAGED",),
    "E06": ("TRIAGED", "REFLD"),
    "E07": ("DRUG1",),
    "E08": ("REFLD", "TRIAGED", "DISD"),
    "E09": ("DISD", "DISRSN"),
    "E10": ("DISD", "TRIAGED"),
    "E11": ("RFLS", "DISRSN", "DRUG1", "DRUG2", "DRUG3", "INJSTAT", "ROUTE"),
}


def failing_rules(person, episode, dataset, letter, as_of):
    """Ids of the error-level rules that an episode fails. ISO dates compare as text."""

    def has(name):
        return episode.get(name, "") != ""

    born = person.get("date_of_birth", "")
    refld, triaged, disd = (episode.get(name, "") for name in ("REFLD", "TRIAGED", "DISD"))
    lists = {name: dictionary.ITEMS[name]["reference_list"] for name in RULE_ITEMS["E11"]}
    fails = {
        "E01": any(person.get(name, "") == "" for name in ("forename", "surname", "date_of_birth", "sex")),
        "E02": born != "" and int(born[:4]) < 1903,
        "E03": refld == "",
        "E04": born != "" and refld != "" and born >= refld,
        "E05": triaged == "",
        "E06": triaged != "" and refld != "" and triaged < refld,
        "E07": not has("DRUG1"),
        "E08": any(value > as_of.isoformat() for value in (refld, triaged, disd)),
        "E09": has("DISD") != has("DISRSN"),
        "E10": disd != "" and triaged != "" and disd < triaged,
        "E11": any(
            has(name) and episode[name] not in dictionary.codes(lists[name], letter) for name in lists
        ),
    }
    columns = set(dictionary.columns(dataset, letter))
    return [rule for rule, failed in fails.items() if failed and columns.issuperset(RULE_ITEMS[rule])]


class Oracle:
    """What is loaded, what may be held nationally, and the submissions, in memory."""

    def __init__(self, today=None):
        self.today = today
        self.services, self.clients, self.registrations, self.episodes = {}, {}, {}, {}
        self.children = {file: {} for file in dictionary.CHILD_FILES}
        self.acts = {}  # episode -> acts in the order of recording: (decision, decided_on, method)
        self.held = set()  # episodes that may be held nationally (section 4 rule 1)
        self.submissions = []

    # Section 2: import

    def load(self, folder, dry_run=False):
        """Loads a bundle, or raises BundleRefused; counts per file, as import_caseload prints them."""
        tables, problems = reader.read_bundle(folder, held=self)
        if problems:
            raise BundleRefused(problems)
        counts = {kind: dict.fromkeys(tables, 0) for kind in ("created", "updated", "unchanged")}
        stores = {
            "services.csv": self.services,
            "clients.csv": self.clients,
            "registrations.csv": self.registrations,
            "episodes.csv": self.episodes,
            **self.children,
        }
        for file, rows in tables.items():
            if file == "consents.csv":
                outcomes = self._add_acts([row for _, row in rows], dry_run)
            else:
                outcomes = [
                    self._upsert(stores[file], dictionary.KEYS[file], row, dry_run) for _, row in rows
                ]
            for outcome in outcomes:
                counts[outcome][file] += 1
        return {**counts, "errors": []}

    @staticmethod
    def _upsert(store, key_columns, row, dry_run):
        """An empty cell means missing; a column that the file does not have leaves what is held."""
        key = tuple(row[column] for column in key_columns)
        key = key[0] if len(key) == 1 else key
        before = store.get(key)
        after = {**(before or {}), **row}
        if not dry_run:
            store[key] = after
        if before is None:
            return "created"
        held = {column: value for column, value in before.items() if value != ""}
        return "unchanged" if held == {c: v for c, v in after.items() if v != ""} else "updated"

    def _add_acts(self, rows, dry_run):
        """Adds acts that are not held: the n-th equal line stands for the n-th equal act."""
        before = {key: list(acts) for key, acts in self.acts.items()}
        equals, outcomes = {}, []
        for row in rows:
            episode = tuple(row[column] for column in dictionary.EPISODE_KEY)
            act = (row["decision"], row["decided_on"], row["method"])
            equals[episode, act] = position = equals.get((episode, act), 0) + 1
            if position <= before.get(episode, []).count(act):
                outcomes.append("unchanged")
                continue
            outcomes.append("created")
            if not dry_run:
                self.acts.setdefault(episode, []).append(act)
                if act[0] == "Y":
                    self.held.add(episode)
        return outcomes

    def record_consent(self, agency, client_id, episode_id, decision, decided_on, method):
        """A local act: it decides like any other, but does not mean that an old system sent the episode."""
        self.acts.setdefault((agency, client_id, episode_id), []).append((decision, decided_on, method))

    def latest_decision(self, episode):
        """`Y`, `N` or None; by date, then by recording (sorted is stable)."""
        acts = sorted(self.acts.get(episode, []), key=lambda act: act[1])
        return acts[-1][0] if acts else None

    # Section 4: which episodes

    def build(self, agency, dataset, letter="Q", kind="reporting", as_of=None):
        """Builds an extract, or raises Refused."""
        self._may_build(agency, dataset, letter, kind, as_of)
        start = window_start(as_of)
        sent, withdrawn, held_back = [], set(), {}
        counts = dict.fromkeys(("declined_omitted", "not_asked", "out_of_window"), 0)
        for key in sorted((key for key in self.episodes if key[0] == agency), key=natural_episode):
            episode, decision = self.episodes[key], self.latest_decision(key)
            person = self._person(key)
            if decision == "N" and key in self.held:
                withdrawn.add(key[:2])
            elif decision == "N":
                counts["declined_omitted"] += 1
            elif decision is None:
                counts["not_asked"] += 1
            elif kind == "reporting" and "" != episode.get("DISD", "") < start.isoformat():
                counts["out_of_window"] += 1
            elif rules := failing_rules(person, episode, dataset, letter, as_of):
                held_back[key[2]] = rules
            else:
                sent.append(key)
        header = dictionary.columns(dataset, letter)
        rows = self._rows(header, sent, withdrawn)
        first = start if kind == "reporting" else "00000000"
        manifest = {
            "submission": len(self.submissions) + 1,
            "file": "-".join([agency, _compact(first), _compact(as_of), "TREAT-IN", f"{letter}.csv"]),
            "rows": len(rows),
            "episodes_sent": len(sent),
            "withdrawn_clients": len(withdrawn),
            **counts,
            "held_back": held_back,
        }
        preview = self._preview(agency, set(sent), withdrawn, start if kind == "reporting" else None)
        submission = Submission(
            manifest["submission"], agency, dataset, letter, kind, as_of, manifest["file"], header, rows,
            manifest, preview, set(sent), withdrawn,
        )  # fmt: skip
        self.submissions.append(submission)
        return submission

    def _may_build(self, agency, dataset, letter, kind, as_of):
        if agency not in self.services:
            raise Refused(f"unknown agency {agency}")
        if self.services[agency]["dataset"] != dataset:
            raise Refused(f"{agency} reports the data set {self.services[agency]['dataset']}")
        if kind not in ("reporting", "full"):
            raise Refused(f"unknown kind {kind}")
        if letter not in "HJKLMNOPQR":
            raise Refused(f"unknown letter {letter}")
        if as_of > (self.today or date.max):
            raise Refused("the as-of date is in the future")

    def _person(self, key):
        return self.clients[self.registrations[key[:2]]["client_key"]]

    # Section 5: rows

    def _rows(self, header, sent, withdrawn):
        """Rows by CLIENTID, then EPISODID; a client's withdrawal row after its episodes."""
        rows = []
        children = self._children_by_episode(header)
        for client in sorted({key[:2] for key in sent} | withdrawn, key=natural_episode):
            for key in (key for key in sent if key[:2] == client):  # sent is in order already
                rows += self._episode_rows(header, key, children)
            if client in withdrawn:
                rows.append(
                    {**dict.fromkeys(header, ""), "AGNCY": client[0], "CLIENTID": client[1], "CONSENT": "N"}
                )
        return rows

    def _children_by_episode(self, header):
        """For each child list with a column in the data set: episode -> its rows in the list's order."""
        lists = []
        for file, (entity, identifier, dated) in dictionary.CHILD_FILES.items():
            if not any(name in header for name in dictionary.entity_items(entity)):
                continue
            by_episode = {}
            for child, row in self.children[file].items():
                by_episode.setdefault(child[:3], []).append(row)
            for rows in by_episode.values():
                # An empty date comes last.
                rows.sort(key=lambda row: (row.get(dated, "") or "9999-99-99", natural(row[identifier])))
            lists.append(by_episode)
        return lists

    def _episode_rows(self, header, key, children):
        agency, client_id, episode_id = key
        person, episode = self._person(key), self.episodes[key]
        values = {name: value for name, value in episode.items() if name in dictionary.ITEMS}
        values |= {name: person.get(column, "") for name, column in dictionary.CLIENT_ITEMS.items()}
        values |= {
            "FINITIAL": initial(person.get("forename", "")),
            "SINITIAL": initial(person.get("surname", "")),
            "PC": outcode(episode.get("PC", "") or person.get("postcode", "")),
            "AGNCY": agency,
            "CLIENT": self.registrations[key[:2]].get("reference", ""),
            "CLIENTID": client_id,
            "EPISODID": episode_id,
            "CONSENT": "Y",
            "CMSID": "",
        }
        lists = [by_episode.get(key, []) for by_episode in children]
        rows = []
        for position in range(max([1, *map(len, lists)])):
            row = dict(values)
            for items in lists:
                row |= items[position] if position < len(items) else {}
            rows.append({name: self._shown(name, row.get(name, "")) for name in header})
        return rows

    @staticmethod
    def _shown(name, value):
        return uk_date(value) if value and dictionary.ITEMS[name]["type"] == "date" else value

    # Section 6: what the national collection does

    def _preview(self, agency, carried, withdrawn, start):
        held = {key for key in self.held if key[0] == agency}
        missing = set()
        for key in held - carried:
            ended = self.episodes[key].get("DISD", "")
            if key[:2] not in withdrawn and (start is None or ended == "" or ended >= start.isoformat()):
                missing.add(key)
        return {
            "new": _entries(carried - held),
            "replaced": len(carried & held),
            "removed_by_consent": _entries(key for key in held - carried if key[:2] in withdrawn),
            "missing": _entries(missing),
        }

    def download(self, submission):
        """The file left the house: its episodes may be held from now on."""
        submission.downloaded = True
        self.held |= submission.carried

    def confirm(self, submission):
        """NDTMS accepted the file: what it carries is held, what section 6 (b) removes is not."""
        if submission.state != "built":
            raise Refused(f"the submission is {submission.state} already")
        submission.state = "confirmed"
        gone = {key for key in self.held if key[:2] in submission.withdrawn}
        self.held = (self.held - gone) | submission.carried

    def refuse(self, submission, reason="refused by NDTMS"):
        """NDTMS refused the file; nothing else changes."""
        if submission.state != "built":
            raise Refused(f"the submission is {submission.state} already")
        submission.state = f"refused: {reason}"


NationalWorld = Oracle


def _compact(day):
    return str(day).replace("-", "")


def _entries(keys):
    return [list(key) for key in sorted(keys, key=natural_episode)]
