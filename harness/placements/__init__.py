"""Which placement replicas run: a release, a checkout or a package, its image and its suites.

model         what is known of a placement before its image is built
source        reads a tree of placement's: its version, schema and code; compares by content
index         asks the package index, through uv; remembers what it said
dependencies  a version's dependencies as of its own date, as a hashed lock
trees         a release's files, and an environment to run its fixtures in
context       what its image is built from
specs         SPEC, as the user writes it -> Placement
"""
