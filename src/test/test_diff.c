/* Comparing results: planted rows, stored and read back, of which one is then changed in a known way. */
#include <float.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/compare.h"
#include "test/planted.h"
#include "test/suite.h"

/* Two score errors, two T and two dimensions, by the law and by 512 chains: */
enum { ROWS = 2 * 2 * 2 * 2, CHANGED = 5 };
static const char text[] = "schedule: {kind: li-cai, c0: 2.0, c1: 8.5}\n"
                           "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                           "dimensions: [1, 4]\nsteps: [64, 128]\nscore_errors: [{shape: none}, "
                           "{shape: bias, size: 0.1}]\nsamples: {chains: 512, seed: 7}\nclaims: none\n";
static const char *const names[2] = {"first.h5", "second.h5"};

static void make_row(struct record *row, const char *score_error, size_t dimension, size_t steps, size_t chains)
{
    *row = (struct record){.parameter = PLANTED_PARAMETERS,
                           .dimension = dimension,
                           .steps = steps,
                           .step_size = 8.5 * log((double)steps) / (double)steps,
                           .score_evaluations = steps - 1,
                           .chains = chains,
                           .seed = chains > 0 ? 7 : 0};
    struct score_error error = {.shape = error_shape_find(score_error),
                                .profile = error_profile_find("uniform"),
                                .spread = SPREAD_ALL,
                                .size = 0.1};
    record_set_score_error(row, &error);
    (void)snprintf(row->target, sizeof row->target, "g");
    (void)snprintf(row->sampler, sizeof row->sampler, "ddpm");
    (void)snprintf(row->schedule, sizeof row->schedule, "li-cai");
    (void)snprintf(row->law, sizeof row->law, chains > 0 ? "chains" : "gaussian");
    for (const struct field *field = record_fields; field->name != NULL; field++) {
        int known = field->role == COLUMN_VALUE || field->role == COLUMN_SAMPLED;
        double value[2] = {0.5 / (double)steps, 0x1p-20};
        if ((field->role == COLUMN_VALUE && chains > 0) || (field->role == COLUMN_SAMPLED && chains == 0))
            value[0] = value[1] = NAN;
        for (size_t i = 0; i < 2 && known; i++)
            memcpy((char *)row + field[i].offset, &value[i], sizeof value[i]);
    }
}

static void make_rows(struct record rows[ROWS])
{
    size_t count = 0;
    for (size_t chains = 0; chains <= 512; chains += 512)
        for (size_t e = 0; e < 2; e++)
            for (size_t d = 1; d <= 4; d += 3)
                for (size_t steps = 64; steps <= 128; steps += 64)
                    make_row(&rows[count++], e > 0 ? "bias" : "none", d, steps, chains);
    ck_assert_uint_eq(count, ROWS);
}

/* Two results that hold the same, until a test changes one. */
static struct evidence side[2];
static struct comparison comparison;

static void setup(void)
{
    struct record rows[ROWS];
    store_init();
    make_rows(rows);
    planted_read_back(text, rows, ROWS, &side[0]);
    planted_read_back(text, rows, ROWS, &side[1]);
}

static void teardown(void)
{
    comparison_free(&comparison);
    evidence_free(&side[0]);
    evidence_free(&side[1]);
}

TEST_SUITE(diff, .setup = setup, .teardown = teardown);

/* Another result in the place of one. */
static void replace(size_t which, const char *spec, const struct record *rows, size_t count)
{
    evidence_free(&side[which]);
    planted_read_back(spec, rows, count, &side[which]);
}

static void compare(void)
{
    comparison_free(&comparison);
    ASSERT_OK(compare_results, ((const struct evidence *const[]){&side[0], &side[1]}), names, &comparison);
}

static const struct field *field_named(const char *name)
{
    const struct field *field = record_fields;
    while (strcmp(field->name, name) != 0)
        field++;
    return field;
}

static const struct tally *tally_of(const char *name)
{
    return &comparison.tally[field_named(name) - record_fields];
}

static void set(struct record *row, const struct field *field, double value)
{
    ck_assert_int_eq(field->type, FIELD_REAL);
    memcpy((char *)row + field->offset, &value, sizeof value);
}

TEST(every_column_has_its_role)
{
    static const size_t expected[] = {[COLUMN_IDENTITY] = 11, /* target, sampler, score error (5), schedule, d, T,
                                                                 chains */
                                      [COLUMN_DERIVED] = 3,
                                      [COLUMN_VALUE] = 14 + MOST_MASSES,
                                      [COLUMN_RADIUS] = 14 + MOST_MASSES,
                                      [COLUMN_SAMPLED] = 11 + 2 * MOST_MASSES,
                                      [COLUMN_STANDARD_ERROR] = 11 + 2 * MOST_MASSES,
                                      [COLUMN_DIAGNOSTIC] = 6,
                                      [COLUMN_TIMING] = 1};
    size_t found[COUNT(expected)] = {0};
    for (const struct field *field = record_fields; field->name != NULL; field++) {
        char name[100];
        int value = field->role == COLUMN_VALUE, sampled = field->role == COLUMN_SAMPLED;
        found[field->role]++;
        if (!value && !sampled)
            continue;
        (void)snprintf(name, sizeof name, "%s_%s", field->name, value ? "error" : "se");
        ck_assert_str_eq(field[1].name, name);
        ck_assert_int_eq(field[1].role, value ? COLUMN_RADIUS : COLUMN_STANDARD_ERROR);
        ck_assert(field->type == FIELD_REAL && field[1].type == FIELD_REAL);
    }
    for (size_t i = 0; i < COUNT(expected); i++)
        ck_assert_msg(found[i] == expected[i], "%zu columns of role %zu", found[i], i);
}

TEST(a_result_agrees_with_itself)
{
    compare();
    ck_assert(comparison_agrees(&comparison));
    ck_assert_uint_eq(comparison.matched, ROWS);
    ck_assert_uint_eq(comparison.only[0] + comparison.only[1] + comparison.differences + comparison.complexity.pairs,
                      0);
    for (size_t i = 0; record_fields[i].name != NULL; i++) {
        enum column_role role = record_fields[i].role;
        size_t expected = role == COLUMN_IDENTITY || role == COLUMN_RADIUS || role == COLUMN_STANDARD_ERROR ? 0
                          : role == COLUMN_VALUE || role == COLUMN_SAMPLED                                  ? ROWS / 2
                                                                                                            : ROWS;
        ck_assert_msg(comparison.tally[i].pairs == expected && comparison.tally[i].same == expected, "%s: %zu of %zu",
                      record_fields[i].name, comparison.tally[i].same, comparison.tally[i].pairs);
    }
}

TEST(order_of_rows_does_not_matter)
{
    struct record *rows = side[1].result.rows;
    for (size_t i = 0; i < ROWS / 2; i++) {
        struct record row = rows[i];
        rows[i] = rows[ROWS - 1 - i];
        rows[ROWS - 1 - i] = row;
    }
    compare();
    ck_assert(comparison_agrees(&comparison));
    ck_assert_uint_eq(tally_of("tv")->same, ROWS / 2);
}

/* Another value of a column, far beyond its radius. */
static void change(struct record *row, const struct field *field)
{
    if (field->type == FIELD_STRING)
        (void)snprintf((char *)row + field->offset, 64, "other");
    else if (field->type == FIELD_COUNT) {
        uint64_t value = field_count(field, row) + 1;
        memcpy((char *)row + field->offset, &value, sizeof value);
    } else
        set(row, field, field_real(field, row) + 1.0 / 3.0);
}

static size_t fields(void)
{
    size_t count = 0;
    while (record_fields[count].name != NULL)
        count++;
    return count;
}

#define HOLDS(condition) ck_assert_msg(condition, "%s", field->name)

/* A column, changed in one row, is found out: by name where it must be equal, and else by the counts. */
static void check_column(size_t column)
{
    const struct field *field = &record_fields[column];
    int sampled = field->role == COLUMN_SAMPLED || field->role == COLUMN_STANDARD_ERROR;
    size_t at = sampled ? CHANGED + ROWS / 2 : CHANGED;
    change(&side[1].result.rows[at], field);
    compare();
    const struct tally *tally = &comparison.tally[column];
    switch (field->role) {
    case COLUMN_IDENTITY:
        HOLDS(!comparison_agrees(&comparison) && comparison.matched == ROWS - 1);
        HOLDS(comparison.only[0] == 1 && comparison.missing[0] == 1 && comparison.only[1] == 1
              && comparison.missing[1] == 0);
        HOLDS(comparison.differences == 1 && comparison.difference[0].field == NULL
              && comparison.difference[0].row[1] == NULL);
        HOLDS(comparison.difference[0].row[0] == &comparison.rows[0][at]);
        if (field->type == FIELD_REAL) {
            set(&side[1].result.rows[at], field, NAN);
            compare();
            HOLDS(comparison.matched == ROWS - 1);
            set(&side[0].result.rows[at], field, NAN);
            compare();
            HOLDS(comparison.matched == ROWS);
        }
        break;
    case COLUMN_DERIVED:
    case COLUMN_VALUE:
    case COLUMN_SAMPLED:
        HOLDS(!comparison_agrees(&comparison) && comparison.differences == 1 && tally->differ == 1);
        HOLDS(comparison.difference[0].field == field);
        HOLDS(comparison.difference[0].row[0] == &comparison.rows[0][at]);
        HOLDS(comparison.difference[0].row[1] == &comparison.rows[1][at]);
        HOLDS(tally->same == tally->pairs - 1);
        break;
    case COLUMN_RADIUS:
    case COLUMN_STANDARD_ERROR:
        tally = &comparison.tally[column - 1];
        HOLDS(comparison_agrees(&comparison) && tally->agree == 1 && tally->same == tally->pairs - 1);
        static const double bad[] = {NAN, -0x1p-20};
        for (size_t i = 0; i < 2; i++) {
            set(&side[1].result.rows[at], field, bad[i]);
            compare();
            HOLDS(comparison.differences == 1 && comparison.difference[0].field == field - 1);
        }
        break;
    case COLUMN_DIAGNOSTIC:
    case COLUMN_TIMING:
        HOLDS(comparison_agrees(&comparison) && tally->same == tally->pairs - 1);
        HOLDS(tally->agree + tally->differ == 0);
        break;
    }
}

TEST(every_column_is_compared)
{
    struct record rows[2][ROWS];
    for (size_t i = 0; i < 2; i++)
        memcpy(rows[i], side[i].result.rows, sizeof rows[i]);
    for (size_t column = 0; column < fields(); column++) {
        check_column(column);
        for (size_t i = 0; i < 2; i++)
            memcpy(side[i].result.rows, rows[i], sizeof rows[i]);
    }
}

enum outcome_of { SAME, AGREE, UNBOUNDED, DIFFER, NEITHER };

static void check_tally(const struct tally *tally, enum outcome_of outcome, size_t pairs)
{
    ck_assert_uint_eq(tally->pairs, pairs - (outcome == NEITHER));
    ck_assert_uint_eq(tally->same, outcome == SAME ? pairs : pairs - 1);
    ck_assert_uint_eq(tally->agree, outcome == AGREE || outcome == UNBOUNDED);
    ck_assert_uint_eq(tally->unbounded, outcome == UNBOUNDED);
    ck_assert_uint_eq(tally->differ, outcome == DIFFER);
}

#define LAST_BIT (1.0 + DBL_EPSILON)
static const struct {
    double a, ea, b, eb;
    enum outcome_of outcome;
    double ratio; /* NaN: no matter */
} values[] = {
    {1.0, 0.25, 1.0, 0.25, SAME, 0.0},
    {1.0, 0.25, LAST_BIT, 0.25, AGREE, 2.0 * DBL_EPSILON},
    {1.0, 0.25, LAST_BIT, 0.0, AGREE, 4.0 * DBL_EPSILON},
    {1.0, 0.0, LAST_BIT, 0.0, DIFFER, HUGE_VAL},
    {1.0, 0.0, LAST_BIT, DBL_EPSILON, AGREE, 1.0},
    {1.0, 0.25, 1.75, 0.5, AGREE, 1.0}, /* exactly at the boundary */
    {1.75, 0.25, 1.0, 0.5, AGREE, 1.0},
    {1.0, 0.25, 1.75 + 2.0 * DBL_EPSILON, 0.5, DIFFER, 1.0},
    {1.0, 0.25, 1.75, 0.5 - DBL_EPSILON, DIFFER, 1.0},
    {1.0, 0.25, 4.0, 0.5, DIFFER, 4.0},
    {0.0, 0.0, -0.0, 0.0, AGREE, 0.0},
    {NAN, 0.25, NAN, 0.5, NEITHER, 0.0},
    {NAN, 0.25, 1.0, 0.25, DIFFER, NAN},
    {1.0, 0.25, NAN, HUGE_VAL, DIFFER, NAN},
    {1.0, HUGE_VAL, 7.0, 0.0, UNBOUNDED, 0.0},
    {1.0, HUGE_VAL, 1.0, 0.25, AGREE, 0.0},
    {HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL, SAME, 0.0},
    {HUGE_VAL, HUGE_VAL, HUGE_VAL, 0.0, AGREE, 0.0},
    {HUGE_VAL, HUGE_VAL, 1.0, 0.25, DIFFER, HUGE_VAL},
    {1.0, 0.25, HUGE_VAL, HUGE_VAL, DIFFER, HUGE_VAL},
    {HUGE_VAL, HUGE_VAL, 1.0, HUGE_VAL, UNBOUNDED, 0.0},
    {HUGE_VAL, HUGE_VAL, -HUGE_VAL, HUGE_VAL, DIFFER, HUGE_VAL},
    {1.0, NAN, 1.0, NAN, SAME, 0.0},
    {1.0, NAN, 1.0, -NAN, SAME, 0.0}, /* another bit pattern */
    {1.0, NAN, LAST_BIT, NAN, DIFFER, NAN},
    {1.0, -0.5, 1.25, 2.0, DIFFER, NAN},
};

TEST(values_agree_within_radii, .count = COUNT(values))
{
    const struct field *field = field_named("kl_q_p");
    const double planted[2][2] = {{values[_i].a, values[_i].ea}, {values[_i].b, values[_i].eb}};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            set(&side[i].result.rows[CHANGED], field + j, planted[i][j]);
    compare();
    const struct tally *tally = tally_of("kl_q_p");
    check_tally(tally, values[_i].outcome, ROWS / 2);
    ck_assert_int_eq(comparison_agrees(&comparison), values[_i].outcome != DIFFER);
    if (!isnan(values[_i].ratio))
        ck_assert(tally->ratio == values[_i].ratio || fabs(tally->ratio / values[_i].ratio - 1.0) < 1e-12);
}

TEST(step_sizes_agree_to_roundings)
{
    static const struct {
        double a, b;
        enum outcome_of outcome;
    } cases[] = {{1.0, 1.0 + 4.0 * DBL_EPSILON, AGREE},
                 {1.0, 1.0 - 4.0 * DBL_EPSILON, AGREE},
                 {1.0, 1.0 + 5.0 * DBL_EPSILON, DIFFER},
                 {1.0, 1.0 - 5.0 * DBL_EPSILON, DIFFER},
                 {NAN, 1.0, DIFFER},
                 {HUGE_VAL, HUGE_VAL, SAME},
                 {HUGE_VAL, 1.0, DIFFER}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        side[0].result.rows[CHANGED].step_size = cases[i].a;
        side[1].result.rows[CHANGED].step_size = cases[i].b;
        compare();
        check_tally(tally_of("step_size"), cases[i].outcome, ROWS);
        ck_assert_int_eq(comparison_agrees(&comparison), cases[i].outcome != DIFFER);
    }
}

/* Each of ROWS/2 rows by the estimators may be missed by noise with probability 0.001 over their number. */
TEST(chains_agree_within_standard_errors)
{
    static const double sigma = 0x1p-20;
    compare();
    double limit = comparison.limit;
    ck_assert_double_eq_tol(erfc(limit / sqrt(2.0)), 1e-3 / (ROWS / 2 * (11 + 2 * MOST_MASSES)), 1e-9 * 1e-3);
    struct estimate *a = &side[0].result.rows[CHANGED + ROWS / 2].estimates.weights_tv;
    struct estimate *b = &side[1].result.rows[CHANGED + ROWS / 2].estimates.weights_tv;
    *a = (struct estimate){0.25, 3.0 * sigma};
    for (int sign = -1; sign <= 1; sign += 2) {
        *b = (struct estimate){0.25 + sign * limit * 5.0 * sigma * (1.0 - 1e-9), 4.0 * sigma};
        compare();
        check_tally(tally_of("weights_tv"), AGREE, ROWS / 2);
        ck_assert_double_eq_tol(tally_of("weights_tv")->ratio, limit, 1e-6);
        b->value = 0.25 + sign * limit * 5.0 * sigma * (1.0 + 1e-9);
        compare();
        check_tally(tally_of("weights_tv"), DIFFER, ROWS / 2);
        ck_assert_double_eq_tol(comparison.difference[0].ratio, limit, 1e-6);
    }
    *a = *b = (struct estimate){0.25, 0.0};
    b->value = 0.25 * LAST_BIT;
    compare();
    ck_assert(!comparison_agrees(&comparison) && isinf(tally_of("weights_tv")->ratio));
}

TEST(an_estimator_may_be_silent_with_another_seed)
{
    struct record *row = &side[1].result.rows[CHANGED + ROWS / 2];
    row->estimates.chi2_tv = (struct estimate){NAN, NAN};
    compare();
    ck_assert(!comparison_agrees(&comparison) && comparison.differences == 1);
    ck_assert_uint_eq(tally_of("chi2_tv")->differ, 1);
    row->seed = 8;
    compare();
    ck_assert(comparison_agrees(&comparison));
    ck_assert_uint_eq(tally_of("chi2_tv")->one_sided, 1);
    ck_assert_uint_eq(tally_of("chi2_tv")->pairs, ROWS / 2);
    ck_assert_uint_eq(tally_of("seed")->same, ROWS - 1);
    row->estimates.chi2_tv = (struct estimate){2.0, 0x1p-20}; /* what is said must agree with any seed */
    compare();
    ck_assert(!comparison_agrees(&comparison));
}

/* Noise shows no difference however many numbers there are: at the level of 1/1000, 300 comparisons of 56 numbers
 * each find 0.3 on average; 4 or more have a probability of 3e-4. Without Bonferroni's factor they would find 16. */
TEST(noise_is_no_difference)
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    size_t found = 0, beyond_two = 0;
    for (size_t n = 0; n < 300; n++) {
        for (size_t i = 0; i < ROWS; i++)
            for (const struct field *field = record_fields; field->name != NULL; field++)
                if (field->role == COLUMN_SAMPLED && side[0].result.rows[i].chains > 0)
                    for (size_t s = 0; s < 2; s++)
                        set(&side[s].result.rows[i], field, gsl_ran_gaussian(random, 0x1p-20));
        compare();
        found += !comparison_agrees(&comparison);
        beyond_two += tally_of("projection_tv")->ratio > 2.0;
    }
    ck_assert_uint_lt(found, 4);
    ck_assert(beyond_two > 50 && beyond_two < 150); /* of 8 numbers: 300 (1 - 0.9545^8) = 93 */
    gsl_rng_free(random);
}

