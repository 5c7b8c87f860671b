"""The extract as SQL: one ORM query of the episodes of a service, judged by the contract, and the statement that streams the file.

Everything here is text and parameters; `extract.py` runs it in one REPEATABLE READ snapshot. Order of decisions: contract section 4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, FilteredRelation, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import ERROR_RULES, Context, sql_failing
from caseload.dataset.transforms import sql_identifier_order, sql_initial, sql_postcode_district
from caseload.models import ClientItems, Episode, EpisodeItems, Registration
from caseload.record import DERIVED, LISTS, ListPlace, list_of, place_of
from ndtms.choices import ExtractKind

# How the decision of the data set about dates is said to PostgreSQL.
DATE_STYLES = {"dd/mm/yyyy": "SQL, DMY", "yyyy-mm-dd": "ISO, DMY"}


class Statement(NamedTuple):
    """SQL text with `%s` places, and what fills them."""

    sql: str
    params: tuple[Any, ...]


@dataclass(frozen=True)
class ExtractPlan:
    """What is to be extracted: one service, data set, letter, kind, as-of date; `window_start` None means no window."""

    service_id: UUID
    organisation_id: UUID
    agency_code: str
    dataset: str
    letter: str
    kind: str
    as_of: dt.date
    window_start: dt.date
    cmsid: str

    @property
    def columns(self) -> tuple[Item, ...]:
        """The columns of the file, in order."""
        return load_dictionary().columns(self.dataset, self.letter)

    @property
    def context(self) -> Context:
        """What the rules depend on."""
        return Context(self.dataset, self.letter, self.as_of)


def episodes(
    plan: ExtractPlan, items: Sequence[Item], *, voided_held: bool = False
) -> QuerySet[Any, dict[str, Any]]:
    """The episodes of the service, one row each, with an annotation by CSV header for every item of the client and the episode.

    FINITIAL and SINITIAL are the names and PC the postcode as recorded: what leaves is shortened when the file is written.
    `voided_held` adds those that were entered in error and may be held nationally (column `voided`): the preview has to name them.
    """
    in_use = Q(voided_at__isnull=True)
    rows = Episode.objects.filter(service_id=plan.service_id).filter(
        in_use | Q(national_holding__held=True) if voided_held else in_use
    )
    places = {
        item.name: place_of(item) for item in items if item.name not in DERIVED and list_of(item) is None
    }
    for category in sorted({p.category for p in places.values() if p.model is EpisodeItems}):
        rows = rows.annotate(
            **{f"of_{category}": FilteredRelation("item_rows", condition=Q(item_rows__category=category))}
        )
    for category in sorted({p.category for p in places.values() if p.model is ClientItems}):
        rows = rows.annotate(
            **{
                f"client_{category}": FilteredRelation(
                    "client__item_rows", condition=Q(client__item_rows__category=category)
                )
            }
        )
    values: dict[str, Any] = {}
    for name, place in places.items():
        if place.model is Episode:
            path = place.field
        elif place.model is EpisodeItems:
            path = f"of_{place.category}__items"
        elif place.model is ClientItems:
            path = f"client_{place.category}__items"
        elif place.model is Registration:
            path = f"registration__{place.field}"
        else:
            path = f"client__{place.model._meta.model_name}__{place.field}"
        values[f"i_{name}"] = KeyTextTransform(place.key, path) if place.key else F(path)
    values["i_POSTCODE"] = F("client__clientcontact__postcode")
    values["held"] = F("national_holding__held")
    if voided_held:
        values["voided"] = F("voided_at")
    for name in ("CLIENTID", "EPISODID", "DISD"):
        values.setdefault(
            f"i_{name}",
            {"CLIENTID": F("registration__client_id_text"), "EPISODID": F("episode_id")}.get(
                name, F("discharged_on")
            ),
        )
    return rows.values("pk", "organisation_id", "client_id", "service_id", "consent", **values).order_by()


def _compiled(rows: QuerySet[Any, Any]) -> Statement:
    sql, params = rows.query.sql_with_params()
    return Statement(sql, params)


class EpisodeColumns:
    """Resolves an item to the column of the episode query (alias `e`), for the rules; lists are looked up in their own tables."""

    def column(self, item: str) -> str:
        """SQL expression of an item of the client or the episode."""
        found = load_dictionary().item(item)
        if item == "AGNCY":
            return "e.agncy"
        if item == "CONSENT":
            return "e.consent"
        text = f'e."i_{item}"'
        place = place_of(found)
        return f"nullif({text}, '')::date" if found.type == "date" and place.key else text

    def children(self, list_name: str, alias: str) -> tuple[str, ListColumns]:
        """The rows of a list of the episode at hand."""
        listed = LISTS[list_name]
        table = listed.model._meta.db_table
        return (
            f'FROM "{table}" {alias} WHERE {alias}.episode_id = e.pk AND {alias}.voided_at IS NULL',
            ListColumns(listed, alias),
        )

    def beside(self, alias: str) -> tuple[str, OtherEpisode]:
        """The other episodes in use of the client at the service."""
        return (
            f'FROM "{Episode._meta.db_table}" {alias} WHERE {alias}.organisation_id = e.organisation_id '
            f"AND {alias}.client_id = e.client_id AND {alias}.service_id = e.service_id AND {alias}.id <> e.pk "
            f"AND {alias}.voided_at IS NULL",
            OtherEpisode(alias),
        )


@dataclass(frozen=True)
class ListColumns:
    """Resolves an item of a list to a column of its table."""

    listed: ListPlace
    alias: str

    def column(self, item: str) -> str:
        """SQL expression of an item of the list."""
        place = place_of(load_dictionary().item(item))
        if place.key:
            text = f"({self.alias}.items ->> '{place.key}')"
            return f"nullif({text}, '')::date" if place.item.type == "date" else text
        return f"{self.alias}.{self.listed.model._meta.get_field(place.field).column}"

    def children(self, list_name: str, alias: str) -> tuple[str, ListColumns]:
        """Never: a list has no lists."""
        raise LookupError(f"{list_name} is not inside {self.listed.name}")

    def beside(self, alias: str) -> tuple[str, OtherEpisode]:
        """Never: an entry of a list has no episodes beside it."""
        raise LookupError(f"no episode is beside an entry of {self.listed.name}")


@dataclass(frozen=True)
class OtherEpisode:
    """Resolves items to columns of an episode beside the one at hand."""

    alias: str

    def column(self, item: str) -> str:
        """SQL expression of an item that the episode itself holds."""
        return f"{self.alias}.{Episode._meta.get_field(place_of(load_dictionary().item(item)).field).column}"

    def children(self, list_name: str, alias: str) -> tuple[str, ListColumns]:
        """Never: no rule asks for the lists of another episode."""
        raise LookupError(f"{list_name} of another episode")

    def beside(self, alias: str) -> tuple[str, OtherEpisode]:
        """Never: one is beside the other already."""
        raise LookupError("an episode beside an episode beside")


def rule_items(plan: ExtractPlan) -> tuple[Item, ...]:
    """The items that the error rules of the data set read, beside identifiers."""
    names = {name for rule in ERROR_RULES if rule.applies(plan.context) for name in rule.items}
    return tuple(item for item in load_dictionary().items if item.name in names)


def judge(plan: ExtractPlan) -> Statement:
    """Make the temporary table `extract_episode`: every episode of the service with its verdict (contract section 4, first that applies).

    One that was entered in error and may be held nationally is judged `voided`: it is not sent and shows as missing, or, withdrawn, goes as
    any other withdrawal does.

    Columns: episode, client, clientid, episodid, verdict, rules (what holds it back), held, in_reach (open, or ended inside the window).
    """
    base = _compiled(episodes(plan, rule_items(plan), voided_held=True))
    rules, rule_params = sql_failing(ERROR_RULES, EpisodeColumns(), plan.context)
    reporting = plan.kind == ExtractKind.REPORTING
    outside = '(e."i_DISD" < %s)' if reporting else "FALSE"
    window: tuple[Any, ...] = (plan.window_start,) if reporting else ()
    sql = f"""
