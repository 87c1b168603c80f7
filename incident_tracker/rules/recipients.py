"""Who is told: how one obligation becomes a duty for each recipient."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from incident_tracker.rules.authorities import Authority
from incident_tracker.rules.conditions import Reason, Truth
from incident_tracker.rules.laws import Law, Obligation, RecipientRule
from incident_tracker.rules.readings import BY_PLACE, Reading
from incident_tracker.rules.reckoning import Whereabouts

_LEAD = "organisation.lead_authority"
_ESTABLISHMENTS = "organisation.establishments"
_AUTHORITY_TYPES = ("authority", "agency", "csirt")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told. `key` is "authority:DE-BE", "people", "people:US-CA", "media:US-NY", "controller", "csirt:DE" …

    A key that ends in "lead" or "others" stands for recipients that are not known yet.
    """

    key: str
    name: str
    kind: str
    zone: str
    place: str | None = None
    portal: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Target:
    """A recipient as it stands: whether it is one at all, why, what is missing to say so, and its holiday calendar."""

    recipient: Recipient
    calendar: str | None
    truth: Truth = Truth.TRUE
    missing: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @cached_property
    def whereabouts(self) -> Whereabouts:
        """What a computation needs of it."""
        zone = self.recipient.zone
        return Whereabouts(self.recipient.key, zone or None, self.calendar)


def targets(one: Obligation, law: Law, reading: Reading) -> tuple[Target, ...]:
    """The recipients of an obligation; never none, so that no duty vanishes for want of a fact."""
    rule = one.recipient
    if rule.fan_out == "one":
        if (found := law.single_targets.get(one.id)) is None:
            found = law.single_targets[one.id] = (_single(rule, law),)
        return found
    if rule.fan_out == "lead":
        return (_lead(rule, law, reading),)
    if rule.fan_out == "each_place":
        return tuple(_each_place(rule, law, reading))
    fact = rule.fact or _ESTABLISHMENTS
    return tuple(_each_listed(rule, law, reading, fact))


def _single(rule: RecipientRule, law: Law) -> Target:
    if rule.authority:
        return _authority(rule, law.authorities[rule.authority])
    key = f"{rule.type}:{rule.place}" if rule.place else rule.type
    zone = law.places.zone(rule.place) if rule.place else ""
    return Target(Recipient(key, rule.name, rule.type, zone, rule.place), _calendar(law, rule.place))


def _authority(rule: RecipientRule, authority: Authority) -> Target:
    recipient = Recipient(
        key=f"{rule.type}:{authority.key}",
        name=authority.name,
        kind=rule.type,
        zone=authority.zone,
        place=authority.place,
        portal=authority.portal,
        language=authority.language,
    )
    return Target(recipient, authority.calendar)


def _at_place(rule: RecipientRule, law: Law, place: str) -> Target:
    if rule.office:
        return _office(rule, law, f"{rule.office}-{place}", place)
    key = f"CSIRT-{place}" if rule.type == "csirt" else place
    if rule.type in _AUTHORITY_TYPES and key in law.authorities:
        found = _authority(rule, law.authorities[key])
        if rule.type != "csirt":
            return found
        named = found.recipient
        return Target(Recipient(f"csirt:{place}", named.name, "csirt", named.zone, place, named.portal, named.language), found.calendar)
    name = f"{rule.name} ({law.places.name(place)})"
    return Target(Recipient(f"{rule.type}:{place}", name, rule.type, law.places.zone(place), place), _calendar(law, place))


def _office(rule: RecipientRule, law: Law, key: str, place: str) -> Target:
    if key in law.authorities:
        return _authority(rule, law.authorities[key])
    name = f"{rule.name} ({law.places.name(place)})"
    return Target(Recipient(f"{rule.type}:{key}", name, rule.type, law.places.zone(place), place), _calendar(law, place))


def _calendar(law: Law, place: str | None) -> str | None:
    if place is None:
        return None
    found = law.places.by_code.get(place)
    return found.calendar or place if found else place


