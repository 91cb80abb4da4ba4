"""Test OpenStack placement as it is really deployed.

The words, as code, output and docs use them:

stack       one Compose project: MariaDB, memcached, keystone, Apache and the replicas.
replica     one placement container behind the proxy.
target      whatever answers requests: a stack, placement in this process, or a URL.
suite       one gabbi YAML file.
test        one entry of a suite: one request, and what is expected of its answer.
exchange    one request and its response, with who served it and how long it took.
plan        everything that is decided about a run before it begins.

The layers, lowest first. A module imports from its own layer and from those below, never from one
above; ``tests/unit/test_layers.py`` holds that.

errors, results, redact, timing, locks   exceptions with a remedy; plain data; what must not be
                          printed; deadlines; locks that outlive nobody
plan, settings            options and ini settings -> Plan
record, state             what is known of a stack, and how it is kept on disk
auth                      credentials -> tokens
placements                which placement replicas run: a release, a checkout, a package
upstream                  what placement's own suites take for granted, as data
stack                     the containers; the only place that imports python_on_whales
targets                   what answers: stack, embedded, URL
suites                    gabbi files as pytest items; the only place that imports gabbi
report                    what a run says: header, summary, failures
choices, plugin, installing, owner, run, starter, lookout, meeting, measures, fixtures   the rim
                          in pytest: its hooks, the processes of a run, what it measured, fixtures
cli, commands, config_command, replica_commands, tempest, bench, matrix   the rim of commands, with
                          tempest as another runner of suites, figures, and runs on many kinds of
                          stacks
"""