CREATE TEMPORARY TABLE extract_episode ON COMMIT DROP AS
SELECT j.pk AS episode, j.client_id AS client, j.clientid, j.episodid, j.rules, j.held, j.in_reach,
       CASE WHEN j.verdict <> 'candidate' THEN j.verdict WHEN cardinality(j.rules) > 0 THEN 'held_back' ELSE 'sent' END AS verdict
FROM (
    SELECT e.*, e."i_CLIENTID" AS clientid, e."i_EPISODID" AS episodid, v.verdict, NOT COALESCE({outside}, FALSE) AS in_reach,
           CASE WHEN v.verdict = 'candidate' THEN {rules} END AS rules
    FROM (SELECT b.*, COALESCE(b.held, FALSE) AS is_held, %s::text AS agncy FROM ({base.sql}) b) e,
         LATERAL (SELECT CASE
            WHEN e.consent = 'N' AND e.is_held THEN 'withdrawn'
            WHEN e.voided IS NOT NULL THEN 'voided'
            WHEN e.consent = 'N' THEN 'declined'
            WHEN e.consent <> 'Y' THEN 'not_asked'
            WHEN {outside} THEN 'out_of_window'
            ELSE 'candidate' END AS verdict) v
) j"""
    return Statement(sql, (*window, *rule_params, plan.agency_code, *base.params, *window))


def line_up() -> Statement:
    """Make the temporary table `extract_line`: what the file holds, in its order; a line without an episode is a client's withdrawal."""
    client = ", ".join(sql_identifier_order("l.clientid"))
    episode = ", ".join(sql_identifier_order("l.episodid"))
    return Statement(
        f"""
CREATE TEMPORARY TABLE extract_line ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY {client}, (l.episode IS NULL), {episode}) AS ord, l.episode, l.client, l.clientid
FROM (
    SELECT episode, client, clientid, episodid FROM extract_episode WHERE verdict = 'sent'
    UNION ALL
    SELECT DISTINCT NULL::uuid, client, clientid, NULL::text FROM extract_episode WHERE verdict = 'withdrawn'
) l""",
        (),
    )


