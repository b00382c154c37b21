"""What a bot keeps on disk, opened together: journal, memory, latch, keys, verifier."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.control.envelope import PrivateKey
from adapters.control.keys import KeyRing, account_hash, open_bot_key, open_ring
from adapters.control.latch import DiskLatch, open_latch
from adapters.control.verifier import Verifier
from adapters.journal.reader import Remembered, remembered
from adapters.journal.store import Owner, SqliteJournal, open_journal
from bot.ports import Clock
from config.settings import Settings

JOURNAL_FILE = "journal.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state folder of one bot, opened."""

    journal: SqliteJournal
    memory: Remembered
    latch: DiskLatch
    ring: KeyRing
    bot_key: PrivateKey
    account_hash: str
    verifier: Verifier


def open_standing(folder: Path, settings: Settings, clock: Clock, at: datetime) -> Standing:
    """Open everything in a state folder, new where there is nothing.

    Raises:
        RefusedStartError: Something in there cannot be used; the message says what and how to mend it.
        JournalError: The journal describes something impossible.
    """
    account = settings.broker.account
    owner = Owner(bot=settings.bot, profile=settings.profile.value, account=account)
    journal = open_journal(folder / JOURNAL_FILE, owner)
    try:
        memory = remembered(folder / JOURNAL_FILE, at, settings.account.transfer)
        ring, bot_key = open_ring(folder, settings.control.keys_file), open_bot_key(folder)
    except BaseException:
        journal.close()
        raise
    hashed = account_hash(account, bot_key)
    return Standing(
        journal=journal,
        memory=memory,
        latch=open_latch(folder, f"{owner.bot}/{owner.profile}/{owner.account}", memory.latch_mode),
        ring=ring,
        bot_key=bot_key,
        account_hash=hashed,
        verifier=Verifier(ring=ring, bot=settings.bot, account_hash=hashed, clock=clock),
    )
