"""Finds scheduled jobs: in crontabs, systemd timers, Kubernetes manifests and GitHub workflows."""
