"""The demo's emulated organization: an AWS that runs on this machine and holds nothing real."""
