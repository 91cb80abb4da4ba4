"""The reference: placement as devstack sets it up, beside a stack (services/reference)."""

from harness.core.paths import SERVICES as FOLDERS

# The Compose services: Apache, which is reached from outside, and placement.
APACHE, PLACEMENT = "reference", "reference-placement"
SERVICES = (APACHE, PLACEMENT)
IMAGES = ("reference",)
# uwsgi's processes of each lane (services/placement/devstack.ini).
PROCESSES = 2
OVERLAY = FOLDERS / "reference" / "compose.yaml"
# Apache's ports inside the stack: devstack's, and the first one of a lane, whose others follow.
PORT, FIRST_LANE_PORT = 80, 8080
