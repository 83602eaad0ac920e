"""Packages that nobody here wrote, loaded module by module, and then their own tests: the parts of run_packages.py."""
