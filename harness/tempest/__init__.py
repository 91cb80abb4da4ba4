"""The suites under tempest, with the gabbi-tempest plugin: how projects run them against a cloud.

``place`` lays out what tempest needs, ``runner`` runs it, ``verdicts`` tells what became of each
test, ``junit`` writes that down; ``command`` is the rest. tempest ends with 0 whatever its tests
say when it writes a stream, and with no tests too: what ran is compared with what the suites hold.
"""
