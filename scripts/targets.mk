# Targets about the project as a whole; the rules that build are in ../Makefile, which includes this.

# --- checks ----------------------------------------------------------------------------------------
.PHONY: check check-layers check-format check-requirements check-headers check-man test hostile integration
# The lock shims and the shared heap are off under ASan, and stepping through deaths takes minutes there: these tests also run
# in the release build.
STEPPED       := $(notdir $(patsubst %/,%,$(dir $(shell grep -l single_step.h test/unit/*/*_test.cpp))))
RELEASE_UNITS := $(addprefix unit-,$(filter mem tls $(STEPPED),$(UNIT_FOLDERS)))
check:                                                ## unit tests under ASan+UBSan, fuzz corpus, layers, headers, format, manual, requirements
	@$(MAKE) check-layers check-format check-requirements
	@KAHU_MOST_KILLS=0 $(MAKE) SAN=asan unit fuzz-replay
	@$(MAKE) $(RELEASE_UNITS) check-headers check-man
check-layers:                                         ## a folder includes only lower folders; no include cycles
	@scripts/check-layers
check-format:                                         ## clang-format agrees (scripts/check-format --fix)
	@scripts/check-format
check-requirements:                                   ## every row of test/integration/requirements.tsv has its test, or its reason
	@scripts/check-requirements
check-headers: | $(GEN_core_config)                   ## every header compiles alone
	@scripts/check-headers $(CXX) $(COMMON)
check-man: $(B)/kahu                                  ## manual pages are what the tables say (scripts/check-man --fix)
	@scripts/check-man

test:                                                 ## everything: installs what is missing, builds, check, integration
	@scripts/install-dependencies build check test
	@$(MAKE) all
	@$(MAKE) check
	@$(MAKE) --no-print-directory hostile
	@$(MAKE) --no-print-directory integration
hostile:                                              ## hostile RPC, torture messages, random scripts against the server under ASan+UBSan
	@$(MAKE) SAN=asan build/asan/kahu
	@KAHU_PROGRAM=$(CURDIR)/build/asan/kahu test/integration/run test_rpc_hostile.py test_torture.py test_random_scripts.py
integration: all                                      ## the real programs against openssl, kamcmd, sipp (KAHU_LONG=1: full lengths)
	@test/integration/run $(TESTS)

# --- load and comparison ---------------------------------------------------------------------------
.PHONY: bench bench-programs bench-locks bench-parser test-load
bench: bench-programs                                 ## all benchmarks, beside Kamailio and nginx (BENCH=quick: under three minutes)
	@test/bench/run
	@test/bench/locks
	@$(BENCH_PARSER)
bench-locks: bench-programs                           ## what locks that survive their holder cost, beside libc's own
	@test/bench/locks
bench-parser: bench-programs                          ## an INVITE read by core/sip, libosip2 and libre
	@$(BENCH_PARSER)
bench-programs:
	@scripts/install-dependencies build bench
	@$(MAKE) all build/bench/parser_bench
	@$(MAKE) LOCKS=plain build/plain-locks/kahu
BENCH_PARSER = build/bench/parser_bench --benchmark_filter='invite|lib' --benchmark_min_time=0.3
test-load:                                            ## the long tests of load: 100 000 handshakes, 1 000 reloads, 10 000 idle
	@scripts/install-dependencies build test
	@$(MAKE) all
	@KAHU_LONG=1 test/integration/run -m load

# --- deaths on purpose -------------------------------------------------------------------------------
.PHONY: test-crash
test-crash: all                                       ## the long tests of crashes: half an hour (test/crash/README.md)
	@test/crash/all.py

# --- running and installing ------------------------------------------------------------------------
.PHONY: run install
RUN_DIR  := build/run
RUN_CFG  ?= etc/kahu.cfg
RUN_ARGS ?= -A WITH_KAMCMD -A 'CERTIFICATE="$(CURDIR)/$(RUN_DIR)/server.crt"' -A 'PRIVATE_KEY="$(CURDIR)/$(RUN_DIR)/server.key"' \
            -A 'DBURL="sqlite://$(CURDIR)/$(RUN_DIR)/kahu.db"'
run:                                                  ## install what is missing, build, make certificates, serve on 5060 and 5061
	@scripts/install-dependencies build
	@$(MAKE) all
	@scripts/kahu-cert all $(RUN_DIR) --quiet
	@exec $(B)/kahu -DD -E -f $(RUN_CFG) -w $(RUN_DIR) $(RUN_ARGS)

SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR    ?= $(PREFIX)/lib/systemd/system
put         = install -D -m $(1) -t $(DESTDIR)$(2) $(3)
install: all                                          ## DESTDIR= PREFIX=/usr/local SYSCONFDIR=; keeps configuration files that exist
	@$(call put,755,$(PREFIX)/sbin,build/kahu)
	@$(call put,755,$(PREFIX)/bin,build/kahucmd scripts/kahu-cert)
	@for file in $(wildcard etc/*.cfg); do \
	    [ -e "$(DESTDIR)$(SYSCONFDIR)/kahu/$${file##*/}" ] || $(call put,644,$(SYSCONFDIR)/kahu,$$file); done
	@$(foreach section,1 5 7 8,$(if $(wildcard man/*.$(section)),$(call put,644,$(PREFIX)/share/man/man$(section),$(wildcard man/*.$(section)));))
	@for file in $(wildcard etc/*.service); do \
	    install -d $(DESTDIR)$(UNITDIR); \
	    sed 's|/usr/\(s\?bin\)/|$(PREFIX)/\1/|g;s|/etc/kahu|$(SYSCONFDIR)/kahu|g' $$file > $(DESTDIR)$(UNITDIR)/$${file##*/}; done
	@$(foreach file,$(wildcard etc/*.bash-completion),install -D -m 644 $(file) \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$(basename $(notdir $(file)));)
