"""What a channel is: something that takes a message to staff, or says why it could not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class NotSent(Exception):
    """The other side did not take the message; the text says why, without its contents and without secrets."""


@dataclass(frozen=True, slots=True)
class Message:
    """One notice as it leaves: no name, phone or details.

    `id` stays the same however often it is tried, so that a receiver that can tell repeats can drop them.
    `recipient` is one member's address, or empty for all whom the channel reaches.
    """

    id: str
    reference: str
    text: str
    recipient: str = ""

    @property
    def subject(self) -> str:
        first_line = self.text.partition("\n")[0]
        return f"[{self.reference}] {first_line}" if self.reference else first_line


class Channel(Protocol):
    """One way to staff."""

    @property
    def name(self) -> str:
        """As in settings, in the register of processors and in the outbox."""

    @property
    def target(self) -> str:
        """Where it leads, as staff may read it: without a secret."""

    def send(self, message: Message) -> str:
        """Hand the message over; returns what the other side answered. Raises NotSent."""
