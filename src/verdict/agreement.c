#include "verdict/agreement.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

static const struct estimator estimators[] = {
#define ESTIMATOR(member, quantity, role, method, since, doc) \
    {#member, \
     #quantity, \
     #method, \
     doc, \
     ROLE_##role, \
     offsetof(struct record, estimates.member), \
     offsetof(struct record, quantity), \
     offsetof(struct record, quantity##_error)},
#include "sample/estimators.def"
#undef ESTIMATOR
};

const struct estimator *estimator_at(size_t index)
{
    return index < sizeof estimators / sizeof estimators[0] ? &estimators[index] : NULL;
}

int estimator_is_asked(const struct estimator *estimator, const struct manifest *manifest)
{
    int asked = 0;
    for (size_t i = 0; sample_method_at(i) != NULL; i++)
        asked |= (manifest->methods >> i & 1u) && strcmp(sample_method_at(i)->name, estimator->method) == 0;
    return asked;
}

const char *estimator_role(const struct estimator *estimator)
{
    static const char *const words[] = {
        [ROLE_ESTIMATE] = "estimate", [ROLE_LOWER] = "lower bound", [ROLE_UPPER] = "upper bound"};
    return words[estimator->role];
}

const char *estimator_quantity(const struct estimator *estimator)
{
    static const char *const names[][2] = {
        {"tv", "TV"}, {"kl_p_q", "KL(p‖q)"}, {"kl_q_p", "KL(q‖p)"}, {"chi2_q_p", "χ²(q‖p)"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], estimator->quantity) == 0)
            return names[i][1];
    return estimator->quantity;
}

static double number_at(const struct record *row, size_t offset)
{
    double number;
    memcpy(&number, (const char *)row + offset, sizeof number);
    return number;
}

struct estimate estimator_value(const struct estimator *estimator, const struct record *chains)
{
    struct estimate value;
    memcpy(&value, (const char *)chains + estimator->value, sizeof value);
    return value;
}

double estimator_exact(const struct estimator *estimator, const struct record *law)
{
    return law != NULL ? number_at(law, estimator->exact) : NAN;
}

/* Both lists are by increasing steps. A planted law (25), of which TV is not known, is no law of the chains. */
static size_t join(const struct row_list *chains, const struct row_list *laws, struct chain_cell place,
                   struct chain_cell *out)
{
    size_t j = 0;
    for (size_t i = 0; i < chains->count; i++) {
        place.chains = chains->row[i];
        while (j < laws->count && laws->row[j]->steps < place.chains->steps)
            j++;
        const struct record *law = j < laws->count ? laws->row[j] : NULL;
        place.law = law != NULL && law->steps == place.chains->steps && !isnan(law->tv) ? law : NULL;
        out[i] = place;
    }
    return chains->count;
}

static size_t count_sampled(const struct evidence *evidence, size_t target)
{
    size_t count = 0;
    const struct manifest *manifest = &evidence->manifest;
    for (size_t s = 0; s < manifest->sampler_count; s++)
        for (size_t e = 0; e < manifest->score_error_count && manifest->chain_count > 0; e++)
            for (size_t d = 0; d < manifest->dimension_count; d++)
                for (size_t n = 0; n < manifest->chain_count; n++)
                    count += evidence_sampled_rows(evidence, target, s, e, d, manifest->chains[n]).count;
    return count;
}

enum status chain_cells_find(const struct evidence *evidence, size_t target, struct chain_cells *out,
                             struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    *out = (struct chain_cells){.cell = array_new(count_sampled(evidence, target), sizeof *out->cell)};
    if (out->cell == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the chains of a target");
    for (size_t s = 0; s < manifest->sampler_count; s++)
        for (size_t e = 0; e < manifest->score_error_count && manifest->chain_count > 0; e++)
            for (size_t d = 0; d < manifest->dimension_count; d++) {
                const struct row_list laws = evidence_rows(evidence, target, s, e, d);
                for (size_t n = 0; n < manifest->chain_count; n++) {
                    const struct row_list rows =
                        evidence_sampled_rows(evidence, target, s, e, d, manifest->chains[n]);
                    out->count +=
                        join(&rows, &laws, (struct chain_cell){NULL, NULL, s, e, d, n}, out->cell + out->count);
                }
            }
    return STATUS_OK;
}

int agreement_compare(const struct estimator *estimator, const struct chain_cell *cell, double *z)
{
    struct estimate value = estimator_value(estimator, cell->chains);
    double exact = estimator_exact(estimator, cell->law);
    if (!isfinite(exact) || isnan(value.value) || isnan(value.error))
        return 0;
    double above = value.value - exact, radius = number_at(cell->law, estimator->radius);
    double beyond = (estimator->role == ROLE_ESTIMATE ? fabs(above)
                     : estimator->role == ROLE_LOWER  ? above
                                                      : -above)
                    - radius;
    *z = beyond > 0.0 ? beyond / value.error : 0.0; /* infinite where the error is 0 */
    return 1;
}

void chain_cell_label(const struct manifest *manifest, const struct chain_cell *cell, char *text, size_t size)
{
    const char *score_error = cell->score_error > 0 ? manifest->score_errors[cell->score_error].label : "";
    (void)snprintf(text, size, "%s%s%s, d = %zu, T = %zu, %zu chains", manifest->samplers[cell->sampler].name,
                   score_error[0] != '\0' ? ", " : "", score_error, (size_t)cell->chains->dimension,
                   (size_t)cell->chains->steps, (size_t)cell->chains->chains);
}
