"""Linking across organisations: the sides of proposals, and the functions by which a link is written at a partner (design section 4).

No function takes a value from its caller: what is written at a partner is read from rows that the organisations wrote themselves. They run
as `matcher`, which is nobody's colleague and finds everybody.
"""

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import edatrs.core.crypto
import edatrs.core.database
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.db import migrations, models

AS_MATCHER = "(SELECT current_user) = 'matcher'"
PARTS = ("caseload_clientidentity", "caseload_clientcontact", "caseload_clientequality")
READ_AND_WRITTEN = (*PARTS, "caseload_sensitiverecord", "caseload_linkside")
HISTORIES = (
    "caseload_clienthistory",
    *(f"{table}history" for table in PARTS),
    "caseload_sensitiverecordhistory",
)
POLICIES = [
    (
        f"CREATE POLICY linking ON {table} FOR {command} TO matcher {check} ({AS_MATCHER})",
        f"DROP POLICY linking ON {table}",
    )
    for tables, command, check in (
        (("caseload_client", *READ_AND_WRITTEN), "ALL", "USING"),
        (HISTORIES, "INSERT", "WITH CHECK"),
    )
    for table in tables
]
GRANTS = [
    ("SELECT, UPDATE (person_id)", "caseload_client"),
    ("SELECT, INSERT", "caseload_person"),
    *(("SELECT, INSERT, UPDATE", table) for table in READ_AND_WRITTEN),
    *(("INSERT", table) for table in HISTORIES),
]
_OURS = "nullif(current_setting('app.organisation', true), '')::uuid"
_DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
SENSITIVE = (
    "EXISTS (SELECT FROM caseload_sensitiverecord s WHERE s.client_id = {client} AND s.lifted_at IS NULL)"
)

# As in 0009, and from `matcher` nobody is hidden: what a link does is done for every record, whoever asks for it.
HIDDEN = """
CREATE OR REPLACE FUNCTION caseload_hidden() RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    person uuid := nullif(current_setting('app.person', true), '')::uuid;
    noted_for text := person::text || ' ' || current_setting('app.organisation', true);
    found text;
BEGIN
    IF person IS NULL OR_MATCHER THEN
        RETURN;
    END IF;
    IF current_setting('app.hidden_for', true) IS DISTINCT FROM noted_for THEN
        SELECT string_agg(hidden.client_id::text, ' ') INTO found FROM (
            SELECT c.client_id FROM caseload_conflictofinterest c WHERE c.user_id = person AND c.ended_at IS NULL
            UNION ALL
            SELECT s.client_id
            FROM caseload_sensitiverecord s
            WHERE s.lifted_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM caseload_namedteammember t
                  WHERE t.client_id = s.client_id AND t.user_id = person AND t.removed_at IS NULL
              )
        ) hidden;
        PERFORM set_config('app.hidden', coalesce(found, ''), true), set_config('app.hidden_for', noted_for, true);
    END IF;
    IF current_setting('app.hidden') <> '' THEN
        RETURN QUERY SELECT unnest(string_to_array(current_setting('app.hidden'), ' ')::uuid[]);
    END IF;
END
$$
"""

# One change of what linked records share at a time: whoever writes holds their person first, so that no two wait for each other.
HOLD = """
CREATE FUNCTION caseload_hold_persons(clients uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held uuid[] := '{}';
    found uuid[];
    one uuid;
BEGIN
    LOOP
        SELECT array_agg(DISTINCT c.person_id ORDER BY c.person_id) INTO found FROM caseload_client c WHERE c.id = ANY (clients);
        EXIT WHEN found IS NULL OR found <@ held;
        FOREACH one IN ARRAY found LOOP
            PERFORM pg_advisory_xact_lock(hashtextextended('person ' || one::text, 0));
        END LOOP;
        held := held || found;
    END LOOP;
END
$$
"""

