# What a person types. Everything is done by the package tools/; see docs/development.md.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-slow test-faults test-attacks test-browser test-peers bench lint audit \
	package prepare dev terms pictures clean distclean

help:
	@echo "make demo          set everything up and show orders and stock synchronized, on both sides"
	@echo "make serve         the same, left running, with addresses and logins (ODOO_PORT, SANDBOX_PORT)"
	@echo "make test          linters and all tests (ONLY=lint|pure|odoo|mrp|system, ARGS='pytest options')"
	@echo "make test-slow     ten random walks on both sides, every step in every situation: an hour or two"
	@echo "make test-faults   kill -9 at every commit, outages, two processes: many minutes"
	@echo "make test-peers    Odoo's own tests, without the addon and with it (ONLY='sale stock', ROUNDS=2)"
	@echo "make test-attacks  time-outs, thousands of products and orders, two databases: prints figures"
	@echo "make test-browser  the screens in a real browser, in Ukrainian; writes screenshots"
	@echo "make bench         benchmarks and their baselines, into bench/RESULTS.md (NAME=webhook for one)"
	@echo "make lint          the linters alone (FIX=1 fixes what it can)"
	@echo "make audit         check the pinned packages against the lists of known vulnerabilities"
	@echo "make package       build the zip and the wheels of the addons into dist/"
	@echo "make prepare       download and build what is kept between runs, and nothing else"
	@echo "make dev           a private database server left running, with the commands to work with it"
	@echo "make terms         extract translatable strings into the addons' translation files"
	@echo "make pictures      take the pictures of the guides and the README again (CHROMIUM)"
	@echo "make clean         remove what runs left behind; make distclean also the cache"
	@echo "Variables: ODOO_SRC (an existing Odoo 19), PGHOST PGPORT PGUSER PGPASSWORD (an existing"
	@echo "PostgreSQL server), PYTHON (3.11, 3.12 or 3.13), ORDAGE_CACHE, ORDAGE_RUN (folders); see"
	@echo "docs/development.md"

demo serve test test-peers bench lint audit package prepare dev terms pictures clean distclean:
	@$(PYTHON) -m tools $@

test-browser:
	@ONLY=browser $(PYTHON) -m tools test

test-slow:
	@SLOW=1 ONLY=system ARGS="-k random_walk $(ARGS)" $(PYTHON) -m tools test
	@SLOW=1 ONLY=mrp ARGS="-k TestMatrix $(ARGS)" $(PYTHON) -m tools test
	@ONLY=shops ARGS="$(ARGS)" $(PYTHON) -m tools test
	@SLOW=1 ONLY=odoo ARGS="-k 'EveryOrder or anything_anywhere or each_answer' $(ARGS)" $(PYTHON) -m tools test

test-faults:
	@ONLY=faults $(PYTHON) -m tools test

test-attacks:
	@ONLY=attacks $(PYTHON) -m tools test
