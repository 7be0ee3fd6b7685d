#include "report/explain.h"

#include <argp.h>
#include <stdlib.h>

#include "command/command.h"

struct options {
    const char *result, *claim, *target;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 't':
        options->target = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->claim != NULL)
            argp_error(state, "one RESULT and one CLAIM at a time");
        *(options->result == NULL ? &options->result : &options->claim) = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->claim == NULL)
            argp_error(state, "which RESULT and which CLAIM? A results directory or the merged .h5 file in it, and a "
                              "name such as eps-ddpm");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"target", 't', "NAME", 0, "The finding on this target (default: on that which decides)", 0},
    {0},
};
static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "RESULT CLAIM",
    .doc =
        "Print how a verdict came about: the cells used and those that were not, with reasons; the window; the fit; "
        "what the interval is made of; the bands; and what would have changed the verdict."
        "\vExample:\n  diffrate explain results/scaling eps-accelerated --target bimodal"};

static int run(int argc, char **argv)
{
    struct options options = {NULL, NULL, NULL};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct evidence evidence;
    enum status status;
    TRY_OR(end, evidence_read(options.result, claim_names(), &evidence, &error));
    status = explain_print(&evidence, options.claim, options.target, stdout, &error);
end:
    evidence_free(&evidence);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

const struct command command_explain = {"explain", "say how a claim's verdict came about", &argp, run};
