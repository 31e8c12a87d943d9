"""The configuration: its model (``model``) and how a YAML file becomes one (``load``)."""
