/* The claim `atlas` on planted laws, TV = C d^(1/2) h^p log^q T of several samplers, and what its tables say of
 * orders. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/store.h"
#include "verdict/atlas.h"

#include "test/planted.h"
#include "test/suite.h"

TEST_SUITE(claims_atlas);

#define C1 8.5

enum { MOST_ROWS = 3000, MOST_SAMPLERS = 5, LARGEST = 16384, DIMENSIONS = 2 };

static const size_t dimensions[DIMENSIONS] = {1, 4};
static const double accuracies[] = {0.03, 0.01, 0.003, 0.001, 1e-4, 1e-5};
enum { ACCURACIES = sizeof accuracies / sizeof *accuracies };

struct planted {
    const char *sampler;
    double constant, power, logs;
    double unsure; /* the part of TV that is its radius */
};

static double tv_of(const struct planted *law, size_t d, size_t T)
{
    double log_T = log((double)T);
    return law->constant * sqrt((double)d) * pow(C1 * log_T / (double)T, law->power) * pow(log_T, law->logs);
}

/* The smallest T with TV <= accuracy; LARGEST + 1 if there is none. */
static size_t planted_steps(const struct planted *law, size_t d, double accuracy)
{
    size_t fails = 63, passes = LARGEST + 1;
    while (passes - fails > 1) {
        size_t middle = fails + (passes - fails) / 2;
        *(tv_of(law, d, middle) <= accuracy ? &passes : &fails) = middle;
    }
    return passes;
}

static void add_row(struct record *rows, size_t *count, const struct planted *law, size_t d, size_t T)
{
    for (size_t i = 0; i < *count; i++)
        if (rows[i].steps == T && rows[i].dimension == d && strcmp(rows[i].sampler, law->sampler) == 0)
            return;
    ck_assert_uint_lt(*count, MOST_ROWS);
    struct record *row = &rows[(*count)++];
    *row = (struct record){
        .parameter = PLANTED_PARAMETERS, .dimension = d, .steps = T, .step_size = C1 * log((double)T) / (double)T};
    plant_names(row, law->sampler);
    row->tv = tv_of(law, d, T);
    row->tv_error = fmax(law->unsure, 1e-9) * row->tv;
}

static void make_evidence(const struct planted *laws, struct evidence *evidence)
{
    static struct record rows[MOST_ROWS];
    char text[1000], samplers[200] = "";
    size_t count = 0;
    for (size_t s = 0; s < MOST_SAMPLERS && laws[s].sampler != NULL; s++) {
        size_t used = strlen(samplers);
        (void)snprintf(samplers + used, sizeof samplers - used, "%s%s", s > 0 ? ", " : "", laws[s].sampler);
        for (size_t d = 0; d < DIMENSIONS; d++) {
            for (size_t T = LARGEST; T >= 64; T /= 2)
                add_row(rows, &count, &laws[s], dimensions[d], T);
            for (size_t e = 0; e < ACCURACIES; e++) {
                size_t T = planted_steps(&laws[s], dimensions[d], accuracies[e]);
                if (T <= 64 || T > LARGEST)
                    continue;
                add_row(rows, &count, &laws[s], dimensions[d], T);
                add_row(rows, &count, &laws[s], dimensions[d], T - 1);
            }
        }
    }
    (void)snprintf(text, sizeof text,
                   "schedule: {kind: li-cai, c0: 2.0, c1: 8.5}\n"
                   "targets: [{name: planted, kind: gaussian, variance: 0.25}]\n"
                   "samplers: [%s]\ndimensions: [1, 4]\nmax_steps: 16384\n"
                   "accuracies: [0.03, 0.01, 0.003, 0.001, 1.0e-4, 1.0e-5]\nclaims: [atlas]\n",
                   samplers);
    planted_read_back(text, rows, count, evidence);
}

static const struct {
    const char *name;
    struct planted laws[MOST_SAMPLERS];
    enum outcome outcome;
    double value; /* NAN: no matter */
    const char *note;
} cases[] = {
    {"as claimed",
     {{"ddpm", 0.1, 1.0, 0.0, 0.0},
      {"accelerated", 0.01, 2.0, 0.0, 0.0},
      {"lagrange-3", 0.01, 3.0, 0.0, 0.0},
      {"lagrange-4", 0.01, 4.0, 0.0, 0.0}},
     OUTCOME_SUPPORTED,
     0.0,
     "of 4 samplers"},
    {"one too slow",
     {{"ddpm", 0.1, 1.0, 0.0, 0.0}, {"accelerated", 0.01, 1.0, 0.0, 0.0}, {"lagrange-4", 0.01, 4.0, 0.0, 0.0}},
     OUTCOME_REFUTED,
     1.0,
     "that of accelerated (order 2), of 3"},
    {"slower by a logarithm a power",
     {{"ddim", 0.01, 1.0, 1.0, 0.0}, {"accelerated-ode-2024", 0.001, 2.0, 2.0, 0.0}},
     OUTCOME_SUPPORTED,
     0.0,
     "up to a logarithm"},
    {"slower than logarithms are",
     {{"ddpm", 0.1, 1.0, 0.0, 0.0}, {"pf-ode-2", 0.01, 1.6, 0.0, 0.0}},
     OUTCOME_REFUTED,
     0.4,
     "that of pf-ode-2"},
    {"faster",
     {{"ddpm", 0.1, 1.5, 0.0, 0.0}, {"runge-kutta-3", 0.01, 4.0, 0.0, 0.0}},
     OUTCOME_NOT_TIGHT,
     -0.5,
     "that of ddpm"},
    {"no claim", {{"ddpm-outside", 0.1, 0.1, 0.0, 0.0}}, OUTCOME_INCONCLUSIVE, NAN, "no sampler"},
    {"below the radius",
     {{"ddpm", 0.1, 1.0, 0.0, 0.0}, {"lagrange-4", 0.01, 2.0, 0.0, 0.01}},
     OUTCOME_INCONCLUSIVE,
     NAN,
     "at which TV is at most 0.1; that of lagrange-4"},
    /* a sampler that claims nothing may be as slow as it likes */
    {"slow without a claim",
     {{"ddpm", 0.1, 1.0, 0.0, 0.0}, {"ddpm-ancestral", 0.1, 0.5, 0.0, 0.0}},
     OUTCOME_SUPPORTED,
     0.0,
     "of 1 samplers"},
};

