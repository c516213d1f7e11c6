# Kahu: build, check, test, bench, install.   `make help` lists the targets.
#
#   make                 release build: build/kahu, build/kahucmd, build/kahu-load
#   make SAN=asan        address + undefined-behaviour sanitizers, in build/asan
#   make SAN=ubsan       undefined-behaviour sanitizer alone, in build/ubsan
#   make DEBUG=1         -O0 with expensive invariants, in build/debug
#   make LOCKS=plain     locks that do not survive their holder, in build/plain-locks: for `make bench-locks` only
.DEFAULT_GOAL := all
MAKEFLAGS     += --no-builtin-rules
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS     += -j$(shell nproc)
endif
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:

VERSION := 0.1.0
CXX     ?= g++
ifeq ($(origin CXX),default)
CXX     := g++
endif
PREFIX  ?= /usr/local
DESTDIR ?=

# --- build modes ---------------------------------------------------------------------------------
WARN   := -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -Werror
CXXSTD := -std=c++20
SYMBOLS := -g
COMMON  = $(CXXSTD) $(SYMBOLS) -pthread $(WARN) -I. -I$(B)/gen -DKAHU_VERSION='"$(VERSION)"' -fno-omit-frame-pointer
ifeq ($(SAN),asan)
  B     := build/asan
  SYMBOLS := -g1
  FLAGS := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -DKAHU_SANITIZED=1
else ifeq ($(SAN),ubsan)
  B     := build/ubsan
  FLAGS := -O1 -fsanitize=undefined -fno-sanitize-recover=undefined
else ifeq ($(DEBUG),1)
  B     := build/debug
  FLAGS := -O0 -DKAHU_EXPENSIVE_INVARIANTS=1
else ifeq ($(LOCKS),plain)
  B     := build/plain-locks
  FLAGS := -O2 -DNDEBUG
else
  B     := build
  FLAGS := -O2 -DNDEBUG
endif
CCACHE := $(shell command -v ccache 2>/dev/null)
LDLIBS := -lssl -lcrypto -levent_core -lfmt -lpcre2-8 -lcares -lsystemd -lsqlite3

# Whatever is made appears whole or not at all, so that two makes at a time do not trip over each other.

# --- layers: a folder may use only folders listed before it (scripts/check-layers) -----------------
MODULES := $(patsubst %/,%,$(sort $(wildcard core/modules/*/)))
FOLDERS := mem core/base core/sip core/stats core/module core/proc core/net core/config core/db core/script \
           tls rpc $(MODULES) core/app
name     = $(subst /,_,$(1))
sources  = $(call locks,$(filter-out %/main.cpp,$(sort $(wildcard $(1)/*.cpp)))) $(GEN_$(call name,$(1)))
locks    = $(if $(filter plain,$(LOCKS)),$(patsubst mem/rwlock.cpp,test/bench/plain_locks.cpp,$(1)),$(1))
objects  = $(patsubst %.cpp,$(B)/obj/%.o,$(patsubst $(B)/gen/%,gen/%,$(call sources,$(1))))
archive  = $(B)/lib/$(call name,$(1)).a

GEN_core_config := $(patsubst core/config/%.yy,$(B)/gen/core/config/%.tab.cpp,$(wildcard core/config/*.yy))
GEN_core_app    := $(B)/gen/core/app/embedded_configuration.cpp
ARCHIVES        := $(foreach f,$(FOLDERS),$(call archive,$(f)))

.PHONY: all help
all: $(B)/kahu $(B)/kahucmd $(B)/kahu-load          ## the server, its command client and the load generator

define folder_rules
$(call archive,$(1)): $(call objects,$(1))
	@mkdir -p $$(@D) && rm -f $$@.$$$$$$$$ && ar rcsT $$@.$$$$$$$$ $$^ && mv -f $$@.$$$$$$$$ $$@
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(f))))

$(B)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  CXX $<"
	@$(CCACHE) $(CXX) $(COMMON) $(FLAGS) $(CXXFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.$$$$ && mv -f $@.$$$$ $@
$(B)/obj/gen/%.o: $(B)/gen/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX $<"
	@$(CCACHE) $(CXX) $(COMMON) $(FLAGS) $(CXXFLAGS) -Wno-shadow -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.$$$$ && mv -f $@.$$$$ $@
$(B)/gen/core/config/%.tab.cpp: core/config/%.yy
	@mkdir -p $(@D)
	@echo "  BISON $<"
	@bison -Wall -Werror -Wno-error=other --header=$(B)/gen/core/config/$*.tab.h -o $@ $<
$(B)/gen/core/app/embedded_configuration.cpp: etc/kahu.cfg
	@mkdir -p $(@D)
	@{ printf '#include "core/app/configuration.h"\nnamespace kahu::app {\nstd::string_view embedded_configuration() { return R"KAHU_CFG('; \
	   cat $<; printf ')KAHU_CFG"; }\n}  // namespace kahu::app\n'; } > $@
# Whoever includes the grammar's tokens must wait until bison has written them.
$(foreach s,$(wildcard core/config/*.cpp),$(B)/obj/$(s:.cpp=.o)): | $(GEN_core_config)

# The lock shims must be in the executable, and be found by libcrypto (tls/README.md).
LINK_KAHU := -Wl,--whole-archive $(ARCHIVES) -Wl,--no-whole-archive \
             -Wl,--export-dynamic-symbol='pthread_rwlock_*' -Wl,--export-dynamic-symbol=pthread_self
$(B)/kahu: $(B)/obj/core/app/main.o $(ARCHIVES)
	@echo "  LD  $@"
	@$(CXX) $(FLAGS) -pthread -rdynamic -o $@.$$$$ $< $(LINK_KAHU) $(LDLIBS) && mv -f $@.$$$$ $@

CMD_OBJECTS := $(patsubst %.cpp,$(B)/obj/%.o,$(wildcard rpc/client/*.cpp))
$(B)/kahucmd: $(CMD_OBJECTS) $(call archive,rpc) $(call archive,core/base)
	@echo "  LD  $@"
	@$(CXX) $(FLAGS) -o $@ $(CMD_OBJECTS) $(B)/obj/rpc/binrpc.o $(call archive,core/base) -lfmt -lreadline

LOAD_OBJECTS := $(patsubst %.cpp,$(B)/obj/%.o,$(wildcard test/load/*.cpp))
$(B)/kahu-load: $(LOAD_OBJECTS) $(call archive,core/base)
	@echo "  LD  $@"
	@$(CXX) $(FLAGS) -pthread -o $@ $(LOAD_OBJECTS) $(call archive,core/base) -lssl -lcrypto -lfmt

# --- unit tests: one program per folder of test/unit; it links that folder and all below it --------
UNIT_FOLDERS := $(patsubst test/unit/%/,%,$(sort $(wildcard test/unit/*/)))
# Tests of a module link all modules: modules use each other's api.h.
folder_of     = $(firstword $(if $(filter core/modules/$(1),$(MODULES)),$(lastword $(MODULES))) \
                            $(filter $(1) core/$(1),$(FOLDERS)) $(lastword $(FOLDERS)))
