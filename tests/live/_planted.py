"""Differences that are planted in a stack, each with the route and the place where it has to show.

The code of most of them is run by placement itself for each request (``HOOK``), in all replicas or
in one. Others are edits of placement 16.0.0, or lines for the stack's Apache.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Runs a replica's plant, if it has one, on each request and its answer.
PLANT = "/tmp/plant"
SEAM = "        return_headers = [request_id.HTTP_RESP_HEADER_REQUEST_ID]\n"
HOOK = (
    "requestlog.py",
    SEAM,
    f"""        import os
        if os.path.exists('{PLANT}'):
            with open('{PLANT}') as plant:
                code = plant.read()
            exec(compile(code, 'plant', 'exec'), {{'req': req, 'response': response}})
{SEAM}""",
)
Edit = tuple[str, str, str]

A, B = "4a101500-0000-4000-8000-0000000000a1", "4a101500-0000-4000-8000-0000000000b2"
CONSUMER = "4a101500-0000-4000-8000-0000000000c3"
OF_A = f"/resource_providers/{A}"


def _tests() -> str:
    """The tests of the suite; one that is asked four times meets each of three replicas."""
    rows: list[tuple[str, str, int, str]] = [
        ("GET", "/", 200, ""),
        ("POST", "/resource_providers", 200, f'{{"name": "planted-a", "uuid": "{A}"}}'),
        (
            "POST",
            "/resource_providers",
            200,
            f'{{"name": "planted-b", "uuid": "{B}", "parent_provider_uuid": "{A}"}}',
        ),
        (
            "PUT",
            f"{OF_A}/inventories",
            200,
            '{"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 16}}}',
        ),
        ("PUT", f"{OF_A}/inventories/VCPU", 200, _inventory(1, 8)),
        ("PUT", f"{OF_A}/inventories/VCPU", 409, _inventory(1, 4)),
        *[("GET", f"{OF_A}/inventories", 200, "")] * 4,
        ("PUT", "/traits/CUSTOM_PLANTED", 201, ""),
        ("PUT", "/traits/CUSTOM_PLANTED", 204, ""),
        (
            "PUT",
            f"{OF_A}/traits",
            200,
            '{"resource_provider_generation": 2, "traits": ["CUSTOM_PLANTED"]}',
        ),
        ("GET", f"{OF_A}/traits", 200, ""),
        (
            "PUT",
            f"{OF_A}/aggregates",
            200,
            f'{{"resource_provider_generation": 3, "aggregates": ["{B}"]}}',
        ),
        ("GET", f"{OF_A}/aggregates", 200, ""),
        *[("GET", OF_A, 200, "")] * 4,
        ("GET", f"/resource_providers?in_tree={A}", 200, ""),
        ("PUT", "/resource_classes/CUSTOM_PLANTED", 201, ""),
        ("GET", "/resource_classes/CUSTOM_PLANTED", 200, ""),
        (
            "PUT",
            f"/allocations/{CONSUMER}",
            204,
            f'{{"allocations": {{"{A}": {{"resources": {{"VCPU": 2}}}}}}, "project_id": "planted",'
            ' "user_id": "planted", "consumer_generation": null, "consumer_type": "INSTANCE"}',
        ),
        ("GET", f"/allocations/{CONSUMER}", 200, ""),
        ("GET", f"{OF_A}/allocations", 200, ""),
        ("GET", f"{OF_A}/usages", 200, ""),
        ("GET", "/usages?project_id=planted", 200, ""),
        ("GET", f"/allocation_candidates?resources=VCPU:1&in_tree={A}", 200, ""),
        *[("GET", "/resource_providers/nowhere", 404, "")] * 4,
        ("POST", "/resource_providers", 400, '{"uuid": 1}'),
        ("DELETE", f"/allocations/{CONSUMER}", 204, ""),
        ("DELETE", f"{OF_A}/inventories", 204, ""),
        ("DELETE", f"/resource_providers/{B}", 204, ""),
        ("DELETE", OF_A, 204, ""),
        ("DELETE", "/resource_classes/CUSTOM_PLANTED", 204, ""),
        ("DELETE", "/traits/CUSTOM_PLANTED", 204, ""),
    ]
    return "\n".join(
        f"- name: {number} {method} {status}\n"
        f"  {method}: $ENVIRON['PLACEMENT_SERVICE']{url}\n"
        f"  status: {status}" + (f"\n  data: '{data}'" if data else "")
        for number, (method, url, status, data) in enumerate(rows, 1)
    )


def _inventory(generation: int, total: int) -> str:
    return f'{{"resource_provider_generation": {generation}, "total": {total}}}'


SUITE = f"""
defaults:
  request_headers:
    x-auth-token: $ENVIRON['SERVICE_TOKEN']
    openstack-api-version: placement 1.39
    content-type: application/json