TEST(test_atlas, .count = COUNT(cases))
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    make_evidence(cases[_i].laws, &evidence);
    ck_assert_ptr_nonnull(atlas_claim(&evidence.manifest));
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    ck_assert_uint_eq(count, 2);
    const struct finding *f = planted_find(findings, count, "atlas", "planted");
    ck_assert_msg(f->outcome == cases[_i].outcome, "%s: %d (%g +- %g; %s)", cases[_i].name, f->outcome, f->value,
                  f->interval, f->note);
    ck_assert_msg(isnan(cases[_i].value) || fabs(f->value - cases[_i].value) < 0.02, "%s: %g", cases[_i].name,
                  f->value);
    ck_assert_msg(strstr(f->note, cases[_i].note) != NULL, "%s: %s", cases[_i].name, f->note);
    check_accounts(findings, count);
    findings_free(findings, count);
}

/* What no fit uses is counted: of each dimension the four powers of two in the window. */
TEST(test_dropped)
{
    OWNED(evidence) evidence;
    struct atlas_rate rate;
    make_evidence(cases[6].laws, &evidence);
    ASSERT_OK(atlas_rate_measure, &evidence, atlas_claim(&evidence.manifest), 0, 0, NULL, &rate);
    ck_assert(rate.in_h.ok && rate.dropped == 0 && rate.in_h.cells == 4 * DIMENSIONS);
    ASSERT_OK(atlas_rate_measure, &evidence, atlas_claim(&evidence.manifest), 0, 1, NULL, &rate);
    ck_assert(!rate.in_h.ok && rate.dropped == 4 * DIMENSIONS);
}

/* Costs are (T - 1) times the score evaluations of a step, and an order wins from the eps on at which its planted
 * cost is the smaller one. */
TEST(test_costs)
{
    const struct planted *laws = cases[0].laws;
    OWNED(evidence) evidence;
    make_evidence(laws, &evidence);
    for (size_t d = 0; d < DIMENSIONS; d++) {
        double wins[4] = {0.0}, low[5][ACCURACIES], high[5][ACCURACIES];
        for (int order = 1; order <= 4; order++)
            for (size_t e = 0; e < ACCURACIES; e++) {
                struct atlas_cost cost = atlas_cost_of(&evidence, 0, order, d, e);
                size_t T = planted_steps(&laws[order - 1], dimensions[d], accuracies[e]);
                double exact = (double)order * ((double)T - 1.0); /* as many evaluations as the order */
                low[order][e] = T > 64 ? exact : 0.0;             /* met at the smallest T: known from above alone */
                high[order][e] = T > LARGEST ? HUGE_VAL : exact;
                if (T > LARGEST) {
                    ck_assert(isinf(cost.high) && cost.low > 0.0 && cost.low <= (double)order * LARGEST);
                } else if (T > 64) {
                    ck_assert_double_eq(cost.low, exact);
                    ck_assert_double_eq(cost.high, exact);
                    ck_assert_uint_eq(cost.sampler, (size_t)order - 1);
                }
            }
        for (int order = 2; order <= 4; order++)
            for (size_t e = ACCURACIES; e-- > 0 && low[order][e] <= high[order - 1][e];)
                if (high[order][e] < low[order - 1][e])
                    wins[order - 1] = accuracies[e];
        for (int order = 2; order <= 4; order++)
            ck_assert_double_eq(atlas_frontier(&evidence, 0, order, order - 1, d), wins[order - 1]);
        ck_assert(wins[1] > 0.0 && wins[2] > 0.0);
        ck_assert_double_eq(atlas_frontier(&evidence, 0, 1, 2, d), 0.0);
    }
    struct atlas_cost none = atlas_cost_of(&evidence, 0, 7.0, 0, 0);
    ck_assert(isinf(none.high) && none.sampler == evidence.manifest.sampler_count);
}
