"""Runs suites under tempest, with the plugin gabbi-tempest, as projects do against a cloud.

``workspace`` writes tempest's files, ``runner`` runs it, ``outcomes`` turns its stream into
verdicts, ``access_evidence`` proves by Apache's log that replicas answered, ``junit_suite`` makes
the report. With a stream, tempest exits with 0 though tests fail, and without tests, too. So the
tests that ran are compared with those in the suites.
"""
