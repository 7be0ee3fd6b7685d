/* The subcommands of diffrate, one file each, listed in command/commands.def. */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <argp.h>
#include <stddef.h>

#include "core/status.h"
#include "experiment/spec.h"
#include "results/run.h"

struct command {
    const char *name;
    const char *doc;
    const struct argp *argp; /* what --help, the man page and the completion of shells are made from */
    /* argv[0] is "diffrate NAME". Returns the process's exit status: 0, 1 (it failed, or what it compared differs), 2
     * (the input is wrong), 3 (some cells failed), 128 + N (ended by signal N). */
    int (*run)(int argc, char **argv);
};

const struct command *command_at(size_t index); /* NULL past the end */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_DIFFERENT = 1, EXIT_INPUT = 2, EXIT_CELLS_FAILED = 3, SIGNAL_EXIT = 128 };

/* -j N: processes at a time. */
#define JOBS_OPTION \
    { \
        "jobs", 'j', "N", 0, "Processes, each with a cell (default: one a core)", 0 \
    }
int command_read_jobs(const char *text, const struct argp_state *state); /* 1 to 4096; ends the program otherwise */

enum { LARGEST_COUNT = 1000000000 }; /* of an option that has no bound of its own */

/* A whole number in [least, most], and a name that is not empty, of -o DIR; end the program otherwise. */
size_t command_read_count(const char *text, const char *option, size_t least, size_t most,
                          const struct argp_state *state);
const char *command_read_output(const char *text, const struct argp_state *state);

/* --spec FILE. */
#define SPEC_OPTION(key) \
    { \
        "spec", key, "FILE", 0, \
            "The experiment's own file, to load its plug-ins from: what a results directory names is never loaded", \
            0 \
    }

/* --cell-seconds N. */
#define CELL_SECONDS_OPTION(key) \
    { \
        "cell-seconds", key, "N", 0, \
            "Seconds that a cell may take before it counts as failed, for plug-ins that may never end (default: " \
            "any " \
            "number)", \
            0 \
    }
double command_read_seconds(const char *text,
                            const struct argp_state *state); /* above 0; ends the program otherwise */
/* What a parser does with the keys that are no options, where a command takes one argument: fills *out, and ends the
 * program where there are more or there is none. "which NAME?" is asked then, with the hint behind it. */
error_t command_argument(int key, const char *argument, const struct argp_state *state, const char **out,
                         const char *name, const char *hint);
#define DIRECTORY_HINT " The results directory of an experiment, such as results/scaling"

/* Says on stderr that a signal ended the work, and what holds then; returns the exit status that goes with it. */
int command_interrupted(int signal, const char *consequence);

/* Prints the error's sentence on stderr and returns the exit status that goes with it. */
int command_fail(const struct error *error);

/* spec_load with the claims that this program knows. An experiment that comes with the program, experiments/NAME, is
 * also found where there is no such file here, and stderr says so. */
MUST_USE enum status command_load_spec(const char *path, struct spec *spec, struct error *error);

/* The spec of a results directory (free with spec_free, also after an error): as the directory holds it, which has
 * no plug-ins, or if `file` is not NULL from there, which does. Errors: those of spec_load, directory_read and
 * directory_is_of. */
MUST_USE enum status command_directory_spec(const char *directory, const char *file, const char *version,
                                            struct spec *spec, struct error *error);

/* Says on stderr what became of an experiment's cells: how many, which failed and why, whether they are merged. */
void command_print_summary(const struct run_summary *summary, const char *directory);

#endif
