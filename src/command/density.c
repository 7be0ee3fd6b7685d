#include <argp.h>
#include <limits.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/picture.h"
#include "core/file.h"

enum { LEAST_POINTS = 16, MOST_POINTS = 1000 };
enum { KEY_POINTS = 1000, KEY_STEPS, KEY_TARGET, KEY_SAMPLER };

struct options {
    const char *file, *output, *target, *sampler; /* the last two NULL: all */
    size_t points, steps;                         /* steps 0: all of the file's */
    int jobs;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'o':
        options->output = command_read_output(argument, state);
        return 0;
    case 'j':
        options->jobs = command_read_jobs(argument, state);
        return 0;
    case KEY_POINTS:
        options->points = command_read_count(argument, "--points", LEAST_POINTS, MOST_POINTS, state);
        return 0;
    case KEY_STEPS:
        options->steps = command_read_count(argument, "--steps", 2, (size_t)1 << 40, state);
        return 0;
    case KEY_TARGET:
        options->target = argument;
        return 0;
    case KEY_SAMPLER:
        options->sampler = argument;
        return 0;
    default:
        return command_argument(key, argument, state, &options->file, "FILE", "");
    }
}

static const struct argp_option argp_options[] = {
    {"output", 'o', "DIR", 0, "Write into DIR/<experiment>, where its results are (default: results)", 0},
    {"target", KEY_TARGET, "NAME", 0, "Of this target alone", 0},
    {"sampler", KEY_SAMPLER, "NAME", 0, "Of this sampler alone", 0},
    {"steps", KEY_STEPS, "T", 0, "At this number of steps, in place of the file's", 0},
    {"points", KEY_POINTS, "N", 0, "N x N points of the plane (default: 240)", 0},
    {"jobs", 'j', "N", 0, "Threads in each law (default: one a core)", 0},
    {0},
};

static const struct argp argp = {
    argp_options,
    parse,
    "FILE",
    "Draw the densities in the plane of X_1, of a sampler's output Y_1, and their difference: for every target of a "
    "file in two dimensions that is a mixture in the plane or a product of two laws on the line, every sampler and "
    "number of steps, from the exact law with exact scores, which is computed anew. Written are "
    "density-TARGET-SAMPLER-T.tsv (x, y, p, q - p), .svg and .png; `diffrate report` shows those that lie in its "
    "directory, where `diffrate run` draws those that are cheap.\vExit status: "
    "0, or 1 on failure, 2 for a wrong FILE or option.\n\nExample:\n  diffrate density experiments/shapes.yaml "
    "--target two-moons",
    NULL,
    NULL,
    NULL};

static bool named(const char *wanted, const char *name)
{
    return wanted == NULL || strcmp(wanted, name) == 0;
}

/* Numbers of steps that depend on the dimension are taken in the plane's. */
static bool is_of_the_plane(const struct spec *spec, size_t i)
{
    const struct dimensions *list = &spec->step_dimensions[i];
    return list->of == spec->dimensions || dimensions_find(list, 2) < list->count;
}

/* Stops at the first that fails. */
static enum status draw_all(const struct spec *spec, const struct options *options, const char *directory,
                            struct error *error)
{
    const size_t *steps = options->steps > 0 ? &options->steps : spec->steps;
    size_t step_count = options->steps > 0 ? 1 : spec->step_count, drawn = 0;
    for (size_t t = 0; t < spec->target_count; t++)
        for (size_t s = 0; s < spec->sampler_count; s++)
            for (size_t i = 0; i < step_count; i++) {
                if (!named(options->target, spec->targets[t].name)
                    || !named(options->sampler, spec->samplers[s]->name)
                    || (options->steps == 0 && !is_of_the_plane(spec, i)))
                    continue;
                const struct picture picture = {spec,
                                                t,
                                                s,
                                                steps[i],
                                                options->points,
                                                (size_t)(options->jobs > 0 ? options->jobs : omp_get_max_threads()),
                                                directory};
                TRY(picture_draw(&picture, error));
                printf("%s/density-%s-%s-%zu.svg\n", directory, spec->targets[t].name, spec->samplers[s]->name,
                       steps[i]);
                drawn++;
            }
    return drawn > 0 ? STATUS_OK
                     : fail_with(error, STATUS_INVALID,
                                 "%s has no such target, sampler or number of steps: there is nothing to draw",
                                 options->file);
}

static int run(int argc, char **argv)
{
    struct options options = {.output = "results", .points = PICTURE_POINTS};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    char directory[PATH_MAX];
    enum status status;
    TRY_OR(done, command_load_spec(options.file, &spec, &error));
    (void)snprintf(directory, sizeof directory, "%s/%s", options.output, spec.name);
    TRY_OR(done, file_make_directory(directory, &error));
    TRY_OR(done, draw_all(&spec, &options, directory, &error));
done:
    spec_free(&spec);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

const struct command command_density = {"density", "draw the densities of laws in the plane", &argp, run};
