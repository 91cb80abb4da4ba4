"""Data about a stack: its address, the placements that it runs, and its secrets."""

import base64
import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.config.plan import Lifetime
from harness.stack.model.hosts import LOOPBACK


def _random() -> str:
    return secrets.token_hex(16)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Passwords and keys of one stack; new for each."""

    database_password: str = field(default_factory=_random)
    admin_password: str = field(default_factory=_random)
    placement_password: str = field(default_factory=_random)
    balancer_key: str = field(default_factory=_random)
    fernet_key: str = field(default_factory=_fernet_key)
    # Password of all users that upstream's suites need.
    users_password: str = field(default_factory=_random)
    # Passwords of etcd's root, and of its user for reading placement's settings.
    etcd_password: str = field(default_factory=_random)
    etcd_reader_password: str = field(default_factory=_random)

    def environment(self) -> dict[str, str]:
        """The values, under the names that compose.yaml has for them."""
        return {f"HARNESS_{k.upper()}": v for k, v in dataclasses.asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Installed:
    """A placement that replicas run.

    ``spec`` is the SPEC that the user gave, ``content`` the digest of the image. ``code`` is a
    directory with code that is used in place of the image's. ``constraints`` is the file with the
    placement's dependencies; empty for those of its own date.
    """

    spec: str = ""
    version: str = ""
    content: str = ""
    code: str = ""
    constraints: str = ""

    @property
    def title(self) -> str:
        """The version, and the SPEC that chose it."""
        return self.version if self.spec in ("", self.version) else f"{self.version} ({self.spec})"


@dataclass(frozen=True, slots=True)
class Record:
    """A stack as it was started. ``url`` is Apache's, e.g. http://127.0.0.1:8778."""

    name: str
    lifetime: Lifetime
    replicas: int
    port: int
    ready: bool = False
    database: str = "mariadb"
    config_source: str = "env"
    # Alembic's newest revision in the database; empty for that of the locked release.
    schema: str = ""
    # The placements that replicas run, in turn.
    placements: tuple[Installed, ...] = (Installed(),)
    # Digest of the stack's Compose files and images, except images of placements.
    made_of: str = ""
    # Path of the user's Compose file that the stack was started with; empty if there was none.
    override: str = ""
    # Name -> port of each lane, the first lane's included; empty for a stack without lanes.
    lanes: Mapping[str, int] = field(default_factory=dict)
    # Lane -> port of the reference beside the stack; empty without a reference.
    reference: Mapping[str, int] = field(default_factory=dict)
    # Network of the cloud that the replicas serve (`placement-harness attach`); empty for a stack
    # with a database and a keystone of its own.
    attached: str = ""
    # The first host's address, at which Apache is reached, and the number of hosts (model/hosts).
    address: str = LOOPBACK
    hosts: int = 1
    # First of the ports on which several hosts reach each other (stack/spread); 0 for one host.
    first_port: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def placement(self, replica: int) -> Installed:
        """The placement that a replica runs."""
        return self.placements[(replica - 1) % len(self.placements)]

    def lane_url(self, lane: str) -> str:
        return f"http://{self.address}:{self.lanes[lane]}"

    def reference_url(self, lane: str) -> str:
        """The address of the reference's Apache for a lane; placement is at /placement there."""
        return f"http://{self.address}:{self.reference[lane]}"


def record_of(data: dict[str, Any]) -> Record:
    """The record that was saved as these values.

    Raises KeyError, TypeError or AttributeError for values that are no record.
    """
    if "placements" in data:
        placements = data["placements"]
        data["placements"] = tuple(Installed(**_known(Installed, values)) for values in placements)
    return Record(**_known(Record, data))


def _known(kind: type[Record | Installed], data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that there are: another version of the harness may have written more."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def clouds_yaml(record: Record, stack_secrets: Secrets) -> str:
    """Text of a clouds.yaml for OpenStack clients.

    osc-placement takes version 1 for the newest microversion that client and server know, and uses
    1.0 if no version is given. openstacksdk needs no version, and refuses `latest`.
    """
    return f"""\
clouds:
  {record.name}:
    auth:
      auth_url: {record.url}/identity
      username: admin
      password: {stack_secrets.admin_password}
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    placement_api_version: "1"
"""
