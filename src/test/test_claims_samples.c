/* The verdict, table and figures of chains beside exact laws, on planted rows that agree or miss by known amounts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/figure_data.h"
#include "report/report.h"
#include "verdict/agreement.h"

#include "test/laws.h"
#include "test/planted.h"
#include "test/suite.h"

TEST_SUITE(claims_samples);

enum { MOST_ROWS = 100, DIMENSIONS = 2, STEPS = 3, NUMBERS = 2, CELLS = DIMENSIONS * STEPS * NUMBERS };

static const size_t dimensions[DIMENSIONS] = {1, 4}, steps[STEPS] = {64, 128, 256}, numbers[NUMBERS] = {1000, 4000};

static const char text[] = "targets: [{name: planted, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                           "dimensions: [1, 4]\nsteps: [64, 128, 256]\n"
                           "samples: {chains: [1000, 4000]}\nclaims: [chains-agree]\n";

#define ERROR 0.01

/* Misses are in standard errors, to the wrong side for bounds (below 0: slack). */
struct world {
    double miss[3];  /* by role */
    double radius;   /* of exact laws, in standard errors */
    const char *odd; /* an estimator that misses by odd_miss instead, or NULL */
    double odd_miss;
    size_t odd_cells;    /* in the first so many cells */
    int only_projection; /* the other estimators say nothing */
    size_t without_law;  /* the first so many steps have none */
    int infinite_chi2;
};

static void set(struct record *row, size_t offset, double value)
{
    memcpy((char *)row + offset, &value, sizeof value);
}

static double exact_value(const struct record *row)
{
    return 0.5 * (double)row->dimension / (double)row->steps;
}

static void plant_row(struct record *row, size_t d, size_t T, size_t chains)
{
    *row = (struct record){.parameter = PLANTED_PARAMETERS,
                           .dimension = d,
                           .steps = T,
                           .step_size = li_cai_step_size(8.5, T),
                           .chains = chains,
                           .estimates.memorised = {NAN, NAN},
                           .estimates.effective = NAN};
    plant_names(row, "ddpm");
}

static void plant_law(const struct world *world, struct record *row)
{
    for (size_t i = 0; estimator_at(i) != NULL; i++) {
        const struct estimator *estimator = estimator_at(i);
        int infinite = world->infinite_chi2 && strcmp(estimator->quantity, "chi2_q_p") == 0;
        set(row, estimator->exact, infinite ? HUGE_VAL : exact_value(row));
        set(row, estimator->radius, world->radius * ERROR);
        set(row, estimator->value, NAN);
        set(row, estimator->value + offsetof(struct estimate, error), NAN);
    }
}

static void plant_chains(const struct world *world, size_t cell, struct record *row)
{
    for (size_t i = 0; estimator_at(i) != NULL; i++) {
        const struct estimator *estimator = estimator_at(i);
        int silent = (world->only_projection && strcmp(estimator->method, "projection") != 0)
                     || strcmp(estimator->method, "codewords") == 0; /* of codebooks alone */
        int odd = world->odd != NULL && strcmp(world->odd, estimator->name) == 0 && cell < world->odd_cells;
        double miss = (odd ? world->odd_miss : world->miss[estimator->role]) * ERROR;
        set(row, estimator->exact, NAN);
        set(row, estimator->radius, NAN);
        set(row, estimator->value, silent ? NAN : exact_value(row) + (estimator->role == ROLE_UPPER ? -miss : miss));
        set(row, estimator->value + offsetof(struct estimate, error), silent ? NAN : ERROR);
    }
}