#define SPEC(dimensions, steps) \
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: " dimensions \
    "\nsteps: " steps "\nscore_errors: [{shape: none}, {shape: bias, size: 0.1}]\n" \
    "samples: {chains: 512, seed: 7}\nclaims: none\n"

TEST(missing_rows_differ_where_they_are_asked_for)
{
    struct record rows[ROWS];
    make_rows(rows);

    replace(1, text, rows + 1, ROWS - 1); /* the same experiment has lost a row */
    compare();
    ck_assert(!comparison_agrees(&comparison) && comparison.matched == ROWS - 1 && comparison.differences == 1);
    ck_assert(comparison.only[0] == 1 && comparison.missing[0] == 1 && comparison.only[1] == 0);

    replace(1, SPEC("[1, 4]", "[128]"), rows + 1, ROWS - 1); /* another did not ask for all rows at T = 64 */
    compare();
    ck_assert(comparison_agrees(&comparison) && comparison.only[0] == 1 && comparison.missing[0] == 0);

    /* others have half of their rows in common with the first */
    static const char *const others[] = {SPEC("[1, 2]", "[64, 128]"), SPEC("[1, 4]", "[64, 256]")};
    for (size_t i = 0; i < 2; i++) {
        struct record shorter[ROWS];
        memcpy(shorter, rows, sizeof shorter);
        for (size_t j = 0; j < ROWS; j++) {
            shorter[j].dimension = i == 0 && shorter[j].dimension == 4 ? 2 : shorter[j].dimension;
            shorter[j].steps = i == 1 && shorter[j].steps == 128 ? 256 : shorter[j].steps;
        }
        replace(1, others[i], shorter, ROWS);
        compare();
        ck_assert(comparison_agrees(&comparison) && comparison.matched == ROWS / 2);
        ck_assert(comparison.only[0] == ROWS / 2 && comparison.only[1] == ROWS / 2);
        ck_assert_uint_eq(comparison.missing[0] + comparison.missing[1], 0);
    }
}