# Whether each two of these organisations have a protocol in force today, asked as each of them; the caller's setting comes back.
SHARE_ALL = """
CREATE FUNCTION caseload_share_all(organisations uuid[]) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    acted_for text := current_setting('app.organisation', true);
    every_two boolean := true;
    one uuid;
BEGIN
    FOREACH one IN ARRAY organisations LOOP
        PERFORM set_config('app.organisation', one::text, true);
        every_two := every_two AND NOT EXISTS (
            SELECT FROM unnest(organisations) other
            WHERE other <> one AND other NOT IN (SELECT partner FROM organisations_partners_in_force() AS partner)
        );
    END LOOP;
    PERFORM set_config('app.organisation', coalesce(acted_for, ''), true);
    RETURN every_two;
END
$$
"""

# What stands in the way of making the persons of these clients one: nothing is the empty text.
PROBLEM = """
CREATE FUNCTION caseload_link_problem(clients uuid[]) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    members uuid[];
    organisations uuid[];
BEGIN
    SELECT array_agg(m.id), array_agg(m.organisation_id) INTO members, organisations FROM caseload_client m
    WHERE m.voided_at IS NULL
      AND m.person_id IN (SELECT c.person_id FROM caseload_client c WHERE c.id = ANY (clients));
    IF members IS NULL OR NOT clients <@ members THEN
        RETURN 'gone';
    END IF;
    IF (SELECT count(DISTINCT o) FROM unnest(organisations) o) < cardinality(organisations) THEN
        RETURN 'conflict';
    END IF;
    IF EXISTS (SELECT FROM unnest(members) m WHERE SENSITIVE) THEN
        RETURN 'sensitive';
    END IF;
    IF NOT caseload_share_all(organisations) THEN
        RETURN 'protocol';
    END IF;
    RETURN '';
END
$$
""".replace("SENSITIVE", SENSITIVE.format(client="m"))

# The partners' records that a client of the organisation acted for is linked with today: both sides stand, one person, a protocol in force.
LINKED = """
CREATE FUNCTION caseload_linked(own_client uuid) RETURNS TABLE (client uuid, organisation uuid, since timestamptz) DEFINER STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT k.id, k.organisation_id, min(theirs.linked_at)
        FROM caseload_client own
        JOIN caseload_linkside mine
          ON mine.client_id = own.id AND mine.organisation_id = own.organisation_id AND mine.state = 'linked'
        JOIN caseload_linkside theirs
          ON theirs.proposal = mine.proposal AND theirs.organisation_id <> mine.organisation_id AND theirs.state = 'linked'
        JOIN caseload_client k ON k.id = theirs.client_id AND k.person_id = own.person_id AND k.voided_at IS NULL
        WHERE own.id = own_client AND own.organisation_id = OURS AND own.voided_at IS NULL
          AND k.organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner))
        GROUP BY k.id, k.organisation_id;
END
$$
"""

# Hands a proposal, as the organisation that asks has written it, to every other organisation whose record would belong to the person.
DELIVER = """
CREATE FUNCTION caseload_link_deliver(own_side uuid) RETURNS text DEFINER AS $$
DECLARE
    mine record;
    asking record;
    asked record;
    problem text;
BEGIN
    SELECT * INTO mine FROM caseload_linkside s
    WHERE s.id = own_side AND s.organisation_id = OURS AND s.asked_by_organisation_id = OURS
      AND s.asks AND s.state = 'open' AND s.answer = 'agreed';
    SELECT c.id, c.person_id, c.record_number INTO asking FROM caseload_client c
    WHERE c.id = mine.client_id AND c.organisation_id = OURS;
    SELECT c.id, c.person_id, c.record_number, c.organisation_id INTO asked FROM caseload_client c
    WHERE c.id = mine.other_client AND c.organisation_id = mine.other_organisation_id AND c.organisation_id <> OURS;
    IF mine.id IS NULL OR asking.id IS NULL OR asked.id IS NULL THEN
        RAISE EXCEPTION 'linking:gone';
    END IF;
    IF EXISTS (SELECT FROM caseload_linkside s WHERE s.proposal = mine.proposal AND s.id <> mine.id) THEN
        RAISE EXCEPTION 'linking:gone';
    END IF;
    IF EXISTS (SELECT FROM caseload_linked(asking.id) l WHERE l.client = asked.id) THEN
        RAISE EXCEPTION 'linking:linked';
    END IF;
    problem := caseload_link_problem(ARRAY[asking.id, asked.id]);
    IF problem <> '' THEN
        RAISE EXCEPTION 'linking:%', problem;
    END IF;
    INSERT INTO caseload_linkside (
        organisation_id, client_id, act, proposal, asks, asked_by_organisation_id, asked_by, asked_by_label, asked_at, reason,
        other_organisation_id, other_client, other_record
    )
    SELECT c.organisation_id, c.id, mine.act, mine.proposal, false, OURS, mine.asked_by, mine.asked_by_label, mine.asked_at, mine.reason,
        CASE WHEN c.person_id = asking.person_id AND c.id <> asked.id THEN asked.organisation_id ELSE OURS END,
        CASE WHEN c.person_id = asking.person_id AND c.id <> asked.id THEN asked.id ELSE asking.id END,
        CASE WHEN c.person_id = asking.person_id AND c.id <> asked.id THEN asked.record_number ELSE asking.record_number END
    FROM caseload_client c
    WHERE c.person_id IN (asking.person_id, asked.person_id) AND c.voided_at IS NULL AND c.id <> asking.id;
    RETURN 'open';
END
$$
"""

