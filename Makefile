# make            builds build/diffrate
# make reproduce  installs what is missing, builds, runs the main experiment and short versions of those on score errors
#                 and minimal assumptions, prints verdicts, draws plots
# make theorems   judges theorems of the field, experiments/theorems, and writes results/theorems/index.html; some minutes
# make test       installs what is missing, builds, runs the tests, in a few minutes
# make check      the same and more: more repetitions, clang's warnings, clang-format, ASan + UBSan, fuzzing, Slurm, a
#                 browser, LaTeX, Python, R; it installs all of these
# make soak       the long form: thousands of kills, an hour of fuzzing
# make fuzz       looks for specs and results that break the readers, FUZZ_SECONDS=60 each
# make bench      speed, as ratios to bare loops on the same machine: writes results/reference/bench.md
# make bench-check   fails where one of these ratios has grown; make counts-check looks at what no load of the machine changes
# make readme     renews the README's measured parts from results/reference; make reference renews those
# make plugin FILE=mine.c   builds mine.so, with samplers or targets of your own
# make install PREFIX=/usr/local

PREFIX ?= /usr/local
VERSION = 0.1.0
BUILD ?= build
FUZZ_SECONDS ?= 60
JOBS := $(shell nproc 2>/dev/null || echo 2)
CC = gcc

# Debian has a serial HDF5 beside those for MPI; elsewhere hdf5 is the serial one.
packages = gsl $(shell pkg-config --exists hdf5-serial && echo hdf5-serial || echo hdf5) yaml-0.1 smartcols openblas lapacke
# Where pkg-config does not know LAPACKE it is a library of that name, or OpenBLAS holds it.
lapacke := $(shell pkg-config --exists lapacke || { echo 'int main(void) { return 0; }' | \
    $(CC) -x c - -llapacke -o /dev/null 2>/dev/null && echo -llapacke; })
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
OPTIMIZE = -O1
# No contraction and no fast-math: results have the same bits on every x86-64 machine.
CFLAGS = -std=c17 $(OPTIMIZE) -g1 -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp $(WARNINGS) $(EXTRA_CFLAGS)
CPPFLAGS := -D_DEFAULT_SOURCE -Isrc $(foreach package,$(packages),$(shell pkg-config --cflags $(package) 2>/dev/null))
# OpenBLAS in the place of GSL's own.
LDLIBS := $(filter-out -lgslcblas,$(foreach package,$(packages),$(shell pkg-config --libs $(package) 2>/dev/null))) \
    $(lapacke) -lhdf5_hl -lhdf5 -lm
reproduced = scaling score-error-short roughness-short minimal-short
commit := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)