/* What a row measures is all of its identity; each changed alone makes it a row that the experiment does not ask for
 * (every_column_is_compared), and nothing in common is no agreement. */
TEST(nothing_in_common_differs)
{
    struct record rows[ROWS];
    make_rows(rows);
    for (size_t i = 0; i < ROWS; i++)
        rows[i].dimension += 1;
    replace(1, SPEC("[2, 5]", "[64, 128]"), rows, ROWS);
    compare();
    ck_assert(!comparison_agrees(&comparison));
    ck_assert_uint_eq(comparison.matched + comparison.differences, 0);
    replace(1, text, rows, 0);
    replace(0, text, rows, 0);
    compare();
    ck_assert(!comparison_agrees(&comparison));
}

TEST(duplicates_are_an_error)
{
    struct error error = {STATUS_OK, ""};
    struct record *rows = side[1].result.rows;
    rows[9] = rows[2];
    rows[9].tv = 0.75; /* no part of the identity, and so for the seed */
    rows[9].seed = 3;
    enum status status =
        compare_results((const struct evidence *const[]){&side[0], &side[1]}, names, &comparison, &error);
    ck_assert_int_eq(status, STATUS_IO);
    ASSERT_SAYS(error.text, "second.h5 measures the same twice");
    ck_assert(strstr(error.text, "rows 2 and 9") != NULL || strstr(error.text, "rows 9 and 2") != NULL);
}