# The organisations of a proposal of which the one acted for has a side, each with its own record: for the trail and for tasks.
TOLD = """
CREATE FUNCTION caseload_link_told(own_side uuid) RETURNS TABLE (client uuid, organisation uuid, known_as bigint) DEFINER STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT c.id, c.organisation_id, c.record_number
        FROM caseload_linkside mine
        JOIN caseload_linkside each_side ON each_side.proposal = mine.proposal
        JOIN caseload_client c ON c.id = each_side.client_id AND c.organisation_id = each_side.organisation_id
        WHERE mine.id = own_side AND mine.organisation_id = OURS
        ORDER BY c.organisation_id;
END
$$
"""

# What becomes of a proposal by the answers that the organisations wrote. Linked only when every one of them agreed, and everything holds
# now that held when it was asked: one person of them all, each two under a protocol, no sensitive record, the same records.
SETTLE = """
CREATE FUNCTION caseload_link_settle(own_side uuid) RETURNS text DEFINER AS $$
DECLARE
    mine record;
    clients uuid[];
    members uuid[];
    problem text;
    survivor uuid;
    voided record;
    fresh uuid;
BEGIN
    SELECT s.id, s.proposal, s.state INTO mine FROM caseload_linkside s WHERE s.id = own_side AND s.organisation_id = OURS;
    IF mine.id IS NULL THEN
        RAISE EXCEPTION 'linking:gone';
    END IF;
    IF mine.state <> 'open' THEN
        RETURN mine.state;
    END IF;
    SELECT array_agg(s.client_id) INTO clients FROM caseload_linkside s WHERE s.proposal = mine.proposal;
    PERFORM caseload_hold_persons(clients);
    IF EXISTS (SELECT FROM caseload_linkside s WHERE s.proposal = mine.proposal AND s.asks AND s.answer = 'taken_back') THEN
        UPDATE caseload_linkside SET state = 'taken_back' WHERE proposal = mine.proposal;
        RETURN 'taken_back';
    END IF;
    IF EXISTS (SELECT FROM caseload_linkside s WHERE s.proposal = mine.proposal AND s.answer = 'refused') THEN
        UPDATE caseload_linkside SET state = 'refused' WHERE proposal = mine.proposal;
        RETURN 'refused';
    END IF;
    IF EXISTS (SELECT FROM caseload_linkside s WHERE s.proposal = mine.proposal AND s.answer <> 'agreed') THEN
        RETURN 'open';
    END IF;
    IF cardinality(clients) < 2 OR EXISTS (
        SELECT FROM caseload_linkside s
        LEFT JOIN caseload_linkside t ON t.proposal = s.proposal AND t.organisation_id = s.other_organisation_id
        WHERE s.proposal = mine.proposal AND s.other_client IS DISTINCT FROM t.client_id
    ) THEN
        RAISE EXCEPTION 'linking:changed';
    END IF;
    problem := caseload_link_problem(clients);
    IF problem <> '' THEN
        RAISE EXCEPTION 'linking:%', problem;
    END IF;
    SELECT array_agg(m.id) INTO members FROM caseload_client m
    WHERE m.voided_at IS NULL AND m.person_id IN (SELECT c.person_id FROM caseload_client c WHERE c.id = ANY (clients));
    IF NOT (members <@ clients AND clients <@ members) THEN
        RAISE EXCEPTION 'linking:changed';
    END IF;
    UPDATE caseload_linkside side SET state = 'linked', linked_at = edatrs_now(), person_before = c.person_id
    FROM caseload_client c WHERE c.id = side.client_id AND side.proposal = mine.proposal;
    SELECT c.person_id INTO survivor FROM caseload_client c WHERE c.id = ANY (clients) ORDER BY c.person_id LIMIT 1;
    -- A record out of use does not keep the place of the one in use.
    FOR voided IN
        SELECT v.id FROM caseload_client v
        WHERE v.person_id = survivor AND v.voided_at IS NOT NULL
          AND v.organisation_id IN (SELECT c.organisation_id FROM caseload_client c WHERE c.id = ANY (clients))
    LOOP
        INSERT INTO caseload_person DEFAULT VALUES RETURNING id INTO fresh;
        UPDATE caseload_client SET person_id = fresh WHERE id = voided.id;
    END LOOP;
    UPDATE caseload_client SET person_id = survivor WHERE id = ANY (clients) AND person_id <> survivor;
    RETURN 'linked';
END
$$
"""