static void make_evidence(const struct world *world, struct evidence *evidence)
{
    FREED struct record *rows = calloc(MOST_ROWS, sizeof *rows);
    size_t count = 0, cell = 0;
    ck_assert_ptr_nonnull(rows);
    for (size_t d = 0; d < DIMENSIONS; d++)
        for (size_t t = 0; t < STEPS; t++) {
            if (t >= world->without_law) {
                plant_row(&rows[count], dimensions[d], steps[t], 0);
                plant_law(world, &rows[count++]);
            }
            for (size_t n = 0; n < NUMBERS; n++) {
                plant_row(&rows[count], dimensions[d], steps[t], numbers[n]);
                plant_chains(world, cell++, &rows[count++]);
            }
        }
    planted_read_back(text, rows, count, evidence);
}

#define FINE \
    { \
        2.9, 2.9, 2.9 \
    }
#define SLACK \
    { \
        0.0, -100.0, -100.0 \
    }

static const struct {
    const char *name;
    struct world world;
    enum outcome outcome;
    size_t compared, silent, agreeing;
    const char *note;
} cases[] = {
    {"within errors", {FINE, 0, NULL, 0, 0, 0, 0, 0}, OUTCOME_SUPPORTED, 96, 12, 96, "z = 2.90"},
    {"slack bounds", {SLACK, 0, NULL, 0, 0, 0, 0, 0}, OUTCOME_SUPPORTED, 96, 12, 96, "96 of 96 agree"},
    {"far off but within the radius",
     {{12.9, 12.9, 12.9}, 10, NULL, 0, 0, 0, 0, 0},
     OUTCOME_SUPPORTED,
     96,
     12,
     96,
     "z = 2.90"},
    {"an estimate too large",
     {FINE, 0, "knn_kl_q_p", 5, CELLS, 0, 0, 0},
     OUTCOME_REFUTED,
     96,
     12,
     84,
     "worst: knn_kl_q_p, z = 5.00 (ddpm, d = 1, T = 64, 1000 chains)"},
    {"an estimate too small", {FINE, 0, "knn_kl_q_p", -5, CELLS, 0, 0, 0}, OUTCOME_REFUTED, 96, 12, 84, "z = 5.00"},
    {"a lower bound above",
     {SLACK, 0, "projection_tv", 4, CELLS, 0, 0, 0},
     OUTCOME_REFUTED,
     96,
     12,
     84,
     "worst: projection_tv, z = 4.00"},
    {"an upper bound below",
     {SLACK, 0, "pinsker_tv", 4, CELLS, 0, 0, 0},
     OUTCOME_REFUTED,
     96,
     12,
     84,
     "worst: pinsker_tv, z = 4.00"},
    {"one miss is not enough to refute",
     {FINE, 0, "weights_tv", 3.5, 1, 0, 0, 0},
     OUTCOME_INCONCLUSIVE,
     96,
     12,
     95,
     "95 of 96 agree, 95% interval [0.9433, 0.9997]"},
    {"few comparisons", {FINE, 0, NULL, 0, 0, 1, 0, 0}, OUTCOME_INCONCLUSIVE, 12, 96, 12, "only 12 comparisons"},
    {"laws missing", {FINE, 0, NULL, 0, 0, 0, 1, 0}, OUTCOME_SUPPORTED, 64, 8, 64, "4 cells have no exact law"},
    {"no laws", {FINE, 0, NULL, 0, 0, 0, STEPS, 0}, OUTCOME_INCONCLUSIVE, 0, 0, 0, "12 cells have no exact law"},
    {"an infinite divergence", {FINE, 0, NULL, 0, 0, 0, 0, 1}, OUTCOME_SUPPORTED, 84, 24, 84, "84 of 84"},
};

