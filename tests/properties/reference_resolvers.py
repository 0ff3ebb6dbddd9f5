"""Slow, obvious twins of the resolvers, written from the table of ``record-model.md``."""

from __future__ import annotations

from casesync.codec.canonical import pack
from casesync.model.resolvers.resolution import CellWrite, FieldFacts

Answer = tuple[object, bool]


def _different(values: list) -> bool:
    return any(pack(a) != pack(b) for a in values for b in values)


def once(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    first = sorted(writes, key=lambda w: (w.clock_ms, w.device, w.number, w.position))[0]
    return first.value, _different([w.value for w in writes])


def latest(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    def time(w: CellWrite) -> int:
        return w.clock_ms if w.log_time_ms is None else min(w.clock_ms, w.log_time_ms)

    last = sorted(writes, key=lambda w: (time(w), w.device, w.number, w.position))[-1]
    return last.value, False


def every(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    conflict = _different([w.value for w in writes])
    return (None if conflict else writes[0].value), conflict


def protective(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    if facts is None or not facts.order:
        return every(writes, facts)
    values = [w.value if w.value is not None else facts.absent_as for w in writes]
    unknown = [v for v in values if v is not None and v not in facts.order]
    if unknown:
        return min(unknown, key=pack), _different(values)
    for code in facts.order:
        if code in values:
            return code, _different(values)
    return None, False


def set_(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    return any(w.value is True for w in writes), False


def revoke(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    values = [False if w.value is None else w.value for w in writes]
    if [v for v in values if v is False]:
        return False, _different(values)
    return every(writes, facts)


def state(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    good, flagged = [], False
    for w in writes:
        if (
            isinstance(w.value, list)
            and len(w.value) == 2
            and isinstance(w.value[1], str)
            and (w.value[0] is None or isinstance(w.value[0], str))
        ):
            good.append(tuple(w.value))
        else:
            flagged = True
    if not good:
        return None, True
    targets = sorted({to for _, to in good}, key=pack)
    flagged = flagged or len(targets) > 1
    if facts is None or not facts.order:
        return (targets[0] if len(targets) == 1 else None), flagged
    flagged = flagged or (bool(facts.steps) and any(step not in facts.steps for step in good))
    unknown = [to for to in targets if to not in facts.order]
    if unknown:
        return unknown[0], flagged
    return next(to for to in facts.order if to in targets), flagged


def earliest(writes: list[CellWrite], facts: FieldFacts | None) -> Answer:
    values = [w.value for w in writes if w.value is not None]
    numbers = sorted(v for v in values if type(v) is int)
    texts = sorted(
        (v for v in values if type(v) is str), key=lambda v: (v.removeprefix("~"), pack(v))
    )
    rest = sorted((v for v in values if type(v) not in (int, str)), key=pack)
    return (numbers + texts + rest + [None])[0], False


TWINS = {
    1: once,
    2: latest,
    3: every,
    4: protective,
    5: set_,
    6: revoke,
    7: every,
    8: state,
    9: earliest,
}