# Copies columns of a category of one's own client, as they stand, to every record it is linked with. Contact never from or to a record that
# is sensitive. Returns where something was different.
COPY = """
CREATE FUNCTION caseload_copy_to_linked(own_client uuid, part text, fields text[]) RETURNS TABLE (client uuid, organisation uuid) DEFINER AS $$
DECLARE
    known text[] := CASE part
        WHEN 'identity' THEN ARRAY['title', 'forename', 'surname', 'date_of_birth', 'sex', 'nhs_number']
        WHEN 'contact' THEN ARRAY['address_line_1', 'address_line_2', 'town', 'postcode', 'phone', 'email']
        WHEN 'equality' THEN ARRAY['ethnicity', 'nationality', 'religion', 'sexual_orientation']
    END;
    ours uuid := OURS;
    held text := 'caseload_client' || part;
    sets text;
    here text;
    there text;
    one record;
    done bigint;
BEGIN
    IF known IS NULL OR cardinality(fields) = 0 OR NOT fields <@ known THEN
        RAISE EXCEPTION 'linking:part';
    END IF;
    PERFORM caseload_hold_persons(ARRAY[own_client]);
    SELECT string_agg(format('%I = o.%I', c, c), ', '), string_agg(format('t.%I', c), ', '), string_agg(format('o.%I', c), ', ')
    INTO sets, there, here FROM unnest(fields) c;
    FOR one IN SELECT l.client, l.organisation FROM caseload_linked(own_client) l ORDER BY l.organisation LOOP
        CONTINUE WHEN part = 'contact' AND (SENSITIVE_OWN OR SENSITIVE_THEIRS);
        EXECUTE format(
            'UPDATE %I t SET %s FROM %I o '
            'WHERE o.client_id = $1 AND o.organisation_id = $2 AND t.client_id = $3 AND ROW(%s) IS DISTINCT FROM ROW(%s)',
            held, sets, held, there, here
        ) USING own_client, ours, one.client;
        GET DIAGNOSTICS done = ROW_COUNT;
        IF done = 0 THEN
            EXECUTE format(
                'INSERT INTO %I (organisation_id, client_id, act, %s) SELECT $4, $3, o.act, %s FROM %I o '
                'WHERE o.client_id = $1 AND o.organisation_id = $2 AND NOT EXISTS (SELECT FROM %I t WHERE t.client_id = $3)',
                held, (SELECT string_agg(quote_ident(c), ', ') FROM unnest(fields) c), here, held, held
            ) USING own_client, ours, one.client, one.organisation;
            GET DIAGNOSTICS done = ROW_COUNT;
        END IF;
        IF done > 0 THEN
            client := one.client;
            organisation := one.organisation;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$
""".replace("SENSITIVE_OWN", SENSITIVE.format(client="own_client")).replace(
    "SENSITIVE_THEIRS", SENSITIVE.format(client="one.client")
)

