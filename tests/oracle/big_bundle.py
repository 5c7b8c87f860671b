"""A big, realistic and deterministic bundle for benchmarks, written as a stream.

    python -m tests.oracle.big_bundle FOLDER --episodes 600000 --agencies 8

The distributions are those of sample/bundle-1, with about 1.5 episodes a person and, per episode, 1.3 interventions,
0.4 reviews, 0.3 times in treatment and 2.2 outcome forms. All services are adult ones. Cells that do not depend on
anything else of the line are drawn from ready-made pools: that is what makes it fast.
"""

import argparse
import contextlib
import random
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from . import dictionary

AS_OF = date(2026, 10, 31)
# The first four are the services of the samples.
SLUGS = [
    "eput-essex-stars",
    "open-road",
    "forward-trust",
    "phoenix-futures",
    "the-childrens-society",
    "peabody",
]
POOL = 8192  # a power of two: an index is a few random bits
FLUSH = 20_000  # lines

HEADERS = {
    "services.csv": "agency_code,name,organisation,dataset",
    "clients.csv": ",".join(dictionary.CLIENT_COLUMNS),
    "registrations.csv": "client_key,agency_code,client_id,reference",
    "episodes.csv": "agency_code,client_id,episode_id,REFLD,PREVTR,ACCMNEED,PRNTSTAT,DAT,LA,DRUG1,DRUG1AGE,ROUTE,"
    "DRUG2,DRUG3,RFLS,TRIAGED,CPLANDT,INJSTAT,CHILDWTH,PREGNANT,ALCDDAYS,ALCUNITS,DISD,DISRSN,EMPSTAT,MTHTN,TOPCC",
    "consents.csv": "agency_code,client_id,episode_id,decision,decided_on,method",
    "interventions.csv": "agency_code,client_id,episode_id,MODID,MODAL,REFMODDT,FAOMODDT,MODST,MODEND,MODEXIT,MODSET",
    "reviews.csv": "agency_code,client_id,episode_id,SUBMID,SUBMODDT,PSYMOTI,PSYCNMG,RECPEER,RECHSE",
    "time_in_treatment.csv": "agency_code,client_id,episode_id,TITID,TITDATE,TITREAT",
    "tops.csv": "agency_code,client_id,episode_id,TOPID,TOPDATE,TRSTAGE,ALCUSE,OPIUSE,CRAUSE,COCAUSE,AMPHUSE,CANNUSE,"
    "OTDRGUSE,IVDRGUSE,SHARING,PSYHSTAT,PWORK,EDUCAT,ACUTHPBM,HRISK,PHSTAT,QUALLIFE",
}

FORENAMES = [
    "Mohammed",
    "Kwame",
    "Daniel",
    "Jean-Luc",
    "Mark",
    "Darren",
    "Sarah",
    "Emma",
    "Łukasz",
    "Óscar",
    "Zoë",
]
SURNAMES = [
    "Taylor",
    "Baker",
    "van Dyk",
    "O'Brien",
    "Smith",
    "Williams",
    "D'Souza",
    "Müller",
    "Nowak",
    "Patel",
]
TOWNS = [
    ("Colchester", "CO1"),
    ("Chelmsford", "CM1"),
    ("Harlow", "CM20"),
    ("Basildon", "SS14"),
    ("Maldon", "CM9"),
]
LETTERS = "ABDEFGHJLNPQRSTUWXYZ"

# How many of each an episode has, in hundredths.
INTERVENTIONS = [0] * 21 + [1] * 40 + [2] * 26 + [3] * 13
TOPS = [0] * 10 + [1] * 38 + [2] * 20 + [3] * 14 + [4] * 8 + [5] * 4 + [6] * 2 + [8] * 2 + [10, 14]
DECISIONS = [""] * 2 + ["Y"] * 88 + ["N"] * 6 + ["YN"] * 3 + ["YNY"]


def _counts(rng, hundred):
    return [rng.choice(hundred) for _ in range(POOL)]


