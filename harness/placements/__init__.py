"""Which placement replicas run, and where it comes from: a release, a checkout or a package."""
