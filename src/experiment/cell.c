#include "experiment/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"
#include "law/crossing.h"
#include "law/measure.h"

/* A row that another experiment stored may have its parameters in other places. */
static void set_parameters(const struct cell *cell, struct record *row)
{
    const struct spec *spec = cell->spec;
    entries_fill(&spec->target_entries[cell->target], &spec->sampler_entries[cell->sampler],
                 &spec->score_error_entries[cell->score_error], row);
}

static void fill_record(const struct cell *cell, const struct schedule *schedule,
                        const struct measurement *measurement, struct record *row)
{
    const struct spec *spec = cell->spec;
    const struct sampler *sampler = spec->samplers[cell->sampler];
    const struct divergence *d = &measurement->divergence;
    const struct planted_law *planted = &measurement->planted;
    *row = (struct record){
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
        .w2 = measurement->w2.value,
        .w2_error = measurement->w2.error,
        .error_effect = measurement->error_effect.value,
        .error_effect_error = measurement->error_effect.error,
        .planted_mass_error = planted->mass_error.value,
        .planted_mass_error_error = planted->mass_error.error,
        .planted_l1 = planted->l1.value,
        .planted_l1_error = planted->l1.error,
        .planted_codewords_mass = planted->codewords.value,
        .planted_codewords_mass_error = planted->codewords.error,
        .planted_tv = planted->tv.value,
        .planted_tv_error = planted->tv.error,
        .planted_kl = planted->kl.value,
        .planted_kl_error = planted->kl.error,
        .planted_bracket_tv = planted->bracket_tv.value,
        .planted_bracket_tv_error = planted->bracket_tv.error,
        .crossing_eta = NAN,
        .crossing_mass_error = NAN,
        .crossing_mass_error_error = NAN,
        .clip_probability = measurement->clip_probability,
        .mass_defect = fabs(d->mass_defect),
#define ESTIMATOR(member, quantity, role, method, since, doc) .estimates.member = {NAN, NAN},
#include "sample/estimators.def"
#undef ESTIMATOR
        .estimates.effective = NAN,
        .estimates.codewords_mass = {NAN, NAN},
        .estimates.memorised = {NAN, NAN},
        .estimates.memorised_distance = NAN,
    };
    for (size_t k = 0; k < RECORD_MASSES; k++) {
        row->estimates.mass[k] = row->estimates.mass_error[k] = (struct estimate){NAN, NAN};
        row->mass_error[k] = k < measurement->masses ? (struct estimate){measurement->mass_error[k].value,
                                                                         measurement->mass_error[k].error}
                                                     : (struct estimate){NAN, NAN};
    }
    (void)snprintf(row->target, sizeof row->target, "%s", spec->targets[cell->target].name);
    (void)snprintf(row->sampler, sizeof row->sampler, "%s", sampler->name);
    record_set_score_error(row, &spec->score_errors[cell->score_error]);
    (void)snprintf(row->schedule, sizeof row->schedule, "%s", spec_schedule(spec, cell->sampler)->kind->name);
    (void)snprintf(row->law, sizeof row->law, "%s", measurement->method);
    set_parameters(cell, row);
}

bool *cell_laws(const struct cell *cell)
{
    const struct spec *spec = cell->spec;
    struct error ignored;
    bool *has_law = array_new(spec->dimension_count, sizeof *has_law);
    for (size_t i = 0; i < spec->dimension_count && has_law != NULL; i++)
        has_law[i] = spec->chain_count == 0
                     || measure_supports(&spec->targets[cell->target], spec->samplers[cell->sampler],
                                         &spec->score_errors[cell->score_error], spec->dimensions[i], &ignored)
                            == STATUS_OK;
    return has_law;
}

size_t *dimensions_with_law(const struct spec *spec, struct dimensions list, const bool *has_law, size_t *count)
{
    const struct dimensions all = spec_dimensions(spec);
    size_t *kept = array_new(list.count, sizeof *kept);
    *count = 0;
    for (size_t i = 0; i < list.count && kept != NULL; i++)
        if (has_law[dimensions_find(&all, list.of[i])])
            kept[(*count)++] = list.of[i];
    return kept;
}