# Raises the sensitive flag that stands on one's own client on every record it is linked with; `sealed` is the reason that the partner reads,
# in the words of the program, encrypted.
RAISE = """
CREATE FUNCTION caseload_raise_on_linked(own_client uuid, sealed text) RETURNS TABLE (client uuid, organisation uuid, known_as bigint) DEFINER AS $$
DECLARE
    flag record;
    one record;
BEGIN
    SELECT s.kind, s.flagged_by_id INTO flag FROM caseload_sensitiverecord s
    WHERE s.client_id = own_client AND s.organisation_id = OURS AND s.lifted_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM caseload_hold_persons(ARRAY[own_client]);
    FOR one IN SELECT l.client, l.organisation FROM caseload_linked(own_client) l ORDER BY l.organisation LOOP
        CONTINUE WHEN SENSITIVE_THEIRS;
        INSERT INTO caseload_sensitiverecord (organisation_id, client_id, kind, reason, flagged_by_id, flagged_at, act)
        VALUES (one.organisation, one.client, flag.kind, sealed, flag.flagged_by_id, edatrs_now(),
            nullif(current_setting('app.act', true), '')::uuid)
        ON CONFLICT (client_id) DO UPDATE SET kind = excluded.kind, reason = excluded.reason, flagged_by_id = excluded.flagged_by_id,
            flagged_at = excluded.flagged_at, lifted_at = NULL;
        client := one.client;
        organisation := one.organisation;
        SELECT c.record_number INTO known_as FROM caseload_client c WHERE c.id = one.client;
        RETURN NEXT;
    END LOOP;
END
$$
""".replace("SENSITIVE_THEIRS", SENSITIVE.format(client="one.client"))

# Gives a client whose sides its organisation has just ended a person of its own. Where only one organisation is left in a proposal, that ends too.
UNLINK = """
CREATE FUNCTION caseload_unlink(own_client uuid) RETURNS text DEFINER AS $$
DECLARE
    ours uuid := OURS;
    proposals uuid[];
    fresh uuid;
BEGIN
    PERFORM caseload_hold_persons(ARRAY[own_client]);
    SELECT array_agg(s.proposal) INTO proposals FROM caseload_linkside s
    WHERE s.client_id = own_client AND s.organisation_id = ours AND s.state = 'ended' AND s."left"
      AND s.act = nullif(current_setting('app.act', true), '')::uuid;
    IF proposals IS NULL OR EXISTS (
        SELECT FROM caseload_linkside s WHERE s.client_id = own_client AND s.organisation_id = ours AND s.state = 'linked'
    ) THEN
        RAISE EXCEPTION 'linking:gone';
    END IF;
    INSERT INTO caseload_person DEFAULT VALUES RETURNING id INTO fresh;
    UPDATE caseload_client SET person_id = fresh WHERE id = own_client AND organisation_id = ours;
    UPDATE caseload_linkside rest
    SET state = 'ended', ended_at = mine.ended_at, ended_by_organisation_id = ours, ended_by_label = mine.ended_by_label,
        end_reason = mine.end_reason
    FROM caseload_linkside mine
    WHERE mine.client_id = own_client AND mine.organisation_id = ours AND mine.proposal = ANY (proposals)
      AND rest.proposal = mine.proposal AND rest.id <> mine.id AND rest.state = 'linked'
      AND 2 > (SELECT count(*) FROM caseload_linkside other WHERE other.proposal = mine.proposal AND other.state = 'linked');
    RETURN 'ended';
END
$$
"""

