#include "command/picture.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "law/plane_density.h"
#include "report/density_figure.h"

static enum status compute(const struct picture *picture, struct plane_density *out, struct error *error)
{
    const struct spec *spec = picture->spec;
    const struct schedule_rule *rule = spec_schedule(spec, picture->sampler);
    struct schedule *schedule = NULL;
    enum status status;
    TRY_OR(done, schedule_with(rule->kind, &rule->values, picture->steps, &schedule, error));
    TRY_OR(done, sampler_check(spec->samplers[picture->sampler], schedule, error));
    TRY_OR(done, plane_density_make(&spec->targets[picture->target], spec->samplers[picture->sampler], schedule,
                                    picture->points, picture->threads, out, error));
done:
    schedule_free(schedule);
    return status;
}

static enum status draw(const struct picture *picture, const struct plane_density *density, struct error *error)
{
    const struct density_figure figure = {picture->directory, picture->spec->targets[picture->target].name,
                                          picture->spec->samplers[picture->sampler]->name, picture->steps, density};
    return density_figure_draw(&figure, error);
}

enum status picture_draw(const struct picture *picture, struct error *error)
{
    struct plane_density density = {0};
    enum status status = compute(picture, &density, error);
    if (status == STATUS_OK)
        status = draw(picture, &density, error);
    plane_density_free(&density);
    return status;
}

static bool is_there(const struct picture *picture)
{
    char path[PATH_MAX + NAME_MAX];
    (void)snprintf(path, sizeof path, "%s/" DENSITY_FIGURE "%s-%s-%zu.svg", picture->directory,
                   picture->spec->targets[picture->target].name, picture->spec->samplers[picture->sampler]->name,
                   picture->steps);
    return access(path, F_OK) == 0;
}

/* The largest T of a law in the plane that took so long at most, or 0. */
static size_t find_steps(const struct evidence *evidence, size_t target, size_t sampler, double seconds)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t plane = 0, steps = 0;
    while (plane < manifest->dimension_count && manifest->dimensions[plane] != 2)
        plane++;
    const struct row_list rows = evidence_rows(evidence, target, sampler, 0, plane);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.row[i]->seconds <= seconds
            && (strncmp(rows.row[i]->law, "plane", strlen("plane")) == 0 || manifest->dimension_count == 1))
            steps = rows.row[i]->steps;
    return steps;
}

enum status pictures_draw_cheap(const struct spec *spec, const struct evidence *evidence, size_t threads, bool anew,
                                size_t *dear, struct error *error)
{
    *dear = 0;
    for (size_t t = 0; t < spec->target_count && t < evidence->manifest.target_count; t++)
        for (size_t s = 0; s < spec->sampler_count && s < evidence->manifest.sampler_count; s++) {
            enum status status = STATUS_OK;
            struct plane_density density = {0};
            struct error none;
            const struct picture picture = {spec,
                                            t,
                                            s,
                                            find_steps(evidence, t, s, PICTURE_SECONDS),
                                            PICTURE_POINTS,
                                            threads,
                                            evidence->directory};
            *dear += picture.steps == 0 && find_steps(evidence, t, s, HUGE_VAL) > 0;
            if (picture.steps == 0 || (!anew && is_there(&picture)))
                continue;
            if (compute(&picture, &density, &none) == STATUS_OK)
                status = draw(&picture, &density, error);
            plane_density_free(&density);
            TRY(status);
        }
    return STATUS_OK;
}
