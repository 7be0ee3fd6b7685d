#include "command/command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/installed.h"
#include "core/lists.h"
#include "results/directory.h"
#include "verdict/claims.h"

#define COMMAND(object) extern const struct command object;
#include "command/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(object) &object,
#include "command/commands.def"
#undef COMMAND
};

LIST_AT(command, command_at, commands)

int command_fail(const struct error *error)
{
    /* Messages about a spec begin with FILE:LINE:COL and are left as they are, for editors that jump there. */
    if (error->status == STATUS_INVALID)
        fprintf(stderr, "%s\n", error->text);
    else
        fprintf(stderr, "diffrate: %s\n", error->text[0] != '\0' ? error->text : status_sentence(error->status));
    return error->status == STATUS_INVALID || error->status == STATUS_INADMISSIBLE ? EXIT_INPUT : EXIT_FAILED;
}

size_t command_read_count(const char *text, const char *option, size_t least, size_t most,
                          const struct argp_state *state)
{
    char *end;
    unsigned long count = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || count < least || count > most)
        argp_error(state, "%s: expected a number from %zu to %zu, not '%s'", option, least, most, text);
    return count;
}

int command_read_jobs(const char *text, const struct argp_state *state)
{
    return (int)command_read_count(text, "-j", 1, 4096, state);
}

const char *command_read_output(const char *text, const struct argp_state *state)
{
    if (*text == '\0')
        argp_error(state, "-o: expected a directory, not ''");
    return text;
}

double command_read_seconds(const char *text, const struct argp_state *state)
{
    char *end;
    double seconds = strtod(text, &end);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || !(seconds > 0.0) || !(seconds <= 1e9))
        argp_error(state, "--cell-seconds: expected a number of seconds above 0, not '%s'", text);
    return seconds;
}

error_t command_argument(int key, const char *argument, const struct argp_state *state, const char **out,
                         const char *name, const char *hint)
{
    if (key == ARGP_KEY_ARG && *out != NULL)
        argp_error(state, "one %s at a time", name);
    if (key == ARGP_KEY_END && *out == NULL)
        argp_error(state, "which %s?%s", name, hint);
    if (key != ARGP_KEY_ARG)
        return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
    *out = argument;
    return 0;
}

int command_interrupted(int signal, const char *consequence)
{
    fprintf(stderr, "diffrate: interrupted by signal %d (%s)%s\n", signal, strsignal(signal), consequence);
    return SIGNAL_EXIT + signal;
}

enum status command_load_spec(const char *path, struct spec *spec, struct error *error)
{
    char installed[4096];
    if (strncmp(path, "experiments/", 12) != 0 || access(path, F_OK) == 0
        || !installed_find(path, installed, sizeof installed))
        return spec_load(path, claim_names(), spec, error);
    fprintf(stderr, "%s is not here; taking %s\n", path, installed);
    return spec_load(installed, claim_names(), spec, error);
}

enum status command_directory_spec(const char *directory, const char *file, const char *version, struct spec *spec,
                                   struct error *error)
{
    if (file == NULL)
        return directory_read(directory, version, claim_names(), spec, error);
    TRY(command_load_spec(file, spec, error));
    return directory_is_of(directory, spec, version, error);
}

enum { FAILURES_SHOWN = 10 };

/* Lines "cell: reason", the first few of them. */
static void print_reasons(const char *reasons, const char *what)
{
    const char *line = reasons != NULL ? reasons : "";
    size_t count = 0;
    for (; *line != '\0'; count++) {
        int length = (int)strcspn(line, "\n");
        if (count < FAILURES_SHOWN)
            fprintf(stderr, "diffrate: %s: %.*s\n", what, length, line);
        line += length + (line[length] == '\n');
    }
    if (count > FAILURES_SHOWN)
        fprintf(stderr, "diffrate: ... and %zu more\n", count - FAILURES_SHOWN);
}

void command_print_summary(const struct run_summary *summary, const char *directory)
{
    fprintf(stderr, "%zu cell%s measured, %zu read back, %zu failed\n", summary->measured,
            summary->measured == 1 ? "" : "s", summary->reused, summary->failed);
    print_reasons(summary->failures, "failed");
    if (summary->failed > 0)
        fprintf(stderr, "diffrate: %zu cell%s failed; `diffrate run --retry-failed` measures what failed again\n",
                summary->failed, summary->failed == 1 ? "" : "s");
    print_reasons(summary->refusals, "T(d, eps) is found without");
    if (!summary->merged)
        fprintf(stderr, "at least %zu cells of other shards are missing; when they are there: diffrate merge %s\n",
                summary->missing, directory);
    else
        fprintf(stderr, "all cells are there and merged: %s\n", directory);
}