# Takes an unlinking back for the organisation that did it, within 30 days, where nothing else was linked meanwhile.
RELINK = """
CREATE FUNCTION caseload_relink(own_client uuid) RETURNS text DEFINER AS $$
DECLARE
    ours uuid := OURS;
    own record;
    latest record;
    proposals uuid[];
    rest uuid[];
    members uuid[];
    organisations uuid[];
BEGIN
    SELECT s.ended_at, s.group_person INTO latest FROM caseload_linkside s
    WHERE s.client_id = own_client AND s.organisation_id = ours AND s.state = 'ended' AND s."left"
      AND s.ended_at > edatrs_now() - interval '30 days'
    ORDER BY s.ended_at DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'linking:late';
    END IF;
    PERFORM caseload_hold_persons(ARRAY[own_client]);
    SELECT array_agg(s.proposal) INTO proposals FROM caseload_linkside s
    WHERE s.client_id = own_client AND s.organisation_id = ours AND s.state = 'ended' AND s."left" AND s.ended_at = latest.ended_at;
    SELECT array_agg(DISTINCT s.client_id) INTO rest FROM caseload_linkside s
    WHERE s.proposal = ANY (proposals) AND s.organisation_id <> ours
      AND (s.state = 'linked' OR s.state = 'ended' AND NOT s."left" AND s.ended_by_organisation_id = ours AND s.ended_at = latest.ended_at);
    PERFORM caseload_hold_persons(own_client || rest);
    SELECT c.id, c.person_id INTO own FROM caseload_client c
    WHERE c.id = own_client AND c.organisation_id = ours AND c.voided_at IS NULL;
    SELECT array_agg(c.id), array_agg(c.organisation_id) INTO members, organisations FROM caseload_client c
    WHERE c.person_id = latest.group_person AND c.voided_at IS NULL;
    IF own.id IS NULL OR rest IS NULL OR members IS NULL OR NOT (members <@ rest AND rest <@ members)
        OR EXISTS (SELECT FROM caseload_client c WHERE c.person_id = own.person_id AND c.id <> own.id)
        OR EXISTS (SELECT FROM caseload_client c WHERE c.person_id = latest.group_person AND c.organisation_id = ours)
        OR EXISTS (SELECT FROM caseload_linkside s WHERE s.client_id = ANY (own_client || rest) AND s.linked_at > latest.ended_at)
    THEN
        RAISE EXCEPTION 'linking:changed';
    END IF;
    IF EXISTS (SELECT FROM unnest(own_client || rest) m WHERE SENSITIVE) THEN
        RAISE EXCEPTION 'linking:sensitive';
    END IF;
    IF NOT caseload_share_all(ours || organisations) THEN
        RAISE EXCEPTION 'linking:protocol';
    END IF;
    UPDATE caseload_linkside
    SET state = 'linked', "left" = false, ended_at = NULL, ended_by_organisation_id = NULL, ended_by_label = '', end_reason = NULL,
        group_person = NULL
    WHERE proposal = ANY (proposals)
      AND (client_id = own_client OR state = 'ended' AND NOT "left" AND ended_by_organisation_id = ours AND ended_at = latest.ended_at);
    UPDATE caseload_client SET person_id = latest.group_person WHERE id = own_client;
    RETURN 'linked';
END
$$
""".replace("SENSITIVE", SENSITIVE.format(client="m"))