# The figures of the manifest, in the order of `counts`.
FIGURES = ("episodes_sent", "withdrawn_clients", "declined_omitted", "not_asked", "out_of_window")


def counts() -> Statement:
    """How many episodes were judged, how many are held back, then `FIGURES`: `collection.manifest_counts` in SQL."""
    figures = ", ".join(
        "(SELECT count(*) FROM extract_line WHERE episode IS NULL)"
        if name == "withdrawn_clients"
        else f"count(*) FILTER (WHERE verdict = '{name.removeprefix('episodes_').removesuffix('_omitted')}')"
        for name in FIGURES
    )
    return Statement(
        "SELECT count(*) FILTER (WHERE verdict <> 'voided'), count(*) FILTER (WHERE verdict = 'held_back'), "
        f"{figures} FROM extract_episode",
        (),
    )


def content(agency: str) -> Statement:
    """Make the temporary table `extract_content`: the one row of `SubmissionContent` but for its keys; it outlives the transaction.

    This is `collection.outlook` in SQL, so that the ids and entries of 600,000 episodes never pass through Python. It is worked out in the
    build's snapshot, and must be published in a later transaction: the snapshot cannot see who holds the lease meanwhile. The ways
    between were: Python, which holds every id twice over; the row itself, written early, which a dead attempt would leave behind and two
    attempts could write over each other; a temporary table of this session. The last one costs that the two transactions must be of one
    connection, so a pooler that changes the server at every transaction cannot stand between workers and PostgreSQL.
    """
    entry = "jsonb_build_array(%s::text, clientid, episodid)"
    order = ", ".join([*sql_identifier_order("clientid"), *sql_identifier_order("episodid")])

    def entries(fate: str) -> str:
        return (
            f"COALESCE((SELECT jsonb_agg({entry} ORDER BY {order}) FROM fated WHERE fate = '{fate}'), '[]')"
        )

    sql = f"""
CREATE TEMPORARY TABLE extract_content ON COMMIT PRESERVE ROWS AS
WITH fated AS MATERIALIZED (
    SELECT episode, clientid, episodid, verdict,
           CASE WHEN verdict = 'sent' THEN 'new' WHEN is_withdrawn THEN 'removed' ELSE 'missing' END AS fate
    FROM (SELECT *, clientid IN (SELECT clientid FROM extract_line WHERE episode IS NULL) AS is_withdrawn FROM extract_episode) j
    WHERE CASE WHEN verdict = 'sent' THEN held IS NOT TRUE ELSE held AND (is_withdrawn OR in_reach) END
)
SELECT COALESCE((SELECT array_agg(episode) FROM extract_line WHERE episode IS NOT NULL), '{{}}') AS carried,
       COALESCE((SELECT array_agg(episode) FROM fated WHERE fate = 'removed'), '{{}}') AS removed,
       COALESCE((SELECT jsonb_object_agg(episodid, to_jsonb(rules)) FROM extract_episode WHERE verdict = 'held_back'), '{{}}')
           AS held_back,
       jsonb_build_object(
           'new', {entries("new")},
           'replaced', (SELECT count(*) FROM extract_episode WHERE verdict = 'sent' AND held),
           'removed_by_consent', {entries("removed")},
           'missing', {entries("missing")},
           'removed_though_agreed', COALESCE((SELECT jsonb_object_agg(episodid, verdict) FROM fated
               WHERE fate = 'removed' AND verdict IN ('out_of_window', 'held_back')), '{{}}')
       ) AS preview"""
    return Statement(sql, (agency,) * sql.count("%s"))


