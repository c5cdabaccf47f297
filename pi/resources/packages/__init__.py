"""Packages: resources that come together, from npm, git, a Python index or a local folder."""
