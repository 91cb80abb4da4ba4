"""keystone's bootstrap, and placement's entries in it, by keystone's own code.

Users get passwords that nobody knows: the real ones are written when a stack starts.
"""

import json
import pathlib
import secrets
import uuid

import without_saml  # noqa: F401  (before keystone's imports)
from keystone.cmd import bootstrap
from keystone.common import provider_api
from keystone.server import configure

REGION = "RegionOne"
# Names of the projects whose ids suites find under $ENVIRON.
VARIABLES = ("$PROJECT_ID", "$PROJECT_ID_ALT", "$ADMIN_PROJECT_ID", "$SERVICE_PROJECT_ID")
# Role of users that have none in placement's suites: keystone gives tokens only with a role.
NO_ROLE = "no-role-of-placement"
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

# Users of placement's own suites, and the projects of their $ENVIRON. The harness makes missing
# users at a start; users that are made here cost no start any time.
actors = json.loads(pathlib.Path("/seed/users.json").read_text())
projects = {"admin": bootstrapper.project_id}
for name in dict.fromkeys([*VARIABLES, *(one["project"] for one in actors if one["project"])]):
    if name not in projects:
        # Some suites name a project by an id of keystone's kind.
        projects[name] = name if len(name) == 32 else uuid.uuid4().hex
        entity = {"id": projects[name], "name": name, "domain_id": domain, "enabled": True}
        apis.resource_api.create_project(projects[name], entity)
roles = {role["name"]: role["id"] for role in apis.role_api.list_roles()}
roles[NO_ROLE] = uuid.uuid4().hex
apis.role_api.create_role(roles[NO_ROLE], {"id": roles[NO_ROLE], "name": NO_ROLE})
for one in actors:
    where = one["project"] or "the system"
    name = f"{one['user']} as {'+'.join(one['roles']) or 'nobody'} in {where}"
    user = apis.identity_api.create_user(
        {"name": name, "domain_id": domain, "enabled": True, "password": secrets.token_hex()}
    )
    for role in one["roles"] or [NO_ROLE]:
        if one["project"]:
            apis.assignment_api.add_role_to_user_and_project(
                user_id=user["id"], project_id=projects[one["project"]], role_id=roles[role]
            )
        else:
            apis.assignment_api.create_system_grant_for_user(user["id"], roles[role])
