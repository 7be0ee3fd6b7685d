#include "experiment/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"
#include "law/measure.h"

/* Raised whenever a law, a divergence or a radius can come out differently for the same description. */
enum { NUMERICS_VERSION = 3 };

static void fill_record(const struct cell *cell, const struct schedule *schedule,
                        const struct measurement *measurement, struct record *row)
{
    const struct spec *spec = cell->spec;
    const struct sampler *sampler = spec->samplers[cell->sampler];
    const struct divergence *d = &measurement->divergence;
    *row = (struct record){
        .c0 = spec->c0,
        .c1 = spec->c1,
        .dimension = measurement->dimension,
        .steps = cell->steps,
        .step_size = schedule->h,
        .score_evaluations = (cell->steps - 1) * sampler->score_evaluations,
        .tv = d->tv.value,
        .tv_error = d->tv.error,
        .kl_p_q = d->kl_p_q.value,
        .kl_p_q_error = d->kl_p_q.error,
        .kl_q_p = d->kl_q_p.value,
        .kl_q_p_error = d->kl_q_p.error,
        .chi2_q_p = d->chi2_q_p.value,
        .chi2_q_p_error = d->chi2_q_p.error,
        .hellinger2 = d->hellinger2.value,
        .hellinger2_error = d->hellinger2.error,
        .error_effect = measurement->error_effect.value,
        .error_effect_error = measurement->error_effect.error,
        .clip_probability = measurement->clip_probability,
        .mass_defect = fabs(d->mass_defect),
    };
    (void)snprintf(row->target, sizeof row->target, "%s", spec->targets[cell->target].name);
    (void)snprintf(row->sampler, sizeof row->sampler, "%s", sampler->name);
    record_set_score_error(row, &spec->score_errors[cell->score_error]);
    (void)snprintf(row->schedule, sizeof row->schedule, "%s", spec->schedule->name);
    (void)snprintf(row->law, sizeof row->law, "%s", measurement->method);
}

enum status cell_measure(const struct cell *cell, struct record *rows, struct error *error)
{
    const struct spec *spec = cell->spec;
    double start = clock_seconds();
    struct schedule *schedule = NULL;
    enum status status = schedule_new(spec->schedule, spec->c0, spec->c1, cell->steps, &schedule, error);
    if (status != STATUS_OK)
        return status;
    struct measurement *measurements = array_new(spec->dimension_count, sizeof *measurements);
    if (measurements == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu dimensions", spec->dimension_count);
    if (status == STATUS_OK)
        status = measure_target(&spec->targets[cell->target], spec->samplers[cell->sampler],
                                &spec->score_errors[cell->score_error], schedule, spec->dimensions,
                                spec->dimension_count, measurements, error);
    double seconds = clock_seconds() - start;
    for (size_t i = 0; i < spec->dimension_count && status == STATUS_OK; i++) {
        fill_record(cell, schedule, &measurements[i], &rows[i]);
        rows[i].seconds = seconds;
    }
    free(measurements);
    schedule_free(schedule);
    return status;
}

enum status cell_key(const struct cell *cell, char key[CELL_KEY_SIZE], struct error *error)
{
    const struct spec *spec = cell->spec;
    const struct target *target = &spec->targets[cell->target];
    const struct score_error *score_error = &spec->score_errors[cell->score_error];
    const char *sampler = spec->samplers[cell->sampler]->name;
    int erroneous = score_error->shape != NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a cell's description");
    fprintf(stream, "numerics %d; schedule %s %.17g %.17g; sampler %s; steps %zu; dimensions", NUMERICS_VERSION,
            spec->schedule->name, spec->c0, spec->c1, sampler, cell->steps);
    for (size_t i = 0; i < spec->dimension_count; i++)
        fprintf(stream, " %zu", spec->dimensions[i]);
    fprintf(stream, "; target %s ", target->name);
    target_describe(target, stream);
    fputs("; score error ", stream);
    score_error_describe(score_error, stream);
    if (fclose(stream) != 0) {
        free(text);
        return fail_with(error, STATUS_MEMORY, "out of memory for a cell's description");
    }
    (void)snprintf(key, CELL_KEY_SIZE, "%s-%s-%s%s%zu-%016" PRIx64, target->name, sampler,
                   erroneous ? score_error_name(score_error) : "", erroneous ? "-" : "", cell->steps,
                   hash_bytes(text, length));
    free(text);
    return STATUS_OK;
}