tests:
{_tests()}
- name: no token
  GET: $ENVIRON['PLACEMENT_SERVICE']/traits
  request_headers:
    x-auth-token: ''
  status: 401
- name: a microversion that is none
  GET: $ENVIRON['PLACEMENT_SERVICE']/traits
  request_headers:
    openstack-api-version: placement 9.99
  status: 406
"""


@dataclass(frozen=True)
class Plant:
    """A difference: its route and place as patterns, and how it is planted.

    ``code`` is run by placement, ``edits`` are made in it, ``proxy`` are lines for Apache.
    ``replica`` is the only one that has it, if it is not all. ``also`` are places of further
    differences that follow from it.
    """

    name: str
    route: str
    place: str
    code: str = ""
    edits: tuple[Edit, ...] = ()
    proxy: str = ""
    replica: str = ""
    also: str = ""
    # Whether it is of a declared kind, which may not be met as often.
    is_overused: bool = False

    def misses(self, causes: Sequence[dict[str, str]]) -> str:
        """What is wrong with the causes that were found; empty where nothing is."""
        fits = [
            cause
            for cause in causes
            if re.fullmatch(self.route, cause["route"]) and re.fullmatch(self.place, cause["place"])
        ]
        others = [
            cause
            for cause in causes
            if cause not in fits and not (self.also and re.fullmatch(self.also, cause["place"]))
        ]
        return "" if fits and not others else f"found {fits}, besides {others}"


def on(method: str, path: str, action: str, status: int = 200) -> str:
    """Code that acts on the answers of one route."""
    return (
        f"import re\nif (req.method == {method!r} and response.status_int == {status}\n"
        f"        and re.fullmatch({path!r}, req.path_info.removeprefix('/placement'))):\n"
        f"    {action}\n"
    )


def data(method: str, path: str, action: str, status: int = 200) -> str:
    """Code that changes the JSON of the answers of one route."""
    return on(method, path, f"data = response.json\n    {action}\n    response.json = data", status)


PROVIDER, NOWHERE = "/resource_providers/4[^/]*", "/resource_providers/nowhere"
INVENTORIES = f"{PROVIDER}/inventories"
GET_PROVIDER = re.escape("GET /resource_providers/{}")
GET_INVENTORIES = re.escape("GET /resource_providers/{}/inventories")
PUT_INVENTORY = re.escape("PUT /resource_providers/{}/inventories/{}")


def of(place: str) -> str:
    return re.escape(f"body $.{place}")


def in_provider(name: str, place: str, action: str) -> Plant:
    return Plant(name, GET_PROVIDER, of(place), data("GET", PROVIDER, action))


def in_inventories(name: str, place: str, action: str) -> Plant:
    return Plant(name, GET_INVENTORIES, of(place), data("GET", INVENTORIES, action))


def in_error(name: str, place: str, action: str) -> Plant:
    return Plant(name, GET_PROVIDER, of(place), data("GET", NOWHERE, action, 404))


def in_header(name: str, header: str, action: str, place: str = "") -> Plant:
    code = on("GET", PROVIDER, action.format(f"response.headers[{header!r}]"))
    return Plant(name, GET_PROVIDER, place or f"header {header}", code)


VCPU = "data['inventories']['VCPU']"
JSON = (
    in_provider("null in place of missing", "extra", "data['extra'] = None"),
    in_provider("missing in place of null", "parent_provider_uuid",
                "del data['parent_provider_uuid']"),
    in_provider("an empty string for null", "parent_provider_uuid",
                "data['parent_provider_uuid'] = ''"),
    in_provider("a number as a string", "generation",
                "data['generation'] = str(data['generation'])"),
    in_provider("a name's case", "name", "data['name'] = data['name'].upper()"),
    in_provider("a name's space", "name", "data['name'] += ' '"),
    in_provider("a UUID that changes between two answers", "uuid",
                "import uuid; data['uuid'] = str(uuid.uuid4())"),
    in_provider("a UUID that is another one", "uuid", "data['uuid'] = data['uuid'][:-1] + 'f'"),
    Plant("an order", GET_PROVIDER, r"body \$\.links\[\*\]\.(rel|href)",
          data("GET", PROVIDER, "data['links'].reverse()")),
    in_provider("an entry too few", "links", "del data['links'][0]"),
    in_provider("an entry twice", "links", "data['links'].append(data['links'][0])"),
    in_provider("a link elsewhere", "links[*].href", "data['links'][0]['href'] += '/x'"),
    in_provider("an object for a list", "links", "data['links'] = {}"),
    in_inventories("an integer as a float", "inventories.VCPU.total", f"{VCPU}['total'] *= 1.0"),
    in_inventories("a float as an integer", "inventories.VCPU.allocation_ratio",
                   f"{VCPU}['allocation_ratio'] = 1"),
    in_inventories("a boolean for a number", "inventories.VCPU.reserved",
                   f"{VCPU}['reserved'] = False"),
    in_inventories("a number that is one too high", "inventories.VCPU.max_unit",
                   f"{VCPU}['max_unit'] += 1"),
    Plant("a class's name", GET_INVENTORIES, of("inventories.") + "[VP]CPU",
          data("GET", INVENTORIES,
               "data['inventories']['PCPU'] = data['inventories'].pop('VCPU')")),
    in_error("an error's code", "errors[*].code", "data['errors'][0]['code'] = 'planted'"),
    in_error("an error without a code", "errors[*].code", "del data['errors'][0]['code']"),
    in_error("an error's word", "errors[*].detail", "data['errors'][0]['detail'] += ' or so'"),
    in_error("an error's title", "errors[*].title", "data['errors'][0]['title'] = 'Gone'"),
    in_error("an error's status", "errors[*].status", "data['errors'][0]['status'] = '404'"),
    Plant("a trait too many", re.escape("GET /resource_providers/{}/traits"), of("traits"),
          data("GET", f"{PROVIDER}/traits", "data['traits'].append('CUSTOM_X')")),
    Plant("an aggregate that is null", re.escape("GET /resource_providers/{}/aggregates"),
          of("aggregates"),
          data("GET", f"{PROVIDER}/aggregates", "data['aggregates'] = None")),
    Plant("a usage", "GET /usages", of("usages.INSTANCE.VCPU"),
          data("GET", "/usages", "data['usages']['INSTANCE']['VCPU'] += 1")),
    Plant("a consumer's type", re.escape("GET /allocations/{}"), of("consumer_type"),
          data("GET", "/allocations/.*", "data['consumer_type'] = None")),
    Plant("a candidate's mapping", "GET /allocation_candidates",
          of("allocation_requests[*]"),
          data("GET", "/allocation_candidates",
               "data['allocation_requests'][0]['mappings'] = {'_X': []}")),
)  # fmt: skip
HEADERS = (
    in_header("a missing header", "cache-control", "del {}"),
    in_header("an extra header", "x-planted", "{} = 'yes'"),
    in_header("another type of content", "content-type", "{} = 'application/json; charset=UTF-8'"),
    in_header("another microversion", "openstack-api-version", "{} = 'placement 1.38'"),
    in_header("a time in the future", "last-modified", "{} = 'Wed, 25 Nov 2099 19:53:15 GMT'"),
    in_header("a time that is none", "last-modified", "{} = 'yesterday'"),
    in_header("a request id that is none", "x-openstack-request-id", "{} = 'req-1'"),
    Plant("a location elsewhere", re.escape("PUT /resource_classes/{}"), "header location",
          on("PUT", "/resource_classes/.*", "response.location += 'x'", 201)),
    Plant("no location", re.escape("PUT /traits/{}"), "header location",
          on("PUT", "/traits/.*", "del response.headers['location']", 201)),
)  # fmt: skip
WHOLE = (
    Plant("a status", GET_PROVIDER, "status", on("GET", NOWHERE, "response.status = 410", 404),
          also="reason"),
    Plant("a reason", GET_PROVIDER, "reason",
          on("GET", NOWHERE, "response.status = '404 Nowhere'", 404)),
    Plant("a success that says otherwise", re.escape("PUT /allocations/{}"), "status",
          on("PUT", "/allocations/.*", "response.status = 200", 204),
          also="reason|header content-length"),
    Plant("a body that is cut off", GET_INVENTORIES, "body.*",
          on("GET", INVENTORIES, "response.body = response.body[:-9]")),
    Plant("no body", GET_INVENTORIES, "body.*", on("GET", INVENTORIES, "response.body = b''"),
          also="header content-length"),
    Plant("a body with more behind it", GET_INVENTORIES, "body.*",
          on("GET", INVENTORIES, "response.body += b'}'")),
)  # fmt: skip
_COUNT = "new_generation = rp_gen + 1"
_LATER = r"(body \$.*generation.*|status|reason|body.*|header .*)"
EDITS = (
    Plant("a generation that stands still", ".*", r"body \$\.resource_provider_generation",
          edits=(("objects/resource_provider.py", _COUNT, "new_generation = rp_gen"),),
          also=_LATER),
    Plant("a generation that leaps", ".*", r"body \$\.resource_provider_generation",
          edits=(("objects/resource_provider.py", _COUNT, "new_generation = rp_gen + 2"),),
          also=_LATER),
    Plant("no request id", ".*", "header x-openstack-request-id",
          edits=(("requestlog.py", "            if header not in response.headers:\n",
                  "            if False:\n"),)),
    Plant("a trait that is new each time", re.escape("PUT /traits/{}"), "status",
          edits=(("handlers/trait.py", "    status = 204\n", "    status = 201\n"),),
          also="reason|header .*|body.*"),
)  # fmt: skip
PROXY = (
    Plant("the proxy adds a header", ".*", "header x-planted",
          proxy="Header always set X-Planted yes"),
    Plant("the proxy drops a header", ".*", "header vary", proxy="Header unset vary"),
    Plant("the proxy tells its version", ".*", "header server", proxy="ServerTokens Full"),
    # A server may close a connection now and then: declared.yaml excuses that, but not each time.
    Plant("the proxy closes connections", ".*", "header connection", proxy="KeepAlive Off",
          is_overused=True),
    Plant("the proxy has an error page of its own", GET_PROVIDER, "body.*",
          proxy="ProxyErrorOverride On 404", also="header .*"),
    Plant("the proxy refuses bodies", ".*", "status",
          proxy="<Location /placement>\nLimitRequestBody 20\n</Location>",
          also="reason|header .*|body.*"),
)  # fmt: skip


def on_one(name: str, plant: Plant) -> Plant:
    """A plant of another one's kind, on replica 2 alone."""
    return Plant(name, plant.route, plant.place, plant.code, replica="2", also=plant.also)


REPLICA = (
    on_one("one replica's status", WHOLE[0]),
    on_one("one replica's number", JSON[3]),
    on_one("one replica's header", HEADERS[0]),
    on_one("one replica's error", JSON[18]),
    on_one("one replica's body is cut off", WHOLE[3]),
)
PLANTS = (*JSON, *HEADERS, *WHOLE, *EDITS, *PROXY, *REPLICA)
