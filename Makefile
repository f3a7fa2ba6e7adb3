# Each command works on a fresh clone; `scripts/` holds what they do.

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak lock clean

script = @python=$$(sh scripts/find_python.sh) && exec $$python scripts/$(1)

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the portal with the demo city and a worker (PORT=8000, VAR_DIR=var)
	$(call script,run.py)

test: ## Run all tests on PostgreSQL and SQLite, with worker and browser (ARGS="tests/quotas -x")
	$(call script,run_tests.py) $(ARGS)

check: ## Check style, types, import order, templates, migrations, translations and lock files
	$(call script,check.py) $(ARGS)

bench: ## Measure, print a table and write bench.json
	$(call script,bench.py) $(ARGS)

soak: ## Repeat the tests of concurrency, failure and random sequences for long
	$(call script,soak.py) $(ARGS)

lock: ## Compile the lock files from the .in files (ARGS="--upgrade" takes newer releases)
	$(call script,lock.py) $(ARGS)

clean: ## Remove the environment and the browser assets; var/ with the data stays
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
