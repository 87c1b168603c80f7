"""The people of the tests. Ines leads, Ravi responds, Laura is counsel, Mona manages, Adam administers, Olga audits, Otto is the outsider."""

from datetime import UTC, datetime

from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import select

from incident_tracker.models.base import db
from incident_tracker.models.digests import DigestChoice
from incident_tracker.models.people import Person, Role
from incident_tracker.rules import permissions

PASSWORD = "correct horse battery staple 9"
HIRED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

CAST = {
    "ines": ("Ines Vargas", ["officer"]),
    "ravi": ("Ravi Menon", ["officer"]),
    "laura": ("Laura Beck", ["legal"]),
    "mona": ("Mona Haddad", ["manager"]),
    "adam": ("Adam Novak", ["administrator"]),
    "olga": ("Olga Lind", ["auditor"]),
    # an officer who is never put on an incident: must learn nothing of a restricted one
    "otto": ("Otto Brandt", ["officer"]),
}


def hire() -> None:
    """Put the roles and the cast into the database; done once a run, in the templates of the tests' databases."""
    roles = {role.value: Role(name=role.value) for role in permissions.Role}
    db.session.add_all(roles.values())
    for name, (full_name, role_names) in CAST.items():
        db.session.add(Person(
            email=f"{name}@harbour.example", name=full_name, zone="Europe/Berlin", active=True, created_at=HIRED_AT,
            fs_uniquifier=f"uniquifier-of-{name}", password=None, roles=[roles[role] for role in role_names],
        ))
    db.session.flush()
    # a digest would come between the letters that a test looks at; tests of digests ask for them
    db.session.add_all(DigestChoice(person_id=number, daily=False, weekly=False) for number in db.session.scalars(select(Person.id)))
    db.session.commit()


def give_password(person: Person, password: str = PASSWORD) -> None:
    """A password for those tests that type one; hashing costs time, so the others go without."""
    person.password = hash_password(password)
    db.session.commit()


def sign_in(client: FlaskClient, name: str) -> None:
    """A session as after a complete sign-in."""
    # on a connection of its own: the session of the test must not be left in the middle of a read
    with db.engine.connect() as connection:
        uniquifier = connection.scalar(select(Person.fs_uniquifier).where(Person.email == f"{name}@harbour.example"))
    assert uniquifier, name
    with client.session_transaction() as session:
        session["_user_id"] = uniquifier
        session["_fresh"] = True
        session["fs_cc"] = "set"
        session["fs_paa"] = datetime.now(UTC).timestamp()