sources = $(wildcard src/core/*.c src/model/*.c src/law/*.c src/law/*/*.c src/sample/*.c src/experiment/*.c src/results/*.c src/verdict/*.c src/report/*.c src/command/*.c)
# What plug-ins include, and what they may call.
headers = core/status.h model/density.h model/form.h model/params.h model/plugin.h model/sampler.h model/schedule.h model/target.h
EXPORTS = $(patsubst %,-Wl$(comma)--export-dynamic-symbol='%',factor_list_* target_* sampler_* schedule_* fail_with status_sentence)
comma = ,
PLUGIN_FLAGS = -g0 -shared -fPIC -fvisibility=hidden

objects = $(sources:src/%.c=$(BUILD)/%.o)
# What a fuzzer runs is also replayed by the suite; the fuzzer's own entry is not part of it.
test_sources = $(wildcard src/test/*.c) src/test/fuzz/spec.c src/test/fuzz/result.c
bench_sources = $(wildcard src/bench/*.c)
test_objects = $(test_sources:src/%.c=$(BUILD)/%.o)

.PHONY: all plugin reproduce theorems test check fuzz soak bench bench-check counts-check readme reference install clean warnings format FORCE
.DELETE_ON_ERROR:

parallel = $(MAKE) --no-print-directory -s -j$(JOBS)

all: $(BUILD)/diffrate

$(BUILD)/diffrate: $(objects) $(BUILD)/main.o
	$(CC) $(CFLAGS) $(EXPORTS) -o $@ $^ $(LDLIBS)

$(BUILD)/diffrate-test: $(objects) $(test_objects)
	$(CC) $(CFLAGS) $(EXPORTS) -o $@ $^ $(shell pkg-config --libs check 2>/dev/null) $(LDLIBS)

$(BUILD)/diffrate-bench: $(objects) $(bench_sources:src/%.c=$(BUILD)/%.o)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

# -O3 takes the compiler three times as long, and of most files it gains a thirtieth of a run. It pays in the loops of the
# line engine, which are a tenth slower without, and of the radial one, which takes twice the time; in other vectorised
# loops only that they are vectorised counts; -Og is enough for what reads, judges and writes.
vectorised := $(shell grep -l VECTOR_CLONES $(sources)) src/core/philox.c
hot_loops = src/core/vmath.c src/model/mixture_level.c src/model/radial_level.c src/law/panels.c src/law/mixture_panels.c \
    src/law/compose.c src/law/bessel.c src/law/patches_evaluate.c src/model/joint_plane.c \
    $(filter src/law/line/% src/law/plane/% src/law/radial/%,$(vectorised))
written = $(filter src/experiment/% src/results/% src/verdict/% src/report/% src/command/%,$(sources))
objects_of = $(patsubst src/%.c,$(BUILD)/%.o,$(1))
$(call objects_of,$(filter-out $(hot_loops),$(vectorised))): OPTIMIZE = -O2 $(if $(findstring clang,$(CC)),,-fvect-cost-model=dynamic)
$(call objects_of,$(hot_loops) $(test_sources) $(bench_sources)) plugin: OPTIMIZE = -O3
$(call objects_of,$(written)) $(BUILD)/main.o: OPTIMIZE = -Og

# One file of compiler output asks for all libraries first, so that a missing one is named with the command that installs it.
$(BUILD)/%.o: src/%.c | $(BUILD)/.dependencies
	@test -d $(@D) || mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/.dependencies: scripts/install-deps
	@mkdir -p $(BUILD)
	@scripts/install-deps build --check
	@touch $@

# Provenance holds the commit, so it is compiled again when that changes.
$(BUILD)/core/provenance.o: CPPFLAGS += -DDIFFRATE_VERSION='"$(VERSION)"' -DDIFFRATE_COMMIT='"$(commit)"' -DDIFFRATE_CFLAGS='"$(CFLAGS)"'
$(BUILD)/core/provenance.o: $(BUILD)/.commit
$(BUILD)/.commit: FORCE | $(BUILD)/.dependencies
	@echo '$(commit)' | cmp -s - $@ || echo '$(commit)' > $@
FORCE:

$(BUILD)/core/installed.o: CPPFLAGS += -DDIFFRATE_SHARE='"$(PREFIX)/share/diffrate"'

# No debugging symbols, which hold paths: the same source gives the same bytes, by which results know the plug-in.
plugin:
	@test -f "$(FILE)" || { echo "make plugin: which FILE? Such as FILE=experiments/my-plugin.c" >&2; exit 2; }
	$(CC) -Isrc $(CFLAGS) $(PLUGIN_FLAGS) -o "$(basename $(FILE)).so" "$(FILE)"

reproduce:
	@scripts/install-deps
	@$(parallel) all
	@$(parallel) --output-sync=target $(reproduced:%=reproduce-%)

# Several at a time, so that no processor waits for the last cells and figures of one; each writes when it is done.
reproduce-%: FORCE
	@$(BUILD)/diffrate run experiments/$*.yaml -o results

theorems:
	@scripts/install-deps
	@$(parallel) all
	@scripts/theorems $(BUILD)/diffrate results/theorems

# The build that people run, every suite, and Check's summary of all of them as the last line.
test:
	@scripts/install-deps test
	@$(parallel) EXTRA_CFLAGS=-Werror $(BUILD)/diffrate $(BUILD)/diffrate-test
	@rm -f $(BUILD)/test.txt
	@$(MAKE) --no-print-directory -s $(BUILD)/test.txt
	@cat $(BUILD)/test.txt

# What make test has not done yet, and the sum of all summaries as the last line.
check:
	@scripts/install-deps check
	@$(parallel) warnings
	@$(parallel) EXTRA_CFLAGS=-Werror $(BUILD)/diffrate $(BUILD)/diffrate-test
	@$(parallel) BUILD=$(BUILD)/sanitized EXTRA_CFLAGS='-O2 -Werror -fsanitize=address,undefined -fno-sanitize-recover=all' \
	    $(BUILD)/sanitized/diffrate $(BUILD)/sanitized/diffrate-test
	@$(MAKE) --no-print-directory -s $(BUILD)/test.txt $(BUILD)/rest.txt $(BUILD)/sanitized.txt
	@$(MAKE) --no-print-directory -s fuzz
	@for run in test rest sanitized; do echo "$$run: $$(tail -n 1 $(BUILD)/$$run.txt)"; done
	@tail -q -n 1 $(BUILD)/test.txt $(BUILD)/rest.txt $(BUILD)/sanitized.txt | tr -d ',' | \
	    awk '{checks += $$3; failures += $$5; errors += $$7} END {printf "%d%%: Checks: %d, Failures: %d, Errors: %d\n", \
	        100*(checks - failures - errors)/checks, checks, failures, errors; exit failures + errors > 0}'

# Tests read these, too.
tested = README.md CITATION.cff Makefile $(wildcard src/*.md scripts/* experiments/* experiments/theorems/* results/reference/* src/test/data/* src/test/corpus/*/*)
run_tests = $(BUILD)/diffrate-test $(1) > $@.part || { cat $@.part; exit 1; }; mv $@.part $@