class Pools:
    """Ready-made pieces of lines."""

    def __init__(self, rng):
        pick, number = rng.choice, rng.randint

        def made(make):
            return [make() for _ in range(POOL)]

        def days(high=28, zero=0.7):
            return "NA" if rng.random() < 0.035 else "0" if rng.random() < zero else str(number(1, high))

        def circumstances():
            drug, route = pick([("1011", "1"), ("1011", "1"), ("7000", "4"), ("5000", "3"), ("3200", "3")])
            drug = "" if rng.random() < 0.007 else drug
            source = "777" if rng.random() < 0.007 else pick(["4", "4", "22", "13", "3"])
            authority = pick(["22UB", "22UC", "22UD", "22UE", "22UF", "22UG", "22UJ", "22UK", "22UL", "22UN"])
            return (
                f"{pick('YN')},{pick('12333')},{number(11, 14)},,{authority},{drug},{number(12, 40)},{route},"
                f"{pick(['', '', '7000', '3201'])},,{source}"
            )

        def outcome():
            return (
                f"{days(zero=0.5)},{days(zero=0.55)},{days()},{days()},0,{days()},0,{days(zero=0.8)},N,"
                f"{number(0, 20)},{days()},0,N,N,{number(0, 20)},{number(0, 20)}"
            )

        def equality():
            return (
                f"{pick('AAAAABCDFGJKMNPZ')},{pick(['GBR'] * 8 + ['IRL', 'POL', 'ROU', 'IND'])},,,"
                f"{pick(['NN', 'NN', 'ZZ', '1', '5', '8'])},,,"
            )

        def address():
            town, district = pick(TOWNS)
            street = pick(["High Street", "Mill Lane", "Church Walk", "Station Road"])
            postcode = (
                "" if rng.random() < 0.01 else f"{district} {number(0, 9)}{pick(LETTERS)}{pick(LETTERS)}"
            )
            return f"{number(1, 220)} {street},,{town},{postcode}"

        def name():
            forename = "" if rng.random() < 0.003 else pick(FORENAMES)
            return f"{forename},{pick(SURNAMES)}"

        self.circumstances, self.outcomes = made(circumstances), made(outcome)
        self.equality, self.addresses, self.names = made(equality), made(address), made(name)
        self.drinking = made(
            lambda: f"{pick('NNPPC')},{number(0, 2)},{pick(['', '', 'N'])},{number(0, 28)},{number(0, 60)}"
        )
        self.work = made(lambda: f"{pick(['9', '9', '12', '1'])},{number(1, 2)},Y")
        self.flags = made(lambda: f"Y,N,{pick('YN')},{pick('YN')}")
        self.interventions, self.tops = _counts(rng, INTERVENTIONS), _counts(rng, TOPS)
        self.decisions = _counts(rng, DECISIONS)
        # Days from referral to triage, and to the end of treatment.
        self.waits = made(lambda: number(0, 20))
        self.lengths = made(lambda: int(min(rng.expovariate(1 / 200), 2500)) + 7)


class Writer:
    """Files with a buffer of lines each."""

    def __init__(self, stack, folder):
        self.files = {}
        for name in HEADERS:
            file = open(folder / name, "w", encoding="utf-8", newline="")  # noqa: SIM115  the stack closes it
            self.files[name] = stack.enter_context(file)
        self.lines = {name: [header] for name, header in HEADERS.items()}
        self.counts = dict.fromkeys(HEADERS, -1)

    def flush(self, least=0):
        """Writes the buffers that hold more than some lines. The lists stay: callers hold on to them."""
        for name, lines in self.lines.items():
            if len(lines) > least:
                self.files[name].write("\n".join(lines) + "\n")
                self.counts[name] += len(lines)
                lines.clear()


def agencies(count):
    """Agency codes with the slug of their organisation: E1001, E1002, and so on."""
    return [(f"E{1001 + number}", SLUGS[number % len(SLUGS)]) for number in range(count)]


def nhs_number(number):
    """An invented number of the range that is never issued, with its check digit; empty for some people."""
    base = f"999{number:06}"
    check = 11 - sum(int(digit) * weight for digit, weight in zip(base, range(10, 1, -1), strict=True)) % 11
    return "" if check == 10 or number % 5 == 0 else f"{base}{check % 11}"


def _client(key, number, bits, pools, born):
    """A line of clients.csv."""
    title, sex = ("Mr", "M") if bits & 3 else ("Ms", "F")
    email = f"{key.lower()}@mail.example" if bits & 4 else ""
    return (
        f"{key},{nhs_number(number)},{title},{pools.names[(bits >> 3) % POOL]},{born},{sex},"
        f"{pools.equality[(bits >> 16) % POOL]},{pools.addresses[(bits >> 29) % POOL]},"
        f"07700 900{(bits >> 42) % 1000:03},{email}"
    )


