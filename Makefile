# The two commands of a newcomer are `make run` and `make test`.
PYTHON ?= python3
NPM ?= npm
VENV := .venv
PAGES := routes/pages
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml
CHECKED := app.py cli.py console.py database.py embedded.py auth bench commands dataloaders demo jobs live messages \
	models observing payments resolvers routes schema settings steps tests

.PHONY: run test coverage check bench format lock install query-page env-file schema clean

run: install query-page
	@$(VENV)/bin/rowlock serve --demo

test: install
	$(VENV)/bin/python -m pytest -n 3

# The same suite, and which lines nobody runs; it takes half as long again.
coverage: install
	$(VENV)/bin/python -m pytest -n 3 --cov --cov-report=term

check: install
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy $(CHECKED)
	$(VENV)/bin/rowlock schema | diff schema/schema.graphql - || (echo "Run make schema." && false)
	$(VENV)/bin/rowlock env-example | diff .env.example - || (echo "Run make env-file." && false)
	$(VENV)/bin/python -m pytest -q tests/test_house.py

bench: install
	$(VENV)/bin/python -m bench

format: install
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

schema: install
	$(VENV)/bin/rowlock schema > schema/schema.graphql.new
	mv schema/schema.graphql.new schema/schema.graphql

env-file: install
	$(VENV)/bin/rowlock env-example > .env.example

lock: install
	$(LOCK) --extra amqp --extra tracing -o requirements.lock
	$(LOCK) --extra dev -o requirements-dev.lock

clean:
	rm -rf $(VENV) $(PAGES)/node_modules tests/clients/node_modules

install: $(VENV)/.installed

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@echo "Installing into $(VENV) ..."
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# GraphiQL from its package; without npm or a network the plain query page takes its place.
query-page:
	@if cmp -s $(PAGES)/package-lock.json $(PAGES)/node_modules/.installed-lock; then :; \
	elif ! command -v $(NPM) >/dev/null; then echo "npm is not here: the plain query page takes GraphiQL's place."; \
	elif (cd $(PAGES) && $(NPM) ci --ignore-scripts --no-audit --no-fund --silent </dev/null >/dev/null 2>&1); then \
		cp $(PAGES)/package-lock.json $(PAGES)/node_modules/.installed-lock; \
	else echo "npm could not install GraphiQL: the plain query page takes its place."; fi