/* TV at one T; 0: no more. */
struct measured {
    size_t steps;
    double tv, error;
};
enum { MOST = 6 };

static const struct {
    const char *name;
    enum outcome_of outcome;
    size_t most[2]; /* max_steps; the search starts at T = 32 */
    struct measured row[2][MOST];
} searches[] = {
    {"the same",
     SAME,
     {64, 64},
     {{{32, 0.3, 0}, {50, 0.11, 0}, {51, 0.09, 0}}, {{32, 0.3, 0}, {50, 0.11, 0}, {51, 0.09, 0}}}},
    {"other T on the way",
     SAME,
     {64, 64},
     {{{32, 0.3, 0}, {50, 0.11, 0}, {51, 0.09, 0}}, {{45, 0.2, 0}, {50, 0.11, 0}, {51, 0.09, 0}}}},
    {"a shift within the radius",
     AGREE,
     {64, 64},
     {{{49, 0.12, 0}, {50, 0.0999, 0}}, {{49, 0.12, 0}, {50, 0.0999, 0.001}, {51, 0.09, 0}}}},
    {"the other way",
     AGREE,
     {64, 64},
     {{{49, 0.12, 0}, {50, 0.0999, 0.001}, {51, 0.09, 0}}, {{49, 0.12, 0}, {50, 0.0999, 0}}}},
    {"a shift beyond it",
     DIFFER,
     {64, 64},
     {{{49, 0.12, 0}, {50, 0.099, 0}}, {{49, 0.12, 0}, {50, 0.11, 0.001}, {51, 0.09, 0}}}},
    {"far apart, sure", DIFFER, {64, 64}, {{{49, 0.12, 0}, {50, 0.099, 0}}, {{59, 0.12, 0}, {60, 0.09, 0}}}},
    {"far apart, unsure",
     AGREE,
     {64, 64},
     {{{49, 0.12, 0}, {50, 0.099, 0}}, {{49, 0.12, 0.01}, {59, 0.12, 0.05}, {60, 0.09, 0}}}},
    {"one has not finished",
     DIFFER,
     {64, 64},
     {{{32, 0.3, 0}, {50, 0.11, 0}, {51, 0.09, 0}}, {{32, 0.3, 0}, {64, 0.05, 0}}}},
    {"both have not", AGREE, {64, 64}, {{{32, 0.3, 0}, {51, 0.09, 0}}, {{32, 0.3, 0}, {64, 0.05, 0}}}},
    {"one has lost its end", DIFFER, {64, 64}, {{{32, 0.3, 0}, {50, 0.11, 0}, {51, 0.09, 0}}, {{32, 0.3, 0}}}},
    {"one has lost its start", DIFFER, {64, 64}, {{{32, 0.3, 0}, {50, 0.11, 0}, {51, 0.09, 0}}, {{64, 0.05, 0}}}},
    {"one was not sent as far",
     AGREE,
     {64, 45},
     {{{32, 0.3, 0}, {60, 0.11, 0}, {61, 0.09, 0}}, {{32, 0.3, 0}, {45, 0.2, 0}}}},
    {"beyond both", SAME, {64, 45}, {{{32, 0.3, 0}, {64, 0.2, 0}}, {{32, 0.3, 0}, {45, 0.25, 0}}}},
    {"found by one, surely beyond the other",
     DIFFER,
     {64, 64},
     {{{32, 0.3, 0}, {60, 0.11, 0}, {61, 0.09, 0}}, {{32, 0.3, 0}, {64, 0.2, 0}}}},
    {"at the start of both", SAME, {64, 64}, {{{32, 0.03, 0}}, {{32, 0.04, 0}}}},
    {"at the start of one", AGREE, {64, 64}, {{{32, 0.0999, 0}}, {{32, 0.0999, 0.001}, {33, 0.09, 0}}}},
    {"surely not at the start", DIFFER, {64, 64}, {{{32, 0.09, 0}}, {{32, 0.11, 0.001}, {33, 0.09, 0}}}},
    {"nothing measured", NEITHER, {64, 64}, {{{0, 0, 0}}, {{0, 0, 0}}}},
    {"nothing known", NEITHER, {64, 64}, {{{32, NAN, 0}, {64, NAN, 0}}, {{32, NAN, 0}, {64, NAN, 0}}}},
};