static enum status measure_laws(const struct cell *cell, const struct schedule *schedule, int threads,
                                struct record *rows, struct error *error)
{
    const struct spec *spec = cell->spec;
    struct error cause = {STATUS_OK, ""};
    struct measurement *measurements = array_new(cell->dimensions.count, sizeof *measurements);
    if (measurements == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu dimensions", cell->dimensions.count);
    const struct measure_problem problem = {&spec->targets[cell->target], spec->samplers[cell->sampler],
                                            &spec->score_errors[cell->score_error], schedule, (size_t)threads};
    enum status status = measure_target(&problem, cell->dimensions.of, cell->dimensions.count, measurements, &cause);
    if (status == STATUS_UNSUPPORTED || status == STATUS_NUMERIC) /* each dimension has its own failure */
        status = STATUS_OK;
    else if (status != STATUS_OK)
        (void)fail_with(error, status, "%s", cause.text);
    for (size_t i = 0; i < cell->dimensions.count && status == STATUS_OK; i++)
        if (measurements[i].failure.status == STATUS_OK) {
            fill_record(cell, schedule, &measurements[i], &rows[i]);
        } else {
            cell_blank(cell, i, &rows[i]);
            record_fail(&rows[i], measurements[i].failure.text);
        }
    free(measurements);
    return status;
}

void cell_blank(const struct cell *cell, size_t index, struct record *row)
{
    const struct spec *spec = cell->spec;
    const struct measurement nothing = {.dimension = cell->dimensions.of[index]};
    const struct schedule_rule *rule = spec_schedule(spec, cell->sampler);
    const struct schedule schedule = {.h = rule->kind->step_size(&rule->values, cell->steps)};
    fill_record(cell, &schedule, &nothing, row);
    record_blank(row);
    row->chains = cell->chains;
    row->seed = cell->chains > 0 ? spec->seed : 0;
}

int cell_has_failures(const struct cell *cell, const struct record *rows)
{
    for (size_t i = 0; i < cell->dimensions.count; i++)
        if (rows[i].failure[0] != '\0')
            return 1;
    return 0;
}

char *cell_failures(const struct cell *cell, const struct record *rows)
{
    char *text = NULL;
    size_t size = 0, count = cell->dimensions.count;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (rows[i].failure[0] != '\0')
            fprintf(stream, "d=%zu: %s\n", cell->dimensions.of[i], rows[i].failure);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* The reason of one dimension among lines of cell_failures, of *length characters; NULL: there is none. */
static const char *find_failure(const char *failures, size_t dimension, size_t *length)
{
    char start[32];
    int size = snprintf(start, sizeof start, "d=%zu: ", dimension);
    for (const char *line = failures; *line != '\0';) {
        *length = strcspn(line, "\n");
        if (strncmp(line, start, (size_t)size) == 0) {
            *length -= (size_t)size;
            return line + size;
        }
        line += *length + (line[*length] == '\n');
    }
    return NULL;
}

void cell_join(const struct cell *cell, const struct record *from, size_t count, const char *failures,
               struct record *rows)
{
    for (size_t i = 0; i < cell->dimensions.count; i++) {
        size_t length = 0;
        const char *reason = find_failure(failures, cell->dimensions.of[i], &length);
        if (reason != NULL) {
            char text[FAILURE_SIZE];
            (void)snprintf(text, sizeof text, "%.*s", (int)length, reason);
            cell_blank(cell, i, &rows[i]);
            record_fail(&rows[i], text);
        }
        for (size_t j = 0; j < count && reason == NULL; j++)
            if (from[j].dimension == cell->dimensions.of[i]) {
                rows[i] = from[j];
                set_parameters(cell, &rows[i]);
            }
    }
}

void cell_label(const struct cell *cell, char label[CELL_LABEL_SIZE])
{
    const struct spec *spec = cell->spec;
    char score_error[100] = "", chains[40] = "";
    if (cell->score_error > 0)
        record_label_score_error(&spec->score_errors[cell->score_error], score_error, sizeof score_error);
    if (cell->chains > 0)
        (void)snprintf(chains, sizeof chains, " %zu chains", cell->chains);
    (void)snprintf(label, CELL_LABEL_SIZE, "%s %s%s%s T=%zu%s", spec->targets[cell->target].name,
                   spec->samplers[cell->sampler]->name, cell->score_error > 0 ? " " : "", score_error, cell->steps,
                   chains);
}

#define DIMENSIONS "; dimensions"
#define TARGET "; target "

/* Chains have the same random numbers in a dimension, whatever others stand beside it. */
static char *describe(const struct cell *cell, int with_dimensions)
{
    const struct spec *spec = cell->spec;
    const struct target *target = &spec->targets[cell->target];
    const struct plugin *plugin = registry_sampler_plugin(&spec->registry, spec->samplers[cell->sampler]);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "numerics %d; schedule ", NUMERICS_VERSION);
    schedule_rule_describe(spec_schedule(spec, cell->sampler), stream);
    fputs("; sampler ", stream);
    sampler_describe(spec->samplers[cell->sampler], stream);
    if (plugin != NULL)
        fprintf(stream, " of plug-in %016" PRIx64, plugin->hash);
    fprintf(stream, "; steps %zu" DIMENSIONS, cell->steps);
    for (size_t i = 0; i < cell->dimensions.count && with_dimensions; i++)
        fprintf(stream, " %zu", cell->dimensions.of[i]);
    fprintf(stream, TARGET "%s ", target->name);
    target_describe(target, stream);
    fputs("; score error ", stream);
    score_error_describe(&spec->score_errors[cell->score_error], stream);
    if (cell->chains > 0)
        fprintf(stream, "; chains %zu methods %u directions %zu seed %" PRIu64, cell->chains, spec->methods,
                spec->directions, spec->seed);
    if (cell->chains > 0 && target->family->is_data && spec->memorised_distance > 0.0)
        fprintf(stream, " distance %.17g", spec->memorised_distance);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

char *cell_describe(const struct cell *cell)
{
    return describe(cell, 1);
}

int cell_differs_in_dimensions(const struct cell *cell, const char *description)
{
    char *ours = describe(cell, 0);
    const char *list = strstr(description, DIMENSIONS), *rest = list != NULL ? strstr(list, TARGET) : NULL;
    if (ours == NULL)
        return -1;
    size_t before = list != NULL ? (size_t)(list - description) + strlen(DIMENSIONS) : 0;
    int same = rest != NULL && strncmp(ours, description, before) == 0 && strcmp(ours + before, rest) == 0;
    free(ours);
    return same;
}

/* One dimension by chains, whose random numbers are the cell's and the dimension's own. */
static enum status sample_one(const struct cell *cell, const struct schedule *schedule, uint64_t stream, size_t index,
                              int threads, struct record *row, struct error *error)
{
    const struct spec *spec = cell->spec;
    const struct target *target = &spec->targets[cell->target];
    struct factor_list factors;
    struct planted_target planted = {.weight = 0.0};
    struct error cause = {STATUS_OK, ""};
    cell_blank(cell, index, row);
    (void)snprintf(row->law, sizeof row->law, "chains");
    enum status status = target_coordinates(target, cell->dimensions.of[index], &factors, &cause);
    if (status == STATUS_OK)
        status = target_planted(target, cell->dimensions.of[index], &planted, &cause);
    if (status == STATUS_OK) {
        const struct chain_problem problem = {.list = &factors,
                                              .dimension = cell->dimensions.of[index],
                                              .codewords = planted.weight,
                                              .is_data = target->family->is_data,
                                              .memorised_distance = spec->memorised_distance,
                                              .sampler = spec->samplers[cell->sampler],
                                              .schedule = schedule,
                                              .score_error = &spec->score_errors[cell->score_error],
                                              .seed = spec->seed,
                                              .stream = stream ^ (uint64_t)cell->dimensions.of[index],
                                              .threads = threads};
        status = sample_measure(&problem, cell->chains, spec->directions, spec->methods, &row->estimates, &cause);
    }
    planted_target_free(&planted);
    factor_list_free(&factors);
    if (status == STATUS_UNSUPPORTED || status == STATUS_NUMERIC) {
        cell_blank(cell, index, row);
        record_fail(row, cause.text);
        return STATUS_OK;
    }
    return status == STATUS_OK
               ? STATUS_OK
               : fail_with(error, status, "chains of target %s, sampler %s, T = %zu, d = %zu: %s", target->name,
                           spec->samplers[cell->sampler]->name, cell->steps, cell->dimensions.of[index], cause.text);
}

static enum status measure_chains(const struct cell *cell, const struct schedule *schedule, int threads,
                                  struct record *rows, struct error *error)
{
    char *text = describe(cell, 0);
    if (text == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a cell's description");
    uint64_t stream = hash_bytes(text, strlen(text));
    enum status status = STATUS_OK;
    free(text);
    for (size_t i = 0; i < cell->dimensions.count && status == STATUS_OK; i++)
        status = sample_one(cell, schedule, stream, i, threads, &rows[i], error);
    return status;
}

/* The limit that rows of codebooks are to be compared with, for exact scores. */
static enum status set_crossing(const struct cell *cell, const struct schedule *schedule, struct record *row,
                                struct error *error)
{
    const struct spec *spec = cell->spec;
    struct planted_target planted;
    struct crossing crossing;
    struct error cause = {STATUS_OK, ""};
    enum status status;
    TRY_OR(done, target_planted(&spec->targets[cell->target], row->dimension, &planted, error));
    if (!(planted.weight > 0.0) || spec->score_errors[cell->score_error].shape != NULL)
        goto done;
    row->crossing_eta =
        crossing_eta(schedule, (double)row->dimension, planted.rate, planted.law.group[0].factor.sd[1]);
    if (isnan(row->crossing_eta))
        goto done;
    status = crossing_find(spec->samplers[cell->sampler], row->crossing_eta, &crossing, &cause);
    if (status == STATUS_OK) {
        row->crossing_mass_error = crossing.mass_error;
        row->crossing_mass_error_error = crossing.error;
    } else if (status == STATUS_UNSUPPORTED || status == STATUS_NUMERIC)
        status = STATUS_OK;
    else
        (void)fail_with(error, status, "%s", cause.text);
done:
    planted_target_free(&planted);
    return status;
}

enum status cell_measure(const struct cell *cell, int threads, struct record *rows, struct error *error)
{
    const struct spec *spec = cell->spec;
    const struct schedule_rule *rule = spec_schedule(spec, cell->sampler);
    double start = clock_seconds();
    struct schedule *schedule = NULL;
    enum status status = schedule_with(rule->kind, &rule->values, cell->steps, &schedule, error);
    if (status == STATUS_OK)
        status = sampler_check(spec->samplers[cell->sampler], schedule, error);
    if (status == STATUS_OK)
        status = cell->chains > 0 ? measure_chains(cell, schedule, threads, rows, error)
                                  : measure_laws(cell, schedule, threads, rows, error);
    for (size_t i = 0; i < cell->dimensions.count && status == STATUS_OK; i++)
        if (rows[i].failure[0] == '\0')
            status = set_crossing(cell, schedule, &rows[i], error);
    for (size_t i = 0; i < cell->dimensions.count && status == STATUS_OK; i++)
        rows[i].seconds = clock_seconds() - start;
    schedule_free(schedule);
    return status;
}

enum status cell_complete(const struct cell *cell, const struct record *known, int threads, struct record *rows,
                          struct error *error)
{
    struct cell missing = *cell;
    size_t count = cell->dimensions.count, next = 0;
    size_t *dimensions = array_new(count, sizeof *dimensions);
    struct record *measured = array_new(count, sizeof *measured);
    enum status status = dimensions != NULL && measured != NULL
                             ? STATUS_OK
                             : fail_with(error, STATUS_MEMORY, "out of memory for %zu dimensions", count);
    missing.dimensions = (struct dimensions){dimensions, 0};
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (known[i].dimension == 0)
            dimensions[missing.dimensions.count++] = cell->dimensions.of[i];
    if (status == STATUS_OK && missing.dimensions.count > 0)
        status = cell_measure(&missing, threads, measured, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        rows[i] = known[i].dimension == 0 ? measured[next++] : known[i];
    free(dimensions);
    free(measured);
    return status;
}

enum status cell_key(const struct cell *cell, char key[CELL_KEY_SIZE], struct error *error)
{
    const struct spec *spec = cell->spec;
    const struct score_error *score_error = &spec->score_errors[cell->score_error];
    int erroneous = score_error->shape != NULL;
    char chains[32] = "", *text = cell_describe(cell);
    if (text == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a cell's description");
    if (cell->chains > 0)
        (void)snprintf(chains, sizeof chains, "%zu-chains-", cell->chains);
    (void)snprintf(key, CELL_KEY_SIZE, "%s-%s-%s%s%zu-%s%016" PRIx64, spec->targets[cell->target].name,
                   spec->samplers[cell->sampler]->name, erroneous ? score_error_name(score_error) : "",
                   erroneous ? "-" : "", cell->steps, chains, hash_bytes(text, strlen(text)));
    free(text);
    return STATUS_OK;
}