def big_bundle(folder, episodes=600_000, agency_count=8, people=None, seed=1):
    """Writes the bundle and returns the number of lines per file."""
    folder, rng = Path(folder), random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    people = people or max(1, episodes * 2 // 3)
    if people > 999_999:
        raise ValueError("at most 999,999 people: NHS numbers are made of six digits")
    services, pools, draw = agencies(agency_count), Pools(rng), rng.getrandbits
    with contextlib.ExitStack() as stack:
        writer = Writer(stack, folder)
        lines = writer.lines
        lines["services.csv"] += [f"{code},Service {code},{slug},adult" for code, slug in services]
        next_client = [1000] * agency_count
        maker = Episodes(lines, pools, draw)
        for number in range(people):
            bits = draw(64)
            key = f"P09-{number:06}"
            born = maker.iso[AS_OF.toordinal() - 6570 - (bits >> 5) % 17000]
            lines["clients.csv"].append(_client(key, number, bits, pools, born))
            # The episodes still to make are shared out evenly; one person in eight goes to a second service.
            share = (number + 1) * episodes // people - maker.made
            wanted = max(0, share + (0, 0, 1, -1)[bits >> 62]) if number < people - 1 else share
            first = (bits >> 9) % agency_count
            places = [first, (first + 1) % agency_count] if wanted > 1 and bits & 96 == 0 else [first]
            places = places[:agency_count]
            for turn, place in enumerate(places):
                code = services[place][0]
                next_client[place] += 1
                client_id = (
                    str(next_client[place]) if bits & 0x3F000 else f"L{bits & 63}-{next_client[place]}"
                )
                lines["registrations.csv"].append(f"{key},{code},{client_id},{code}/{next_client[place]}")
                for _ in range(wanted // len(places) + (turn < wanted % len(places))):
                    maker.episode(f"{code},{client_id}")
            if number % 512 == 0:
                writer.flush(FLUSH)
        writer.flush()
    return writer.counts


class Episodes:
    """Makes episodes with their children and consent acts."""

    def __init__(self, lines, pools, draw):
        self.lines, self.pools, self.draw = lines, pools, draw
        self.made = 0
        self.children = 0
        self.last = AS_OF.toordinal()
        # Dates as text by ordinal: formatting them is what costs most.
        first = date(1930, 1, 1)
        self.iso = {
            (first + timedelta(days=n)).toordinal(): str(first + timedelta(days=n)) for n in range(36600)
        }

    def episode(self, registration):
        """One episode of a registration `agency,client`."""
        pools, iso, last, bits = self.pools, self.iso, self.last, self.draw(96)
        self.made += 1
        key = f"{registration},{400000 + self.made}"
        referred = last - bits % 3200
        triaged = min(referred + pools.waits[(bits >> 13) % POOL], last)
        end = triaged + pools.lengths[(bits >> 26) % POOL]
        is_open = end > last or (bits >> 90) & 7 == 0
        end = last if is_open else end
        triage = iso[triaged] if bits & 0x1FF0 else ""  # about one in 500 is missing
        reason = ("86", "86", "83", "81", "80", "90", "86", "80")[(bits >> 39) & 7]
        self.lines["episodes.csv"].append(
            f"{key},{iso[referred]},{pools.circumstances[(bits >> 42) % POOL]},{triage},{iso[triaged]},"
            f"{pools.drinking[(bits >> 55) % POOL]},"
            f"{',' if is_open else iso[end] + ',' + reason},{pools.work[(bits >> 68) % POOL]}"
        )
        method = "oral" if bits & 0x10000 else "written"
        for turn, decision in enumerate(pools.decisions[(bits >> 81) % POOL]):
            self.lines["consents.csv"].append(
                f"{key},{decision},{iso[min(triaged + 90 * turn, last)]},{method}"
            )
        self._children(key, triaged, end, is_open)

    def _children(self, key, triaged, end, is_open):
        """Interventions, reviews, times in treatment and outcome forms between triage and the end."""
        pools, iso, bits, span = self.pools, self.iso, self.draw(96), end - triaged + 1
        child, lines = self.children, self.lines
        for turn in range(pools.interventions[bits % POOL]):
            child += 1
            offered = min(triaged + (bits >> (13 + turn)) % 15, end)
            started = min(offered + (bits >> (20 + turn)) % 20, end)
            ended = started + (bits >> (24 + turn)) % (end - started + 1)
            way_out = "," if is_open and turn == 0 else f"{iso[ended]},{'AAB'[ended % 3]}"
            lines["interventions.csv"].append(
                f"{key},{child},{94 + ended % 3},{iso[triaged]},{iso[offered]},{iso[started]},{way_out},"
            )
        if (bits >> 40) % 10 < 4:
            child += 1
            day = iso[triaged + (bits >> 44) % span]
            lines["reviews.csv"].append(f"{key},{child},{day},{pools.flags[(bits >> 50) % POOL]}")
        if (bits >> 63) % 10 < 3:
            child += 1
            lines["time_in_treatment.csv"].append(f"{key},{child},{iso[triaged]},1")
        # An outcome form at the start, then about one in twelve weeks, the last ones on the last day.
        for turn in range(pools.tops[(bits >> 67) % POOL]):
            child += 1
            day, stage = iso[min(triaged + 84 * turn, end)], "R" if turn else "S"
            lines["tops.csv"].append(
                f"{key},{child},{day},{stage},{pools.outcomes[((bits >> 80) + child * 31) % POOL]}"
            )
        self.children = child


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder")
    parser.add_argument("--episodes", type=int, default=600_000)
    parser.add_argument("--agencies", type=int, default=8)
    parser.add_argument("--people", type=int, help="two thirds of the episodes unless given")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    start = time.process_time()
    counts = big_bundle(options.folder, options.episodes, options.agencies, options.people, options.seed)
    for name, count in counts.items():
        print(f"{count:>10,}  {name}", file=sys.stderr)
    print(f"{time.process_time() - start:.1f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