def _open(rule: RecipientRule, ending: str, words: str, truth: Truth, missing: tuple[str, ...]) -> Target:
    recipient = Recipient(f"{rule.type}:{ending}", f"{rule.name} ({words})", rule.type, "")
    return Target(recipient, None, truth, missing)


def _lead(rule: RecipientRule, law: Law, reading: Reading) -> Target:
    """The lead authority: the one recorded, else the only one of the only country with an establishment."""
    chosen = reading.facts.values.get(_LEAD)
    if chosen:
        if chosen in law.authorities:
            return _authority(rule, law.authorities[chosen])
        return _at_place(rule, law, chosen)
    known = reading.facts.values.get(_ESTABLISHMENTS)
    inside = _inside(rule, law, reading, known.values if known else frozenset())
    countries = {code.split("-")[0] for code in inside}
    if known and known.complete and len(countries) == 1:
        candidates = inside if len(inside) == 1 and next(iter(inside)) in law.authorities else countries
        place = next(iter(candidates))
        several = any(key.startswith(f"{place}-") for key in law.authorities)
        if place in law.authorities and not several:
            return _authority(rule, law.authorities[place])
    return _open(rule, "lead", "not chosen yet", Truth.TRUE, (_LEAD,))


def _inside(rule: RecipientRule, law: Law, reading: Reading, codes: frozenset[str]) -> frozenset[str]:
    if rule.group is None:
        return codes
    return frozenset(code for code in codes if law.places.is_in(code, rule.group, reading.day))


def _each_place(rule: RecipientRule, law: Law, reading: Reading) -> Iterator[Target]:
    members = law.places.members(rule.group or "", reading.day)
    found = {code if code in members else code.split("-")[0] for code in reading.facts.by_place}
    for place in sorted(found & members):
        low, high = _range(reading, place)
        words = f"People affected in {law.places.name(place)}: {reading.people_in(place)}"
        if rule.more_than:
            words += f" (the question is: more than {rule.more_than:,}?)"
        truth = Truth.TRUE if low > rule.more_than else Truth.FALSE if high <= rule.more_than else Truth.UNKNOWN
        target = _at_place(rule, law, place)
        missing = (f"{BY_PLACE}.{place}",) if truth is Truth.UNKNOWN else ()
        yield Target(target.recipient, target.calendar, truth, missing, (Reason(words, BY_PLACE, truth),))
    rest = members - found
    # Places of one country of which nothing is known have the same room; one of each is enough to ask.
    samples = {place.split("-")[0]: place for place in rest}
    highest = max((_range(reading, place)[1] for place in samples.values()), default=0)
    if highest > rule.more_than:
        missing = (BY_PLACE,) if not reading.facts.by_place else ("affected.places_complete",)
        yield _open(rule, "others", "places not known yet", Truth.UNKNOWN, missing)
    elif not found & members:
        reason = Reason("No place concerned has enough affected people", BY_PLACE, Truth.FALSE)
        nobody = _open(rule, "others", "none", Truth.FALSE, ())
        yield Target(nobody.recipient, None, Truth.FALSE, (), (reason,))


def _range(reading: Reading, place: str) -> tuple[float, float]:
    count = reading.people_in(place)
    return count.low, count.high


def _each_listed(rule: RecipientRule, law: Law, reading: Reading, fact: str) -> Iterator[Target]:
    known = reading.facts.values.get(fact)
    inside = _inside(rule, law, reading, known.values if known else frozenset())
    places = sorted({code.split("-")[0] for code in inside})
    for place in places:
        yield _at_place(rule, law, place)
    if known is None or not known.complete:
        # Somebody must be told even while it is not known who; beyond those known there may be more.
        truth = Truth.UNKNOWN if places else Truth.TRUE
        yield _open(rule, "others", "not known yet", truth, (fact,))
    elif not places:
        reason = Reason(f"{reading.label(fact)}: none within {rule.group or 'reach'}", fact, Truth.FALSE)
        nobody = _open(rule, "others", "none", Truth.FALSE, ())
        yield Target(nobody.recipient, None, Truth.FALSE, (), (reason,))
