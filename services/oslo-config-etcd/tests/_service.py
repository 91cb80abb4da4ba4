"""A service's options, of every kind."""

from collections.abc import Callable

from oslo_config import cfg, types

# Starts a service; see the fixture of that name.
Service = Callable[..., cfg.ConfigOpts]

OPTIONS = [
    cfg.StrOpt("text", default="default"),
    cfg.StrOpt("key", secret=True),
    cfg.IntOpt("number", default=1),
    cfg.IntOpt("pin", secret=True),
    cfg.BoolOpt("switch", default=False),
    cfg.FloatOpt("share"),
    cfg.ListOpt("names", default=[]),
    cfg.DictOpt("pairs", default={}),
    cfg.PortOpt("port"),
    cfg.StrOpt("kind", choices=["one", "two"]),
    cfg.MultiStrOpt("lines", default=[]),
    cfg.MultiOpt("numbers", item_type=types.Integer()),
    cfg.StrOpt("with-dash"),
    cfg.StrOpt("new", deprecated_name="old-name", deprecated_group="before"),
    cfg.StrOpt("reference"),
]
