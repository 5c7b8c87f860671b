"""A load that one organisation brings itself, through the browser: what it may not do, and who its client keys are.

Its keys mean something inside one bundle only: people are found by agency code and client id (contract section 2). It makes and changes
no service, never looks at the operator's keys, and so can neither link a person to another organisation's nor learn of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from ndtms.bundle import Problems
from ndtms.load_checks import NOT_OWN, report
from ndtms.load_sql import keyed_clients, run

if TYPE_CHECKING:
    from ndtms.caseload_import import Staging


def services(staging: Staging, organisation: UUID, slug: str, problems: Problems) -> None:
    """`load_result` and `load_agency`: the organisation's own services, as they are held. Lines for anything else are reported."""
    run(
        "CREATE TEMPORARY TABLE load_result (file text, line integer, created boolean, changed boolean) ON COMMIT DROP"
    )
    run(
        "CREATE TEMPORARY TABLE load_agency ON COMMIT DROP AS SELECT agency_code, id AS service_id, organisation_id, dataset "
        "FROM organisations_service WHERE organisation_id = %s",
        [organisation],
    )
    run("ANALYZE load_agency")
    if not staging.has("services.csv"):
        return
    # The same words for a partner that exists and for one that does not.
    report(
        problems,
        "services.csv",
        "organisation",
        "SELECT line, 'you load for ' || %s::text || ': take out the lines of other organisations' "
        "FROM load_services WHERE organisation NOT IN ('', %s)",
        [slug, slug],
    )
    report(
        problems,
        "services.csv",
        "agency_code",
        f"SELECT line, 'unknown agency ' || left(agency_code, 20) || ': {NOT_OWN}' FROM load_services s "
        "WHERE agency_code <> '' AND organisation IN ('', %s) "
        "AND NOT EXISTS (SELECT FROM load_agency a WHERE a.agency_code = s.agency_code)",
        [slug],
    )
    report(
        problems,
        "services.csv",
        "dataset",
        "SELECT line, 'the service reports by the data set ' || a.dataset || ' here: a load does not change services. "
        "The organisation administrator does' FROM load_services s JOIN load_agency a USING (agency_code) "
        "WHERE s.dataset IN ('adult', 'yp', 'cjit') AND s.dataset <> a.dataset",
    )
    run("INSERT INTO load_result SELECT 'services.csv', line, FALSE, FALSE FROM load_services")


def people_of_keys(staging: Staging, problems: Problems) -> None:
    """`load_key`: the client that is held for each client key, by any registration that the bundle gives it.

    Reported: a key that means two people who are held, a person with two keys, and keys without a line where one must be.
    """
    run(
        "CREATE TEMPORARY TABLE load_key (client_key text PRIMARY KEY, client_id uuid, line integer) ON COMMIT DROP"
    )
    if not staging.has("registrations.csv"):
        return
    run(
        "CREATE TEMPORARY TABLE load_named ON COMMIT DROP AS SELECT r.client_key, r.line, h.client_id "
        "FROM load_registrations r JOIN load_agency a USING (agency_code) "
        "JOIN caseload_registration h ON h.service_id = a.service_id AND h.clientid = r.client_id WHERE r.client_key <> ''"
    )
    run(
        "INSERT INTO load_key SELECT DISTINCT ON (client_key) client_key, client_id, line FROM load_named ORDER BY client_key, line"
    )
    run("ANALYZE load_key")
    report(
        problems,
        "registrations.csv",
        "client_key",
        "SELECT n.line, 'this registration is held for another person than line ' || k.line || ', which has the same key: "
        "a load cannot move it' FROM load_named n JOIN load_key k USING (client_key) WHERE k.client_id <> n.client_id",
    )
    report(
        problems,
        "registrations.csv",
        "client_key",
        "SELECT line, 'one record is held of this person and of line ' || first || ', which has another key: give both the same key' "
        "FROM (SELECT client_key, line, min(line) OVER (PARTITION BY client_id) AS first FROM load_key) k WHERE line <> first",
    )
    has_clients = staging.has("clients.csv")
    report(
        problems,
        "registrations.csv",
        "client_key",
        "SELECT line, 'no line of clients.csv has this key' FROM load_registrations r WHERE client_key <> '' "
        "AND NOT EXISTS (SELECT FROM load_key k WHERE k.client_key = r.client_key)"
        + (
            " AND NOT EXISTS (SELECT FROM load_clients c WHERE c.client_key = r.client_key)"
            if has_clients
            else ""
        ),
    )
    if has_clients:
        report(
            problems,
            "clients.csv",
            "client_key",
            "SELECT line, 'no line of registrations.csv has this key: people are found by agency code and client id' "
            "FROM load_clients c WHERE client_key <> '' "
            "AND NOT EXISTS (SELECT FROM load_registrations r WHERE r.client_key = c.client_key)",
        )


def people(staging: Staging) -> None:
    """`load_person`: the person of every client key; a person who is not held here is new, whoever else may know them."""
    run(
        "CREATE TEMPORARY TABLE load_person ON COMMIT DROP AS "
        "SELECT b.client_key, COALESCE(c.person_id, gen_random_uuid()) AS person_id, k.client_id IS NULL AS is_new "
        "FROM (SELECT DISTINCT client_key FROM load_registrations) b LEFT JOIN load_key k USING (client_key) "
        f"LEFT JOIN {keyed_clients()} c ON c.id = k.client_id"
    )
    run("INSERT INTO caseload_person (id) SELECT person_id FROM load_person WHERE is_new")
    run("ANALYZE load_person")
    if staging.has("clients.csv"):
        run(
            "INSERT INTO load_result SELECT 'clients.csv', t.line, p.is_new, FALSE "
            "FROM load_clients t JOIN load_person p USING (client_key)"
        )
