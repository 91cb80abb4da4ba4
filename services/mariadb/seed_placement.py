"""placement's schema, standard traits and resource classes, as a first start would make them."""

from oslo_config import cfg
from placement import conf, db_api, deploy

config = cfg.ConfigOpts()
conf.register_opts(config)
config([], project="placement", default_config_files=[])
config.set_override("sync_on_startup", True, "placement_database")
db_api.configure(config)
deploy.update_database(config)