def publish_content(organisation_id: UUID, submission_id: UUID) -> Statement:
    """Write the row that `content` made."""
    return Statement(
        "INSERT INTO ndtms_submissioncontent (organisation_id, submission_id, carried, removed, held_back, preview) "
        "SELECT %s, %s, carried, removed, held_back, preview FROM pg_temp.extract_content",
        (organisation_id, submission_id),
    )


def _written(item: Item) -> str:
    """What the file holds of an item of the client or the episode, on a line of an episode; NULL is written as nothing."""
    column = f'e."i_{item.name}"'
    if item.name in {"FINITIAL", "SINITIAL"}:
        return f"nullif({sql_initial(column)}, '')"
    if item.name == "PC":
        own, home = sql_postcode_district(column), sql_postcode_district('e."i_POSTCODE"')
        return f"COALESCE(nullif({own}, ''), nullif({home}, ''))"
    if item.type == "date":
        return f"nullif({column}, '')::date" if place_of(item).key else column
    return f"nullif({column}, '')"


def _column_of(item: Item, listed: ListPlace) -> str:
    """The column of the list's table that holds an item."""
    place = place_of(item)
    return "items" if place.key else listed.model._meta.get_field(place.field).column


def _listed(item: Item, listed: ListPlace) -> str:
    """What the file holds of an item of a list, from the columns that `stream` has picked."""
    key = place_of(item).key
    column = f"r.{listed.name}_{_column_of(item, listed)}"
    text = f"nullif({column} ->> '{key}', '')" if key else column
    if item.type == "date":
        return f"{text}::date" if key else text
    return text if key else f"nullif({text}, '')"