# At a merge inside an organisation: where the record that goes is linked, the one that stays takes its person. Both linked cannot be merged.
SWAP = """
CREATE FUNCTION caseload_swap_person(survivor uuid, merged uuid) RETURNS boolean DEFINER AS $$
DECLARE
    ours uuid := OURS;
    stays record;
    goes record;
    fresh uuid;
BEGIN
    SELECT c.id, c.person_id INTO stays FROM caseload_client c WHERE c.id = survivor AND c.organisation_id = ours;
    SELECT c.id, c.person_id INTO goes FROM caseload_client c WHERE c.id = merged AND c.organisation_id = ours;
    IF stays.id IS NULL OR goes.id IS NULL OR stays.id = goes.id THEN
        RAISE EXCEPTION 'linking:gone';
    END IF;
    -- A person that only the operator's keys made one stays: the next bundle means this record by it.
    IF NOT EXISTS (SELECT FROM caseload_linkside s WHERE s.client_id = goes.id AND s.organisation_id = ours AND s.state = 'linked') THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM caseload_client c WHERE c.person_id = stays.person_id AND c.organisation_id <> ours) THEN
        RAISE EXCEPTION 'linking:both';
    END IF;
    INSERT INTO caseload_person DEFAULT VALUES RETURNING id INTO fresh;
    UPDATE caseload_client SET person_id = fresh WHERE id = goes.id;
    UPDATE caseload_client SET person_id = goes.person_id WHERE id = stays.id;
    UPDATE caseload_client SET person_id = stays.person_id WHERE id = goes.id;
    RETURN true;
END
$$
"""

# How one's own record and the partner's compare, of a proposal that waits: same, different, or not recorded in one of them; no value.
COMPARE = """
CREATE FUNCTION caseload_link_compare(own_side uuid) RETURNS TABLE (field text, answer text) DEFINER STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT f.name, CASE WHEN f.a = '' OR f.b = '' THEN 'missing' WHEN f.a = f.b THEN 'same' ELSE 'different' END
        FROM caseload_linkside mine
        JOIN caseload_linkside other ON other.proposal = mine.proposal AND other.organisation_id = mine.other_organisation_id
        LEFT JOIN caseload_clientidentity i ON i.client_id = mine.client_id
        LEFT JOIN caseload_clientidentity j ON j.client_id = other.client_id
        LEFT JOIN caseload_clientcontact k ON k.client_id = mine.client_id
        LEFT JOIN caseload_clientcontact l ON l.client_id = other.client_id
        CROSS JOIN LATERAL (
            SELECT x.place, x.name, lower(regexp_replace(coalesce(x.a, ''), '[^[:alnum:]]', '', 'g')) AS a,
                lower(regexp_replace(coalesce(x.b, ''), '[^[:alnum:]]', '', 'g')) AS b
            FROM (VALUES
                (1, 'forename', i.forename, j.forename), (2, 'surname', i.surname, j.surname),
                (3, 'date_of_birth', i.date_of_birth::text, j.date_of_birth::text), (4, 'sex', i.sex, j.sex),
                (5, 'nhs_number', i.nhs_number, j.nhs_number), (6, 'postcode', k.postcode, l.postcode)
            ) AS x (place, name, a, b)
        ) f
        WHERE mine.id = own_side AND mine.organisation_id = OURS AND mine.state = 'open'
        ORDER BY f.place;
END
$$
"""
# (function, statement, who may call it, whose rights it has where not its caller's)
FUNCTIONS = (
    ("caseload_hold_persons(uuid[])", HOLD, "app, matcher", ""),
    ("caseload_share_all(uuid[])", SHARE_ALL, "matcher", ""),
    ("caseload_link_problem(uuid[])", PROBLEM, "matcher", ""),
    ("caseload_linked(uuid)", LINKED, "app", "matcher"),
    ("caseload_link_deliver(uuid)", DELIVER, "app", "matcher"),
    ("caseload_link_told(uuid)", TOLD, "app", "matcher"),
    ("caseload_link_settle(uuid)", SETTLE, "app", "matcher"),
    ("caseload_copy_to_linked(uuid, text, text[])", COPY, "app", "matcher"),
    ("caseload_raise_on_linked(uuid, text)", RAISE, "app", "matcher"),
    ("caseload_unlink(uuid)", UNLINK, "app", "matcher"),
    ("caseload_relink(uuid)", RELINK, "app", "matcher"),
    ("caseload_swap_person(uuid, uuid)", SWAP, "app", "matcher"),
    ("caseload_link_compare(uuid)", COMPARE, "app", "matcher"),
)


def _made(statement):
    return statement.replace("OURS", _OURS).replace("DEFINER", _DEFINER)


