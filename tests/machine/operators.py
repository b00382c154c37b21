"""The people of the state machine: they draw commands, good ones and bad ones, and the world knows which are which.

How it works: a command is made good in everything, and then perhaps spoilt in something. What is good and could loosen
gives a leave to the judge of I21, in a world of two keys only where another key has signed the same within five minutes
and no kill has come between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bot.domain.command import Channel, Command, CommandName, Proof, Role
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Unknown
from bot.domain.overrides import Refusal
from tests.machine.desk import CHALLENGE_LIFE, Desk, Keeper
from tests.machine.strictness import MAY_BE_WAIVED, Leave

ALL = frozenset(Role)
KEYS = {"key-a": ALL, "key-b": ALL, "key-c": frozenset({Role.KILL, Role.RESUME})}
WITH_RISK = frozenset({CommandName.LIMIT, CommandName.OVERRIDE})
ON_SOUND_BOOKS = frozenset({CommandName.RESUME, CommandName.ARM, CommandName.UNLOCK, CommandName.OVERRIDE})
COMPARED_WITHIN = timedelta(seconds=60)
FAULTS = (
    *("unsigned", "local", "role", "stale", "early", "expired", "undated", "epoch"),
    *("spent", "guessed", "replayed", "retained", "reason"),
)
LIMITS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "max_orders_per_day": (("40", 40), ("40", 40), ("25", 25), ("12", 12)),
    "max_contracts_per_leg": (("100", 100), ("200", 200), ("20", 20)),
    "max_order_value_usd": (("50000", Decimal(50_000)), ("20000", Decimal(20_000))),
    "max_hedge_cost_frac": (("0.40", Decimal("0.40")), ("0.40", Decimal("0.40")), ("0.30", Decimal("0.30"))),
    "max_worst_loss_frac": (("0.05", Decimal("0.05")), ("0.045", Decimal("0.045"))),
    "max_instruments": (("40", 40), ("30", 30)),
    "max_working_orders": (("20", 20), ("8", 8)),
    "session_edge_minutes": (("10", 10.0), ("15", 15.0)),
    "expiry_guard_sessions": (("2", 2), ("3", 3)),
    "future_margin_frac": (("0.50", Decimal("0.50")), ("0.60", Decimal("0.60"))),
    "permitted_classes": (
        ("VIX,VIXW,VX,VXM,SPX,SPXW", frozenset({"VIX", "VIXW", "VX", "VXM", "SPX", "SPXW"})),
        ("VIX,VX,VXM,SPX,SPXW", frozenset({"VIX", "VX", "VXM", "SPX", "SPXW"})),
    ),
    "accounts": (("U999", None),),
    "max_gross_leverage": (("5", None), ("2", Decimal(2))),
    "no_such_limit": (("1", None),),
}
"""By name: texts, and the values that they mean; None where no command may set it. None is looser than the oracle."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of the bot."""

    name: CommandName
    args: Mapping[str, str | int] = field(default_factory=dict)
    leave: Leave | None = None  # what it would loosen; None where nothing, or where nobody may


