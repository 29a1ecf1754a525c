"""The worker beside the web workers: it sends notices, empties the spool, deals out leads, ranks them where the rules
changed, and deletes whose time is over.

It works with the application's own desk, keys and databases, as they were loaded; so nothing is left that could fail
once its threads run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from flask import Flask

from xinheng.housekeeping import Housekeeping
from xinheng.leads import drainer
from xinheng.leads.absence import Absence
from xinheng.leads.dealing import Dealing
from xinheng.leads.digest import Digest
from xinheng.leads.escalation import Escalation
from xinheng.leads.idle import IdleLeads
from xinheng.leads.ranking import Ranking
from xinheng.leads.trail import Trail
from xinheng.leads.untold import Untold
from xinheng.notices.worker import PostOffice, Sweep


def work_beside(app: Flask, stopping: threading.Event) -> None:
    """Work until told to stop; what is under way is finished. An error stops all of it, and no thread outlives it."""
    held = app.extensions
    databases = held["xinheng.databases"]
    reception = held["xinheng.consultation"].reception
    origin = app.config["ORIGIN"]
    ranking = Ranking(databases.leads, held["xinheng.keys"], held["xinheng.priority"])
    dealing, idle, absence = _assignment(app)
    late = Escalation(
        Trail(held["xinheng.keys"]),
        held["xinheng.assigner"],
        held["xinheng.calendar"],
        held["xinheng.response"],
        site=origin,
    )
    sweeps: list[Sweep] = [
        Untold(origin),
        late,
        Digest(origin, reception.spool, held["xinheng.calendar"]),
        ranking.unranked,
        idle,
        absence,
    ]
    office = PostOffice(databases.leads, held["xinheng.channels"], sweeps)
    works = {
        "deal-leads": dealing.run,
        "drain-spool": partial(drainer.run, reception.desk, reception.spool),
        "housekeeping": Housekeeping(
            databases.leads,
            databases.counters,
            held["xinheng.keys"],
            held["xinheng.deletion"],
            held["xinheng.made_files"],
        ).run,
        "rank-leads": ranking.run,
        "send-notices": office.run,
    }
    threads = [
        threading.Thread(target=_all_or_none, args=[work, stopping], name=name)
        for name, work in works.items()
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:  # not on `stopping`, which a signal's handler sets in this thread
            thread.join()
    finally:
        stopping.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        databases.dispose()


def _assignment(app: Flask) -> tuple[Dealing, IdleLeads, Absence]:
    """Who takes new leads, what goes back to the pool, and what lies with those who are away."""
    held, site = app.extensions, app.config["ORIGIN"]
    trail, rules, calendar = (
        Trail(held["xinheng.keys"]),
        held["xinheng.assignment_rules"],
        held["xinheng.calendar"],
    )
    database, assigner = held["xinheng.databases"].leads, held["xinheng.assigner"]
    return (
        Dealing(database, trail, assigner, rules, calendar, site=site),
        IdleLeads(trail, rules, calendar, site=site),
        Absence(calendar, site),
    )


def _all_or_none(work: Callable[[threading.Event], None], stopping: threading.Event) -> None:
    """Half of the work going on would look like all of it."""
    try:
        work(stopping)
    finally:
        stopping.set()