$(BUILD)/test.txt: $(BUILD)/diffrate $(BUILD)/diffrate-test $(tested)
	@export DIFFRATE=$(BUILD)/diffrate; $(call run_tests)

# 200 kills, every number of steps, and what needs the programs that make check installs.
$(BUILD)/rest.txt: $(BUILD)/diffrate $(BUILD)/diffrate-test $(tested)
	@echo "at full size, and with other programs"
	@export DIFFRATE=$(BUILD)/diffrate; $(call run_tests,--rest --size 25)

$(BUILD)/sanitized.txt: $(BUILD)/sanitized/diffrate $(BUILD)/sanitized/diffrate-test $(tested)
	@echo "under ASan and UBSan"
	@export DIFFRATE=$(BUILD)/sanitized/diffrate ASAN_OPTIONS=detect_leaks=1; \
	    $(subst $(BUILD)/diffrate-test,$(BUILD)/sanitized/diffrate-test,$(call run_tests))

soak: $(BUILD)/diffrate $(BUILD)/diffrate-test
	$(MAKE) --no-print-directory -s fuzz FUZZ_SECONDS=3600
	DIFFRATE=$(BUILD)/diffrate $(BUILD)/diffrate-test interruptions/kills_lose_nothing --size 625

# Finds go to $(BUILD)/fuzz; one that is a mistake of ours belongs into src/test/corpus, once it is mended. clang has no
# OpenMP of its own here, and one thread is enough.
fuzz:
	@$(parallel) BUILD=$(BUILD)/fuzz CC=clang EXTRA_CFLAGS='-O1 -w -fno-openmp $(fuzz_sanitizers)' \
	    $(BUILD)/fuzz/fuzz-spec $(BUILD)/fuzz/fuzz-result
	@$(MAKE) --no-print-directory -s -j2 $(BUILD)/fuzz/spec.log $(BUILD)/fuzz/result.log

fuzz_sanitizers = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_objects = $(filter-out $(BUILD)/verdict/% $(BUILD)/report/% $(BUILD)/command/%,$(objects)) $(BUILD)/test/fuzz/spec.o $(BUILD)/test/fuzz/result.o
$(BUILD)/fuzz-%: src/test/fuzz/driver.c $(fuzz_objects)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -DFUZZ=fuzz_$* -o $@ $^ $(LDLIBS) -lgomp

$(BUILD)/fuzz/%.log: FORCE
	@mkdir -p $(BUILD)/fuzz/found-$*
	@ASAN_OPTIONS=quarantine_size_mb=8 $(BUILD)/fuzz/fuzz-$* -max_total_time=$(FUZZ_SECONDS) -timeout=60 -rss_limit_mb=4096 -max_len=8192 -artifact_prefix=$(BUILD)/fuzz/$*- \
	    $(BUILD)/fuzz/found-$* src/test/corpus/$* > $@ 2>&1 || { tail -n 40 $@; exit 1; }
	@rm -f $(BUILD)/fuzz/$*-crash-* # of children, which may die
	@tail -n 1 $@ | sed 's/^/fuzz $*: /'

# The other compiler, every source, warnings are errors; and the look of the text.
checked = $(sources) src/main.c $(test_sources) src/test/fuzz/driver.c $(bench_sources)
warnings: format $(checked:src/%.c=$(BUILD)/clang/%.ok)
$(BUILD)/clang/%.ok: src/%.c | $(BUILD)/.dependencies
	@mkdir -p $(@D)
	@clang $(CPPFLAGS) $(CFLAGS) -Werror -Wno-unknown-warning-option -DFUZZ=fuzz_spec -fsyntax-only -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@touch $@