TEST(test_agreement_verdicts, .count = COUNT(cases))
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    make_evidence(&cases[_i].world, &evidence);
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    ck_assert_uint_eq(count, 2);
    const struct finding *f = planted_find(findings, count, "chains-agree", "planted");
    ck_assert_msg(f->outcome == cases[_i].outcome, "%s: outcome %d, %s", cases[_i].name, (int)f->outcome, f->note);
    ck_assert_uint_eq(f->used, cases[_i].compared);
    ck_assert_uint_eq(f->censored, cases[_i].silent);
    ck_assert_msg(strstr(f->note, cases[_i].note) != NULL, "%s: %s", cases[_i].name, f->note);
    ck_assert_int_eq(f->measured, cases[_i].compared >= 20);
    if (f->measured)
        ck_assert_double_eq_tol(f->value, (double)cases[_i].agreeing / (double)cases[_i].compared, 1e-12);
    ck_assert_int_eq((int)planted_find(findings, count, "chains-agree", "all targets")->outcome,
                     (int)cases[_i].outcome);
    check_accounts(findings, count);
    findings_free(findings, count);
}

TEST(test_agreement_applies_to_chains_beside_laws_alone)
{
    struct manifest_target targets[] = {{.has_law = true}, {.has_law = false}};
    struct manifest with = {.targets = targets, .target_count = 2, .chain_count = 1}, without = with,
                    lawless = {.targets = targets + 1, .target_count = 1, .chain_count = 1};
    without.chain_count = 0;
    size_t i = 0;
    while (strcmp(claim_at(i)->name, "chains-agree") != 0)
        i++;
    ck_assert(claim_is_asked(claim_at(i), &with));
    ck_assert(!claim_is_asked(claim_at(i), &without));
    ck_assert(!claim_is_asked(claim_at(i), &lawless));
}

/* Every member of struct estimates but masses, shares and the last two is an estimator whose columns exist. */
TEST(test_estimators_are_columns)
{
    size_t count = 0;
    for (; estimator_at(count) != NULL; count++) {
        size_t found = 0;
        for (const struct field *field = record_fields; field->name != NULL; field++)
            if ((strcmp(field->name, estimator_at(count)->name) == 0 && field->offset == estimator_at(count)->value)
                || (strcmp(field->name, estimator_at(count)->quantity) == 0
                    && field->offset == estimator_at(count)->exact))
                found++;
        ck_assert_uint_eq(found, 2);
    }
    ck_assert_uint_eq((count + 2 * MOST_MASSES + 2) * sizeof(struct estimate) + 2 * sizeof(double),
                      sizeof(struct estimates));
}

static const struct {
    struct world world;
    const char *has[4], *lacks;
} reports[] = {
    {{FINE, 0, "knn_kl_q_p", 5, CELLS, 0, 0, 0},
     {"\n## Chains against exact laws\n",
      "| projection_tv | lower bound | TV | 12 / 0 | 0.0% | 0.0% | 100.0% | 2.90 | 0.01 |",
      "| knn_kl_q_p | estimate | KL(q‖p) | 12 / 0 | 0.0% | 0.0% | 0.0% | 5.00 | 0.01 | - |",
      "in 12 of 12 cells. The smallest TV that they showed is 0.031 ("},
     "By chains alone"},
    {{SLACK, 0, NULL, 0, 0, 1, 0, 0},
     {"| projection_tv | lower bound | TV | 12 / 0 | 100.0% | 100.0% | 100.0% | 0.00 |",
      "No lower bound detects TV > 0 at 3 standard errors; the smallest exact TV is 0.00195 ("},
     "knn_kl_q_p |"},
    {{FINE, 0, NULL, 0, 0, 0, STEPS, 0},
     {"\n## By chains alone\n", "No exact law covers these 12 cells",
      "| planted | ddpm | 4 | 64 | 4000 | 6.02e-02 ± "},
     "Chains against exact laws"},
    {{FINE, 0, NULL, 0, 0, 1, STEPS, 0},
     {"| target | sampler | d | T | chains | TV ≥ (projection) |\n"},
     "(weights)"},
};

TEST(test_samples_report, .count = COUNT(reports))
{
    OWNED(evidence) evidence;
    make_evidence(&reports[_i].world, &evidence);
    FREED char *report = planted_markdown(&evidence);
    for (size_t i = 0; i < 4 && reports[_i].has[i] != NULL; i++)
        ck_assert_msg(strstr(report, reports[_i].has[i]) != NULL, "no \"%s\" in:\n%s", reports[_i].has[i], report);
    ck_assert_msg(strstr(report, reports[_i].lacks) == NULL, "\"%s\" in:\n%s", reports[_i].lacks, report);
}

