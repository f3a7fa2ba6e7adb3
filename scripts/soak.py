"""`make soak`: the tests marked `soak`, on PostgreSQL and Redis, as often as SOAK_ROUNDS says (200)."""

import subprocess
import sys

import setup_env
import system_packages
from children import raise_on_termination
from console import ROOT
from private_servers import private_servers


def main() -> int:
    raise_on_termination()
    setup_env.ensure(tools=True)
    system_packages.ensure()
    with private_servers() as servers:
        environment = setup_env.environment_variables() | servers.environment
        environment.setdefault("SOAK_ROUNDS", "200")
        command = [str(setup_env.PYTHON), "-m", "pytest", "-m", "soak", *sys.argv[1:]]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
