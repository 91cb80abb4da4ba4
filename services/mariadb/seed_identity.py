"""keystone's bootstrap, and placement's entries in it, by keystone's own code.

Users get passwords that nobody knows: the real ones are written when a stack starts.
"""

import secrets
import uuid

import without_saml  # noqa: F401  (before keystone's imports)
from keystone.cmd import bootstrap
from keystone.common import provider_api
from keystone.server import configure

REGION = "RegionOne"
INTERFACES = ("public", "internal", "admin")
# The stack writes the real addresses when it starts.
ADDRESS = "http://localhost/{}"

configure(config_files=[])
bootstrapper = bootstrap.Bootstrapper()
bootstrapper.admin_username = "admin"
bootstrapper.admin_password = secrets.token_hex()
bootstrapper.project_name = "admin"
bootstrapper.admin_role_name = "admin"
bootstrapper.service_name = "keystone"
bootstrapper.region_id = REGION
bootstrapper.public_url = ADDRESS.format("identity")
bootstrapper.internal_url = bootstrapper.admin_url = bootstrapper.public_url
bootstrapper.immutable_roles = True
bootstrapper.bootstrap()

apis = provider_api.ProviderAPIs
domain = bootstrapper.default_domain_id
project = {"id": uuid.uuid4().hex, "name": "service", "domain_id": domain, "enabled": True}
apis.resource_api.create_project(project["id"], project)
user = apis.identity_api.create_user(
    {"name": "placement", "domain_id": domain, "enabled": True, "password": secrets.token_hex()}
)
apis.assignment_api.add_role_to_user_and_project(
    user_id=user["id"], project_id=project["id"], role_id=bootstrapper.service_role_id
)
# POST /reshaper is for services alone: what tests as admin may call everything.
apis.assignment_api.add_role_to_user_and_project(
    user_id=bootstrapper.admin_user_id,
    project_id=bootstrapper.project_id,
    role_id=bootstrapper.service_role_id,
)
service = {"id": uuid.uuid4().hex, "name": "placement", "type": "placement", "enabled": True}
apis.catalog_api.create_service(service["id"], service)
for interface in INTERFACES:
    endpoint = {
        "id": uuid.uuid4().hex,
        "service_id": service["id"],
        "interface": interface,
        "region_id": REGION,
        "url": ADDRESS.format("placement"),
        "enabled": True,
    }
    apis.catalog_api.create_endpoint(endpoint["id"], endpoint)
