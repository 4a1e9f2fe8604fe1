# What a person types. Everything is done by the package tools/; see docs/development.md.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-slow test-faults test-browser bench lint audit prepare dev terms pictures clean \
	distclean

help:
	@echo "make demo       set everything up and show the main job end to end, on both sides"
	@echo "make serve      the same, left running, with addresses and logins (ODOO_PORT, SANDBOX_PORT)"
	@echo "make test       linters and all tests (ONLY=lint|pure|odoo|mrp|system, ARGS='pytest options')"
	@echo "make test-slow  ten random walks on both sides, every step in every situation: an hour or two"
	@echo "make test-faults  kill -9 at every commit, outages, two processes: many minutes"
	@echo "make test-browser  the screens in a real browser, in Ukrainian; leaves its pictures"
	@echo "make bench      speed beside its floor, into bench/RESULTS.md (NAME=webhook for one of them)"
	@echo "make lint       the linters alone (FIX=1 mends what can be mended)"
	@echo "make audit      the pinned packages against the lists of known vulnerabilities"
	@echo "make prepare    fetch and make what is kept between runs, and nothing else"
	@echo "make dev        a private database server left running, with the commands to work with it"
	@echo "make terms      take the words of the addons into their translation files"
	@echo "make pictures   take the pictures of the guides and the README anew (CHROMIUM)"
	@echo "make clean      remove what runs left behind; make distclean also the cache"
	@echo "Variables: ODOO_SRC (an Odoo 19 that is there), PGHOST PGPORT PGUSER PGPASSWORD (a PostgreSQL"
	@echo "server that is there), ORDAGE_CACHE, ORDAGE_RUN (folders); see docs/development.md"

demo serve test bench lint audit prepare dev terms pictures clean distclean:
	@$(PYTHON) -m tools $@

test-browser:
	@ONLY=browser $(PYTHON) -m tools test

test-slow:
	@SLOW=1 ONLY=system ARGS="-k random_walk $(ARGS)" $(PYTHON) -m tools test
	@SLOW=1 ONLY=odoo ARGS="-k 'EveryOrder or anything_anywhere' $(ARGS)" $(PYTHON) -m tools test

test-faults:
	@ONLY=faults $(PYTHON) -m tools test