upto          = $(if $(2),$(firstword $(2)) $(if $(filter $(firstword $(2)),$(1)),,$(call upto,$(1),$(wordlist 2,99,$(2)))))
define unit_rules
$(B)/unit/$(1)_test: $(patsubst %.cpp,$(B)/obj/%.o,$(wildcard test/unit/$(1)/*.cpp)) $(foreach f,$(call upto,$(call folder_of,$(1)),$(FOLDERS)),$(call archive,$(f)))
	@mkdir -p $$(@D)
	@echo "  LD  $$@"
	@$(CXX) $(FLAGS) -pthread -rdynamic -o $$@ $$(filter %.o,$$^) -Wl,--whole-archive $$(filter %.a,$$^) -Wl,--no-whole-archive \
	  -Wl,--export-dynamic-symbol='pthread_rwlock_*' -Wl,--export-dynamic-symbol=pthread_self -lgtest -lgtest_main $(LDLIBS)
.PHONY: unit-$(1)
unit-$(1): $(B)/unit/$(1)_test
	@KAHU_SOURCE_DIR=$(CURDIR) $(B)/unit/$(1)_test --gtest_brief=1
endef
$(foreach u,$(UNIT_FOLDERS),$(eval $(call unit_rules,$(u))))
.PHONY: unit
unit: $(foreach u,$(UNIT_FOLDERS),unit-$(u))          ## unit tests in this build mode (make SAN=asan unit)

# --- fuzzers: clang's libFuzzer where asked for; the plain driver replays the corpus in `make check` --
FUZZERS := $(patsubst test/fuzz/%_fuzz.cpp,%,$(sort $(wildcard test/fuzz/*_fuzz.cpp)))
$(B)/fuzz/%_replay: $(B)/obj/test/fuzz/%_fuzz.o $(B)/obj/test/fuzz/replay/driver.o $(filter-out $(call archive,core/app),$(ARCHIVES))
	@mkdir -p $(@D)
	@$(CXX) $(FLAGS) -pthread -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
.PHONY: fuzz-replay
fuzz-replay: $(foreach f,$(FUZZERS),$(B)/fuzz/$(f)_replay)      ## each fuzzer over its corpus and bounded random mutations
	@for f in $(FUZZERS); do $(B)/fuzz/$${f}_replay test/fuzz/corpus/$$f || exit 1; done
.PHONY: fuzz
FUZZ_SECONDS ?= 60
fuzz:                                                 ## libFuzzer (clang): FUZZ_SECONDS=60 for each parser
	@scripts/fuzz $(FUZZ_SECONDS) $(FUZZERS)

# --- micro-benchmarks: build/bench/NAME from test/bench/NAME.cpp (google-benchmark) ---------------------
$(B)/bench/%: $(B)/obj/test/bench/%.o $(filter-out $(call archive,core/app),$(ARCHIVES))
	@mkdir -p $(@D)
	@$(CXX) $(FLAGS) -pthread -rdynamic -o $@ $(filter %.o,$^) -Wl,--whole-archive $(filter %.a,$^) -Wl,--no-whole-archive -lbenchmark $(LDLIBS)

# The parser's has the same message read by Debian's libosip2 and libre as well.
$(B)/bench/parser_bench: $(B)/obj/test/bench/parser_others.o
$(B)/bench/parser_bench: LDLIBS += -losipparser2 -lre

-include scripts/targets.mk

help:                                                 ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile scripts/targets.mk | sed -E 's/:.*## */\t/' | expand -t 16

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
