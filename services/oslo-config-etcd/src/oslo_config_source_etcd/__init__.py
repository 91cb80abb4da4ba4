"""Settings of OpenStack services in etcd: a driver for oslo.config's configuration sources."""