format: $(BUILD)/clang/format.ok
$(BUILD)/clang/format.ok: .clang-format $(checked) $(wildcard src/*/*.h src/*/*/*.h)
	@mkdir -p $(@D)
	@clang-format --dry-run -Werror $(filter src/%,$^)
	@touch $@

# Compared with the program as it was at commit BEFORE, where git has it and it still builds.
BEFORE = 1b0954b
bench: SHELL = /bin/bash
bench: .SHELLFLAGS = -e -o pipefail -c
bench: $(BUILD)/diffrate $(BUILD)/diffrate-bench
	@scripts/install-deps bench
	@mkdir -p $(BUILD)/before
	@git archive $(BEFORE) 2>/dev/null | tar -x -C $(BUILD)/before && \
	    $(MAKE) --no-print-directory -s -j2 -C $(BUILD)/before build/diffrate > /dev/null 2>&1 || echo "no build of $(BEFORE) to compare with"
	@{ printf '# Speed\n\nMade by `make bench` in one run, on %s, %s cores. Times are the least of a few runs.\n\n' \
	        "$$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$$(nproc)"; \
	    $(BUILD)/diffrate-bench src/bench/ddpm.py; \
	    src/bench/counts $(BUILD)/diffrate; echo; \
	    src/bench/sweep 'Sweep: scaling.yaml' $(BUILD)/diffrate experiments/scaling.yaml 512 1024 2048 4096 8192 16384; \
	    [ ! -x $(BUILD)/before/build/diffrate ] || { \
	        echo; src/bench/sweep 'The same before' $(BUILD)/before/build/diffrate experiments/scaling.yaml 512 1024; \
	        echo; src/bench/before $(BUILD)/before/build/diffrate $(BUILD)/diffrate; }; } | tee $(BUILD)/bench.md
	@mv $(BUILD)/bench.md results/reference/bench.md

# Ratios may be a quarter larger than the committed ones, and counts, which do not vary, a tenth.
bench-check: counts-check $(BUILD)/diffrate-bench
	@$(BUILD)/diffrate-bench --check results/reference/bench.md

counts-check: $(BUILD)/diffrate
	@scripts/install-deps bench
	@src/bench/counts $(BUILD)/diffrate --check results/reference/bench.md

# The hard targets, which take longest, are among the results of the theorems that they stress, and among those of all claims.
reference:
	@$(MAKE) --no-print-directory reproduce theorems reproduce-hard-dimension reproduce-hard-dimension-accuracy
	for experiment in $(reproduced); do cp results/$$experiment/verdict.md results/reference/$$experiment.md; done
	ln -sfn ../hard-dimension-accuracy results/theorems/hard-dimension-accuracy
	$(BUILD)/diffrate index results/theorems > /dev/null && cp results/theorems/index.md results/reference/theorems.md
	$(BUILD)/diffrate index results $(reproduced) hard-dimension-accuracy > /dev/null && cp results/index.md results/reference/claims.md
	cp results/hard-dimension/codewords.svg results/reference/codewords.svg
	cp results/scaling/complexity-accuracy.svg results/reference/scaling.svg
	cp results/roughness-short/roughness.svg results/reference/roughness.svg

readme:
	scripts/readme README.md results/reference

install: $(BUILD)/diffrate
	install -D -m 755 $(BUILD)/diffrate $(DESTDIR)$(PREFIX)/bin/diffrate
	install -d $(DESTDIR)$(PREFIX)/share/diffrate/scripts $(DESTDIR)$(PREFIX)/share/diffrate/experiments/theorems $(DESTDIR)$(PREFIX)/share/doc/diffrate
	install -m 644 scripts/*.gp $(DESTDIR)$(PREFIX)/share/diffrate/scripts
	install -m 644 experiments/*.yaml experiments/*.c $(DESTDIR)$(PREFIX)/share/diffrate/experiments
	install -m 644 experiments/theorems/*.yaml $(DESTDIR)$(PREFIX)/share/diffrate/experiments/theorems
	install -m 644 README.md src/THEORY.md LICENSE CITATION.cff $(DESTDIR)$(PREFIX)/share/doc/diffrate
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(BUILD)/diffrate manual > $(DESTDIR)$(PREFIX)/share/man/man1/diffrate.1
	$(BUILD)/diffrate completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/diffrate
	for header in $(headers); do install -D -m 644 src/$$header $(DESTDIR)$(PREFIX)/include/diffrate/$$header || exit 1; done

clean:
	rm -rf $(BUILD)

-include $(checked:src/%.c=$(BUILD)/clang/%.d) $(objects:.o=.d) $(BUILD)/main.d $(bench_sources:src/%.c=$(BUILD)/%.d) $(test_objects:.o=.d)