/* A row whose TV is not known, as that of a planted law, is no exact law that chains could be compared with. */
TEST(test_a_law_without_tv_is_none)
{
    static const struct world world = {FINE, 0, NULL, 0, 0, 0, 0, 0};
    OWNED(evidence) evidence;
    make_evidence(&world, &evidence);
    for (size_t i = 0; i < evidence.result.count; i++)
        evidence.result.rows[i].tv = NAN;
    FREED char *report = planted_markdown(&evidence);
    ASSERT_SAYS(report, "No exact law covers these 12 cells",
                "| TV ≥ (projection) | TV ≥ (masses) | TV ≥ (weights) |");
    ASSERT_OMITS(report, "Chains against exact laws");
}

static const struct {
    const struct figure_source *source;
    struct world world;
    size_t panels, points;
    const char *row; /* a part of the table, or NULL */
} figures_of[] = {
    /* 2 dimensions, 3 T: 2 estimators and the laws */
    {&figure_empirical, {FINE, 0, NULL, 0, 0, 0, 0, 0}, 1, 18, "1\t2\tprojection_tv\tplanted\t4\tddpm\t"},
    {&figure_empirical, {SLACK, 0, NULL, 0, 0, 0, 0, 0}, 1, 18, "\t0.02\t-0.99"}, /* a limit, never left out */
    {&figure_empirical, {FINE, 0, NULL, 0, 0, 0, STEPS, 0}, 1, 12, NULL},
    {&figure_path_kl, {SLACK, 0, NULL, 0, 0, 0, 0, 0}, 1, 18, "\tguide log\t"},
    {&figure_path_kl, {SLACK, 0, NULL, 0, 0, 1, 0, 0}, 0, 0, NULL}, /* without weights */
    /* one target: both dimensions; 5 estimators that tell something from 0, the guide and a level */
    {&figure_noise_floor, {FINE, 0, NULL, 0, 0, 0, 0, 0}, 2, 24, "\tfloor\tplanted\t1\tprojection_tv\t1000\t0.03\t"},
    {&figure_bias, {FINE, 0, NULL, 0, 0, 0, 0, 0}, 1, 14, "\tddpm, projection_tv, T = 64\t"},
    {&figure_bias, {{-50, -50, -50}, 0, NULL, 0, 0, 0, 0, 0}, 0, 0, NULL}, /* nothing is significantly above 0 */
    {&figure_bias, {FINE, 0, NULL, 0, 0, 0, STEPS, 0}, 0, 0, NULL},
};

TEST(test_samples_figures, .count = COUNT(figures_of))
{
    OWNED(evidence) evidence;
    FREED char *table = NULL, *vars = NULL;
    size_t table_length, vars_length;
    make_evidence(&figures_of[_i].world, &evidence);
    struct sheet sheet = {.table = open_memstream(&table, &table_length),
                          .vars = open_memstream(&vars, &vars_length)};
    ck_assert(sheet.table != NULL && sheet.vars != NULL);
    ASSERT_OK(figure_collect, figures_of[_i].source, &evidence, &sheet);
    ck_assert_int_eq(fclose(sheet.table), 0);
    ck_assert_int_eq(fclose(sheet.vars), 0);
    ck_assert_uint_eq(sheet.panels, figures_of[_i].panels);
    ck_assert_uint_eq(sheet.points, figures_of[_i].points);
    ASSERT_SAYS(table, "\tvalue\tstandard_error\n");
    if (figures_of[_i].row != NULL)
        ck_assert_msg(strstr(table, figures_of[_i].row) != NULL, "no %s in:\n%s", figures_of[_i].row, table);
}