#define SEARCH \
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\nclaims: none\n"

/* In both orders; the first result asks for two accuracies, of which the second shares one. */
TEST(complexities_agree_where_one_T_fits, .count = 2 * (int)(COUNT(searches)))
{
    int entry = _i / 2, swap = _i % 2;
    for (int i = 0; i < 2; i++) {
        const struct measured *measured = searches[entry].row[i ^ swap];
        struct record rows[MOST];
        char spec[500];
        size_t count = 0;
        for (; measured[count].steps > 0; count++) {
            make_row(&rows[count], "none", 1, measured[count].steps, 0);
            rows[count].tv = measured[count].tv;
            rows[count].tv_error = measured[count].error;
        }
        (void)snprintf(spec, sizeof spec, "%saccuracies: [%s0.1]\nmax_steps: %zu\n", SEARCH, i == 0 ? "0.5, " : "",
                       searches[entry].most[i ^ swap]);
        replace((size_t)i, spec, rows, count);
    }
    compare();
    enum outcome_of outcome = searches[entry].outcome;
    const struct tally *tally = &comparison.complexity;
    ck_assert_msg(tally->pairs == (outcome != NEITHER) && tally->same == (outcome == SAME)
                      && tally->differ == (outcome == DIFFER),
                  "%s: %zu, %zu the same, %zu differ", searches[entry].name, tally->pairs, tally->same,
                  tally->differ);
    ck_assert_uint_eq(comparison.missing[0] + comparison.missing[1], 0); /* no `steps` are asked for */
    size_t seen = 0;
    for (size_t i = 0; i < comparison.differences; i++)
        if (comparison.difference[i].bracket[0] != NULL) {
            seen++;
            ck_assert_double_eq(side[0].manifest.accuracies[comparison.difference[i].accuracy], 0.1);
        }
    ck_assert_uint_eq(seen, outcome == DIFFER);
}

/* T(d, eps) under another schedule is another number. */
TEST(complexities_of_other_schedules_are_not_compared)
{
    struct record row;
    make_row(&row, "none", 1, 32, 0);
    replace(0, SEARCH "accuracies: [0.1]\nmax_steps: 64\n", &row, 1);
    replace(1, "schedule: {kind: li-cai, c0: 2.5, c1: 8.5}\n" SEARCH "accuracies: [0.1]\nmax_steps: 64\n", &row, 1);
    compare();
    ck_assert_uint_eq(comparison.complexity.pairs, 0);
}