def _given(function, callers, owner):
    """To whom may call it alone; with the rights of `matcher`, which may create in the schema for this moment only."""
    given = (
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO {callers}"
    )
    if owner:
        given += (
            f"; GRANT CREATE ON SCHEMA public TO {owner}; ALTER FUNCTION {function} OWNER TO {owner}; "
            f"REVOKE CREATE ON SCHEMA public FROM {owner}"
        )
    return given


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0012_list_export"),
        ("organisations", "0010_protocol_more"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkSide",
            fields=[
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "proposal",
                    models.UUIDField(editable=False, help_text="The same for every side of one proposal"),
                ),
                ("asks", models.BooleanField(db_default=False, default=False, editable=False)),
                (
                    "asked_by",
                    models.UUIDField(help_text="The person; an id, no foreign key, so that it outlives them"),
                ),
                ("asked_by_label", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                (
                    "other_client",
                    models.UUIDField(editable=False, help_text="The partner's record as it was when asked"),
                ),
                ("other_record", models.BigIntegerField(blank=True, editable=False, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for an answer"),
                            ("linked", "Linked"),
                            ("refused", "Refused"),
                            ("taken_back", "Taken back"),
                            ("ended", "Unlinked"),
                        ],
                        db_default="open",
                        default="open",
                        max_length=12,
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("agreed", "Agreed"), ("refused", "Refused"), ("taken_back", "Taken back")],
                        db_default="",
                        default="",
                        max_length=12,
                    ),
                ),
                ("answered_by_label", models.TextField(blank=True, db_default="", default="")),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answer_reason", edatrs.core.crypto.EncryptedTextField(blank=True, null=True)),
                ("linked_at", models.DateTimeField(blank=True, null=True)),
                ("person_before", models.UUIDField(blank=True, editable=False, null=True)),
                ("left", models.BooleanField(db_default=False, default=False, editable=False)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by_label", models.TextField(blank=True, db_default="", default="")),
                ("end_reason", edatrs.core.crypto.EncryptedTextField(blank=True, null=True)),
                ("group_person", models.UUIDField(blank=True, editable=False, null=True)),
                (
                    "asked_by_organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="link_sides",
                        to="caseload.client",
                    ),
                ),
                (
                    "ended_by_organisation",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "other_organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organisation", "client"], name="link_side_of_client"),
                    models.Index(fields=["client", "state"], name="link_side_standing"),
                    models.Index(fields=["proposal"], name="link_side_of_proposal"),
                ],
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client"),
                        name="link_side_of_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    ),
                    models.UniqueConstraint(
                        fields=("organisation", "proposal"), name="one_side_an_organisation"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "linked"), _negated=True),
                            models.Q(
                                ("answer", "agreed"),
                                ("linked_at__isnull", False),
                                ("person_before__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="linked_when_agreed",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="linkside",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="b53a6149c5267ffa1536ae31127cd33aa61fe260",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_c61e4",
                    table="caseload_linkside",
                    when="BEFORE",
                ),
            ),
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "caseload_linkside"),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", "caseload_linkside"),
        edatrs.core.database.RowSecurity("caseload_linkside"),
        edatrs.core.database.Policy(
            "caseload_linkside",
            "hidden",
            edatrs.core.database.NOT_HIDDEN.format(client="client_id"),
            command="ALL",
            restrictive=True,
        ),
        *(
            migrations.RunSQL(
                f"GRANT {rights} ON {table} TO matcher", f"REVOKE {rights} ON {table} FROM matcher"
            )
            for rights, table in GRANTS
        ),
        migrations.RunSQL(
            HIDDEN.replace("OR_MATCHER", "OR current_user = 'matcher'"), HIDDEN.replace(" OR_MATCHER", "")
        ),
        *(migrations.RunSQL(make, take) for make, take in POLICIES),
        *(
            operation
            for function, make, callers, owner in FUNCTIONS
            for operation in (
                migrations.RunSQL(_made(make), f"DROP FUNCTION {function}"),
                migrations.RunSQL(_given(function, callers, owner), migrations.RunSQL.noop),
            )
        ),
    ]
