"""Test OpenStack placement as it is really deployed.

The words, as code, output and docs use them:

stack       one Compose project: MariaDB, memcached, keystone, Apache and the replicas.
replica     one placement behind the proxy: a container, in which each lane has a process.
lane        one isolated placement in a stack: a schema, replicas and a port of Apache's.
target      the thing that answers requests: a stack, the reference in it, placement in this
            process, or a URL.
profile     a placement configuration that some suites need.
suite       one gabbi YAML file.
test        one entry of a suite: one request, and what is expected of its answer.
exchange    one request and its response, with the replica that answered and the time it took.
plan        everything that is decided about a run before it begins.
recording   the exchanges of a run, in a file.
history     the calls of a run of clients that act at once, with their outcomes.
workload    what such clients do, and what must hold afterwards.
verdict     same, expected difference, different, not compared.

The rooms, highest first. A module imports from its own room and from those below, never from one
above; import-linter holds that (pyproject.toml, ``make lint``). Each room's ``__init__`` says what
is done in it.

cli, plugin               the commands; pytest's hooks
trim                      what placement's image can go without, found by trying
matrix, bench, tempest    runs of many stacks; figures; tempest as another runner of suites
consistency               concurrent calls through all replicas, judged by placement's promises
parity                    two targets' answers compared, exchange by exchange
attach                    replicas in place of an existing cloud's placement
footprint                 what an image consists of, and what placement imports
suites                    gabbi files as pytest items; the only room that imports gabbi
targets                   the things that answer: stack, reference, embedded, URL
report                    the output of a run: header, summary, failures
stack                     a placement cluster: lifecycle > operations > handle > project >
                          clients, images, settings > model
engine                    containers; the only room that starts docker
upstream                  expectations of placement's own suites, as data
placements                the placement that replicas run: a release, a checkout, a package
identity, config          credentials -> tokens; options -> Plan
core                      errors, exchanges, deadlines, processes, signals, files, locks, paths
"""
