# make run: the site, ready to use. make test: everything that is tested. Both need Python 3.11+, git and make only.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCALES := en
# the client's own index settings apply; the locks name no host
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help run test test-faults lint check audit bench bench-desk bench-export bench-enquiries bench-health-check bench-reports lock messages share-images clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.run ## Start the site on 127.0.0.1:8000 (XINHENG_* settings pass through)
	@exec $(BIN)/xinheng serve

test: $(VENV)/.dev ## Run every test: rules, database, views, a real browser
	@$(BIN)/python tests/browser/install.py
	$(BIN)/python -m pytest -m "not faults" $(PYTEST_ARGS)

test-faults: $(VENV)/.dev ## Kill servers, cut the power, fill disks, take databases away, and count what is left (10 minutes)
	$(BIN)/python -m pytest -m faults $(PYTEST_ARGS)

lint: $(VENV)/.dev ## Formatting, lint, types, layers, content and forms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/xinheng check

check: lint ## What a programmer runs before a commit: lint, and the tests without a browser
	$(BIN)/python -m pytest -m "not browser and not faults" $(PYTEST_ARGS)

audit: $(VENV)/.dev ## Ask for known vulnerabilities in the locked packages, where a source can be reached
	@$(BIN)/python tests/advisories.py requirements.lock requirements-dev.lock

bench: $(VENV)/.dev ## Judge related posts on a corpus: make bench CORPUS=articles.json
	$(BIN)/python bench/related.py $(CORPUS)

bench-desk: $(VENV)/.dev ## Time the desk with 100,000 and 1,000,000 leads, on SQLite and PostgreSQL
	$(BIN)/python bench/desk.py --leads 100000 --leads 1000000 --database both

bench-export: $(VENV)/.dev ## Memory and time of exporting 100,000 leads, on SQLite and PostgreSQL
	PYTHONPATH=site:. $(BIN)/python bench/export.py

bench-enquiries: $(VENV)/.dev ## Enquiries stored a second over HTTP, beside bare commits, on SQLite and PostgreSQL
	PYTHONPATH=site:. $(BIN)/python bench/enquiries.py

bench-health-check: $(VENV)/.dev ## Time a result of the health check, and an answer with its next page
	$(BIN)/python bench/health_check.py
	$(BIN)/python bench/health_check_steps.py

bench-reports: $(VENV)/.dev ## Time the reports with 100,000 leads and 10,000,000 reads, on SQLite and PostgreSQL
	$(BIN)/python bench/reports.py

lock: $(VENV)/.dev ## Renew both hash-pinned locks from pyproject.toml
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export -q --no-dev --group build --format requirements-txt --no-emit-project --no-header --no-annotate > requirements.lock
	$(BIN)/uv export -q --group build --format requirements-txt --no-emit-project --no-header --no-annotate > requirements-dev.lock

messages: $(VENV)/.dev ## Collect the desk's texts, bring the catalogues up to date, compile them
	$(BIN)/pybabel -q extract -F translations/babel.cfg -k later --no-location --sort-output --omit-header -o $(VENV)/messages.pot site/xinheng
	for locale in $(LOCALES); do \
	  $(BIN)/pybabel -q update -i $(VENV)/messages.pot -d translations -l $$locale -w 110 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date && \
	  $(BIN)/pybabel -q compile -d translations -l $$locale || exit 1; \
	done
	$(BIN)/pybabel -q compile -d translations -l zh_Hans_CN -D flask_security

share-images: $(VENV)/.dev ## Draw the pictures for shared links anew (static/img/share*.png)
	$(BIN)/python tests/browser/share_images.py

clean: ## Remove the environment and caches; var/ (the data) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 以上；可以用 make PYTHON=python3.12 指定"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# uv installs ten times faster than pip; it is pinned in the lock like everything else
$(BIN)/uv: | $(BIN)/python
	@grep -A 40 '^uv==' requirements-dev.lock | awk 'NR==1 || /^ /{print; next} {exit}' > $(VENV)/uv.lock
	$(PIP) install -q --require-hashes -r $(VENV)/uv.lock

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run
