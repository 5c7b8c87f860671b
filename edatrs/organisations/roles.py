"""The one table role -> acts.

The columns are the eight roles in the order of `choices.Role`; the letters say for which records: O own clients, S shared with us, B one
person in emergency access, N and N+ people we have no access to, A the organisation's own things, P partnership-wide, - never. A dot
stands for an act that needs no category. The tests hold this table against `access.csv`, which was written from the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edatrs.organisations.choices import Role

_TABLE = """
client.find                 .              OS   OS   OS   O    -    -    -    -
client.register             .              O    O    O    -    -    -    -    -
client.view                 identity       OSB  OSB  OS   O    -    B    -    -
client.view                 contact        OSB  OSB  OS   O    -    B    -    -
client.view                 equality       OSB  OSB  OS   O    -    B    -    -
client.view                 disability     OSB  OSB  OS   O    -    B    -    -
client.view                 circumstances  OSB  OSB  OS   O    -    B    -    -
client.view                 health         OSB  OSB  OS   O    -    B    -    -
client.view                 prescribing    OSB  OSB  OS   -    -    B    -    -
client.view                 safeguarding   OSB  OSB  OS   -    -    B    -    -
client.view                 offending      OSB  OSB  OS   O    -    B    -    -
client.view                 risk           OSB  OSB  OS   -    -    B    -    -
client.view                 treatment      OSB  OSB  OS   O    -    B    -    -
client.edit                 identity       O    O    O    O    -    -    -    -
client.edit                 contact        O    O    O    -    -    -    -    -
client.edit                 treatment      O    O    O    O    -    -    -    -
client.edit                 equality       O    O    O    O    -    -    -    -
client.edit                 disability     O    O    O    O    -    -    -    -
client.edit                 circumstances  O    O    O    O    -    -    -    -
client.edit                 health         O    O    O    O    -    -    -    -
client.edit                 risk           O    O    O    -    -    -    -    -
client.edit                 safeguarding   O    O    O    -    -    -    -    -
client.edit                 offending      O    O    O    O    -    -    -    -
client.edit                 prescribing    -    O    -    -    -    -    -    -
client.void                 .              O    O    O    -    -    -    -    -
client.merge                .              -    -    O    -    -    -    -    -
client.link                 .              -    -    O    -    -    A    -    -
note.read                   .              O    O    O    -    -    -    -    -
note.write                  .              O    O    O    -    -    -    -    -
caseload.view               .              O    O    O    -    -    -    -    -
caseload.allocate           .              -    -    O    -    -    -    -    -
caseload.transfer           .              -    -    O    -    -    -    -    -
consent.ndtms.record        .              O    O    O    O    -    -    -    -
consent.share.record        .              O    O    O    -    -    -    -    -
grant.withdraw              .              O    O    O    -    -    O    -    -
grant.view                  .              O    O    O    -    -    O    -    -
grant.without_consent       .              -    -    O    -    -    O    -    -
disclosure.record           .              O    O    O    -    -    -    -    -
sharing.ask                 .              N    N    N    -    -    -    -    -
break_glass.open            .              N+   N+   -    -    -    N+   -    -
trail.client                .              O    O    O    -    -    O    -    -
trail.search                .              -    -    -    -    -    A    -    -
trail.verify                .              -    -    -    -    -    A    -    A
list.export                 .              -    -    O    O    -    A    -    -
quality.list                .              O    O    O    O    -    -    -    -
import.caseload             .              -    -    -    A    -    -    -    -
extract.build               .              -    -    -    A    -    -    -    -
extract.preview             .              -    -    -    A    -    -    -    -
extract.download            .              -    -    -    A    -    -    -    -
extract.confirm             .              -    -    -    A    -    -    -    -
submissions.view            .              -    -    A    A    -    A    -    -
people.manage               .              -    -    -    -    A    -    -    -
services.manage             .              -    -    -    -    A    -    -    -
people.leave                .              -    -    A    -    A    -    -    -
access.review               .              -    -    -    -    A    A    -    -
second_factor.reset         .              -    -    -    -    A    -    -    -
protocol.view               .              P    P    P    P    P    P    P    P
protocol.edit               .              -    -    -    -    -    A    -    -
protocol.sign               .              -    -    -    -    -    A    -    -
breach.report               .              P    P    P    P    P    P    P    P
breach.manage               .              -    -    -    -    -    A    -    -
rights.receive              .              P    P    P    P    P    P    -    -
rights.manage               .              -    -    -    -    -    A    -    -
restriction.set             .              -    -    -    -    -    A    -    -
retention.approve           .              -    -    -    -    -    A    -    -
dashboards.partnership      .              -    -    -    -    -    P    P    -
dashboards.organisation     .              -    -    A    A    -    A    -    -
reference.view              .              P    P    P    P    P    P    P    P
tokens.manage               .              -    -    -    A    A    -    -    -
support.enter               .              -    -    -    -    -    -    -    A
account.recover             .              P    P    P    P    P    P    P    P
tasks.own                   .              P    P    P    P    P    P    P    P
"""


def _read() -> dict[tuple[str, str], Mapping[str, str]]:
    table: dict[tuple[str, str], Mapping[str, str]] = {}
    for line in _TABLE.strip().splitlines():
        act, category, *cells = line.split()
        given = {role.value: cell for role, cell in zip(Role, cells, strict=True) if cell != "-"}
        table[act, "" if category == "." else category] = MappingProxyType(given)
    return table


ACTS: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType(_read())
