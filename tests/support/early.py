"""Loaded by pytest before Django's settings: the tests never see the developer's own data or mode.

Database and broker may come from DATABASE_URL and REDIS_URL (`make test` sets both to private servers);
without them the tests run on SQLite and the filesystem transport in a folder that is removed afterwards.
"""

import atexit
import os
import shutil
import tempfile

FOREIGN_SETTINGS = (
    "ALLOWED_HOSTS",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "OWN_AUTHORITY_NUMBER",
    "CITY_NAME",
    "TAG_PREFIX",
    "SECRET_KEY",
)

for name in FOREIGN_SETTINGS:
    os.environ.pop(name, None)
os.environ["MEP_MODE"] = "demo"
os.environ.setdefault("DATABASE_POOL", "60")  # tests of concurrency hold 50 connections at once
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="mep-tests-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