class Operators:
    """Three keys; what they know is what the bot publishes."""

    def __init__(self, keys_required: int) -> None:
        """Nobody has said anything."""
        self.keys_required = keys_required
        self._sequence = 0
        self._said: list[Command] = []
        self._signed: dict[tuple[int, str], dict[str, datetime]] = {}

    def wish(self, bot: Keeper, chance: Random) -> Wish:
        """Draw what is wanted: most often what brings the bot back to work."""
        state, now = bot.engine.state, bot.clock.now()
        is_strict = max(bot.latch.mode, state.restraints.mode) is not TradingMode.NORMAL
        locks, refused = sorted(state.standing().locks), state.waivers.refusals.known(now)
        waiting = state.proposals.waiting(now)
        name = chance.choices(
            ("resume", "limit", "unlock", "approve", "veto", "override", "kill", "pause", "reduce-only", "status"),
            (
                *(40 if is_strict else 1, 5, 6 if locks else 0, 14 if waiting else 1, 2 if waiting else 1),
                *(5 if refused else 0, 0.2, 0.2, 0.3, 0.3),
            ),
        )[0]
        match CommandName(name):
            case CommandName.RESUME:
                return _resume(chance)
            case CommandName.LIMIT:
                return _limit(chance)
            case CommandName.UNLOCK:
                lock = chance.choice(locks)
                return Wish(CommandName.UNLOCK, {"lock": lock}, Leave("unlock", lock))
            case CommandName.APPROVE | CommandName.VETO as answer:
                asked = "nothing" if waiting is None else str(waiting.proposal_id)
                leave = Leave("approve", asked) if waiting is not None and answer is CommandName.APPROVE else None
                return Wish(answer, {"proposal": asked}, leave)
            case CommandName.OVERRIDE:
                return _override(refused, chance)
            case other:
                return Wish(other)

    @staticmethod
    def faults(chance: Random, share: float = 0.3) -> frozenset[str]:
        """Draw what will be wrong with a command: mostly nothing, sometimes two things."""
        if chance.random() >= share:
            return frozenset()
        return frozenset(chance.sample((*FAULTS, "again"), chance.choice((1, 1, 1, 2))))

    def command(self, wish: Wish, key: str, faults: frozenset[str], desk: Desk, bot: Keeper) -> Command:
        """Make a command good, then spoil it."""
        if "again" in faults and self._said:
            return replace(self._said[-1], seq_is_fresh=False, received_at=bot.clock.host_now())
        now = bot.clock.host_now()
        self._sequence += 1
        good = Command(
            name=wish.name,
            command_id=f"c-{self._sequence}",
            channel=Channel.MQTT,
            proof=Proof.SIGNED,
            received_at=now,
            reason="machine",
            key_id=key,
            roles=KEYS[key],
            seq=self._sequence,
            seq_is_fresh=True,
            issued_at=now,
            expires_at=now + timedelta(seconds=60),
            kill_epoch=bot.latch.epoch,
            challenge=desk.challenge.value,
            args=dict(wish.args),
        )
        spent = [one.challenge for one in self._said if one.challenge != good.challenge]
        spoilt: dict[str, dict[str, Any]] = {
            "unsigned": {"proof": Proof.UNPROVED},
            "local": {"proof": Proof.LOCAL, "roles": frozenset(), "channel": Channel.LOCAL_SOCKET},
            "role": {"roles": KEYS["key-c"] if wish.name in WITH_RISK else frozenset({Role.KILL})},
            "stale": {"issued_at": now - timedelta(seconds=45)},
            "early": {"issued_at": now + timedelta(seconds=120)},
            "expired": {"expires_at": now - timedelta(seconds=1)},
            "undated": {"issued_at": None},
            "epoch": {"kill_epoch": bot.latch.epoch - 1},
            "spent": {"challenge": next(reversed(spent), "")},
            "guessed": {"challenge": "challenge-0"},
            "replayed": {"seq_is_fresh": False},
            "retained": {"retained": True},
            "reason": {"reason": " "},
            "again": {"seq_is_fresh": False},
        }
        said = good
        for fault in sorted(faults):
            said = replace(said, **spoilt[fault])
        if not faults:
            self._said.append(said)
        return said

    def leave(self, wish: Wish, said: Command, faults: frozenset[str], desk: Desk, bot: Keeper) -> Leave | None:
        """Return what a command may loosen: it is good, its sender may, and another key has signed where two must.

        What was signed is used up, unless the bot refuses, or waits for a second key all the same: then this is the
        first again.
        """
        is_disabled = wish.name.loosens and bot.engine.state.restraints.of(DemandSource.REPEATS) is not None
        needs_risk = wish.name in WITH_RISK or (is_disabled and wish.leave is not None and wish.leave.kind == "resume")
        lacks_role = needs_risk and Role.RISK not in said.roles
        if faults or wish.leave is None or lacks_role:
            return None
        if wish.name in ON_SOUND_BOOKS and not _sound(desk, bot):
            return None
        now, asked = bot.clock.host_now(), f"{wish.name} {sorted(wish.args.items())}"
        signed = self._signed.setdefault((bot.latch.epoch, asked), {})
        others = [key for key, at in signed.items() if key != said.key_id and now - at <= CHALLENGE_LIFE]
        signed[said.key_id] = now
        if self.keys_required > 1 and not others:
            return None
        if not desk.would_refuse(said):
            signed.clear()
        if desk.would_wait(said):
            signed[said.key_id] = now
        return replace(wish.leave, carries_risk=wish.leave.kind == "resume" and Role.RISK in said.roles)


def _sound(desk: Desk, bot: Keeper) -> bool:
    """The books were compared just now, agree, and no order's fate is unknown."""
    now, books = bot.clock.now(), desk.books
    doubtful = [order for order in bot.engine.state.live_orders() if isinstance(order.state, Unknown)]
    return books.at is not None and now - books.at <= COMPARED_WITHIN and not books.differences and not doubtful


def _resume(chance: Random) -> Wish:
    name = chance.choice((CommandName.RESUME, CommandName.RESUME, CommandName.ARM))
    mode = chance.choice((TradingMode.NORMAL,) * 5 + (TradingMode.REDUCE_ONLY,))
    if mode is TradingMode.NORMAL and chance.random() < 0.5:
        return Wish(name, {}, Leave("resume", mode.name))  # NORMAL is what is meant where nothing is said
    return Wish(name, {"mode": mode.name}, Leave("resume", mode.name))


def _limit(chance: Random) -> Wish:
    name = chance.choice(tuple(LIMITS))
    text, value = chance.choice(LIMITS[name])
    leave = None if value is None else Leave("limit", name, value)
    return Wish(CommandName.LIMIT, {"limit": name, "value": text}, leave)


def _override(refused: tuple[Refusal, ...], chance: Random) -> Wish:
    """One of the orders that were refused, most often one of which everything may be waived that refused it."""
    failed = {one: [rule.rule.value for rule in one.refused.reasons] for one in refused}
    mild = [one for one in refused if MAY_BE_WAIVED.issuperset(failed[one])]
    chosen = chance.choice(mild if mild and chance.random() < 0.8 else refused)
    rules = failed[chosen] if chance.random() < 0.6 else [one for one in failed[chosen] if one in MAY_BE_WAIVED]
    digest, name = chosen.digest, str(chosen.intent.intent_id)
    wrong = chance.random() < 0.1
    leave = None if wrong or not rules or not MAY_BE_WAIVED.issuperset(rules) else Leave("override", name, tuple(rules))
    args = {"intent": name, "digest": digest[::-1] if wrong else digest, "rules": ",".join(rules)}
    return Wish(CommandName.OVERRIDE, args, leave)