def stream(plan: ExtractPlan) -> Statement:
    """The SELECT whose rows are the file: as many rows an episode as its longest list, at least one (contract section 5).

    Its first column, `ord`, is the place of the line and not of the file: who streams it takes it off and knows how far it is.

    From the inside out: `o` has one row a line, in order, with what all its rows repeat worked out once and the lists as arrays; `m` takes
    the arrays apart side by side (the shorter ones end in NULL); `r` picks the columns of each list's row once, however many items come
    from it. Each says ORDER BY although the one below did: only so does the planner know, and the wide rows of the file are never sorted.
    """
    own = [item for item in plan.columns if list_of(item) is None]
    base = _compiled(episodes(plan, own))
    used = [listed for listed in LISTS.values() if any(list_of(item) is listed for item in plan.columns)]
    once: list[str] = []
    params: list[Any] = []
    for item in own:
        if item.name == "AGNCY":
            text = "%s::text"
            params.append(plan.agency_code)
        elif item.name == "CLIENTID":
            text = "l.clientid"
        elif item.name == "CONSENT":
            text = "CASE WHEN l.episode IS NULL THEN 'N' ELSE 'Y' END"
        elif item.name == "CMSID":
            text = "CASE WHEN l.episode IS NOT NULL THEN %s::text END"
            params.append(plan.cmsid)
        else:
            text = _written(item)
        once.append(f'{text} AS "{item.name}"')
    repeated = [f'"{item.name}"' for item in own]
    picked = {
        f"(m.{listed.name}).{column} AS {listed.name}_{column}"
        for item in plan.columns
        if (listed := list_of(item)) is not None and (column := _column_of(item, listed))
    }
    file = [
        f'{_listed(item, listed)} AS "{item.name}"' if (listed := list_of(item)) else f'r."{item.name}"'
        for item in plan.columns
    ]
    joins, joined = _list_joins(plan, used)
    longest = ", ".join(["1", *(f"cardinality(o.{listed.name})" for listed in used)])
    sql = f"""
SELECT {", ".join(["r.ord", *file])}
FROM (
    SELECT {", ".join(["m.ord", "m.n", *(f"m.{name}" for name in repeated), *sorted(picked)])}
    FROM (
        SELECT {", ".join(["o.ord", *(f"o.{name}" for name in repeated)])}, generate_series(1, GREATEST({longest})) AS n
               {"".join(f", unnest(o.{listed.name}) AS {listed.name}" for listed in used)}
        FROM (
            SELECT {", ".join(["l.ord", *once, *(f"{listed.name}.rows AS {listed.name}" for listed in used)])}
            FROM extract_line l
            LEFT JOIN ({base.sql}) e ON e.pk = l.episode
            {joins}
            ORDER BY l.ord
        ) o
        ORDER BY o.ord, n
    ) m
    ORDER BY m.ord, m.n
) r
ORDER BY r.ord, r.n"""
    return Statement(sql, (*params, *base.params, *joined))


def _list_joins(plan: ExtractPlan, used: Sequence[ListPlace]) -> tuple[str, tuple[Any, ...]]:
    """One join a list: its rows of each line, in order: by date, an empty date last, then by identifier.

    By line and not by episode, so that they come in the order of the file.
    """
    parts = []
    params: list[Any] = []
    for listed in used:
        table = listed.model._meta.db_table
        date = listed.model._meta.get_field(listed.date_field).column
        order = ", ".join([f"x.{date} NULLS LAST", *sql_identifier_order("x.identifier")])
        parts.append(
            f'LEFT JOIN (SELECT k.ord, array_agg(x ORDER BY {order}) AS rows FROM "{table}" x '
            f"JOIN extract_line k ON k.episode = x.episode_id WHERE x.organisation_id = %s AND x.voided_at IS NULL "
            f"GROUP BY k.ord) {listed.name} ON {listed.name}.ord = l.ord"
        )
        params.append(plan.organisation_id)
    return "\n".join(parts), tuple(params)
