"""`make bench`: loads the demo city into a private PostgreSQL, measures, grows it, measures again; writes bench.json.

Values are medians; ratios compare with a plain query on the same data or the same page in the small city,
because times alone say more about the machine than about the portal.
"""

import subprocess
import sys
import tempfile

import setup_env
import system_packages
from children import raise_on_termination
from console import ROOT
from private_servers import private_servers


def main() -> int:
    raise_on_termination()
    setup_env.ensure()
    system_packages.ensure(["postgresql", "redis-server"])
    with tempfile.TemporaryDirectory(prefix="mep-bench-") as var, private_servers() as servers:
        environment = setup_env.environment_variables() | servers.environment | {"VAR_DIR": var, "MEP_MODE": "demo"}
        command = [str(setup_env.PYTHON), "scripts/bench_measure.py", *sys.argv[1:]]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
