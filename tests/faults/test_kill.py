"""kill -9 at random under visitors: whatever they were told exists once. Two minutes a database; KILL_ROUNDS for more."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.faults.kill_rounds import Rounds
from tests.postgres import PostgresServer

pytestmark = pytest.mark.faults
ROUNDS = int(os.environ.get("KILL_ROUNDS", "25"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_reference_that_was_received_exists_exactly_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"seed {seed}")  # pytest shows it where the test fails
    with ExitStack() as held:
        url = ""
        if kind == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = held.enter_context(server.database())
        rounds = Rounds(tmp_path, url, seed)
        held.callback(rounds.site.kill)
        rounds.run(ROUNDS)
        print(
            f"{ROUNDS} rounds: {len(rounds.told.all())} references told, {rounds.spooled} seen in the spool after a kill"
        )
        assert rounds.told.all()
        assert rounds.spooled, "in some rounds the database refused"
