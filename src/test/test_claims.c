/* The built-in claims: their names and bounds in words, how numbers are judged, and verdicts on planted power laws.
 */
#include <math.h>
#include <string.h>

#include "verdict/claims.h"
#include "verdict/judge.h"

#include "test/planted.h"
#include "test/planted_powers.h"
#include "test/suite.h"

TEST_SUITE(claims);

static const struct {
    const char *name;
    struct power_world world;
    struct expected expected[8];
} cases[] = {
    {"as claimed",
     {DDPM, FAST, 0, 0},
     {{"eps-accelerated", OUTCOME_SUPPORTED, 0.5, NULL, "supported"},
      {"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, "supported"},
      {"dim-accelerated", OUTCOME_NOT_TIGHT, 0.25, NULL, "supported, not tight (slack 1.00)"},
      {"dim-ddpm", OUTCOME_NOT_TIGHT, 0.5, NULL, "supported, not tight (slack 0.50)"},
      {"crossover", OUTCOME_SUPPORTED, NAN, "wins", "supported"},
      {"kl-ddpm", OUTCOME_SUPPORTED, 2.0, "an identity and no evidence", "supported"},
      {"speedup", OUTCOME_SUPPORTED, 0.5, "score evaluations", "supported"}}},
    {"tight in d",
     {{0.04, 1.0, 1.0, KL_RIGHT}, {0.5, 2.5, 2.0, KL_RIGHT}, 0, 0},
     {{"dim-accelerated", OUTCOME_SUPPORTED, 1.25, NULL, NULL}, {"dim-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL}}},
    {"faster than claimed",
     {{1.0, 0.5, 1.5, .kl_power_d = 0.5, .kl_power_h = 3.0}, {1.0, 0.5, 3.0, KL_RIGHT}, 0, 0},
     {{"eps-accelerated", OUTCOME_NOT_TIGHT, 1.0 / 3.0, NULL, "supported, not tight (slack 0.17)"},
      {"eps-ddpm", OUTCOME_NOT_TIGHT, 2.0 / 3.0, NULL, "supported, not tight (slack 0.33)"},
      {"kl-ddpm", OUTCOME_NOT_TIGHT, 3.0, NULL, "supported, not tight (slack 1.00)"}}},
    {"accelerated no better than ddpm",
     {DDPM, {0.5, 0.5, 1.0, KL_RIGHT}, 0, 0},
     {{"eps-accelerated", OUTCOME_REFUTED, 1.0, NULL, "refuted"},
      {"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL},
      {"crossover", OUTCOME_SUPPORTED, NAN, NULL, NULL},
      {"speedup", OUTCOME_REFUTED, 0.0, NULL, "refuted"}}},
    {"accelerated slower",
     {{0.1, 0.5, 1.0, KL_RIGHT}, {0.3, 0.5, 1.0, KL_RIGHT}, 0, 0},
     {{"crossover", OUTCOME_REFUTED, NAN, "violate", "refuted"}}},
    {"ddpm slower than claimed",
     {{0.2, 0.5, 0.75, .kl_power_d = 1.0, .kl_power_h = 1.0}, FAST, 0, 0},
     {{"eps-ddpm", OUTCOME_REFUTED, 4.0 / 3.0, NULL, "refuted"}, {"kl-ddpm", OUTCOME_REFUTED, 1.0, NULL, "refuted"}}},
    {"steep in d",
     {{0.015, 1.5, 1.0, .kl_power_d = 2.0, .kl_power_h = 2.0}, {0.2, 3.0, 2.0, KL_RIGHT}, 0, 0},
     {{"dim-ddpm", OUTCOME_REFUTED, 1.5, NULL, "refuted"},
      {"dim-accelerated", OUTCOME_REFUTED, 1.5, NULL, "refuted"},
      {"kl-ddpm", OUTCOME_REFUTED, 2.0, "in d: 2.0", "refuted"}}},
    {"floor",
     {DDPM, {1.0, 0.5, 2.0, KL_RIGHT, .floor = 0.0055}, 0, 0},
     {{"eps-accelerated", OUTCOME_REFUTED, NAN, "floor", "refuted"},
      {"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL}}},
    {"too few accuracies",
     {DDPM, FAST, 1, 0},
     {{"eps-accelerated", OUTCOME_SUPPORTED, 0.5, NULL, "supported"}, /* the limit needs no accuracies */
      {"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL},
      {"speedup", OUTCOME_SUPPORTED, 0.5, NULL, NULL},
      {"kl-ddpm", OUTCOME_SUPPORTED, 2.0, NULL, NULL}}},
    {"beyond reach",
     {{1e6, 0.5, 1.0, KL_RIGHT}, FAST, 0, 0},
     {{"eps-ddpm", OUTCOME_INCONCLUSIVE, NAN, "no cell", NULL}, {"crossover", OUTCOME_SUPPORTED, NAN, NULL, NULL}}},
    /* TV is below its radius: T(d, eps) is known from above only, which can support a bound and not refute it. */
    {"upper limits",
     {DDPM, {1.0, 0.5, 2.0, KL_RIGHT, .unsure = 0.7}, 0, 0},
     {{"eps-accelerated", OUTCOME_NOT_TIGHT, 0.5, "from upper limits on T", NULL},
      {"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL}}},
    {"steep upper limits",
     {DDPM, {0.5, 0.5, 1.0, KL_RIGHT, .unsure = 0.7}, 0, 0},
     {{"eps-accelerated", OUTCOME_INCONCLUSIVE, NAN, NULL, NULL}}},
    /* Of h^1, but met at the smallest T for all eps but the last few: that flattens nothing. */
    {"mostly at start",
     {DDPM, {0.0016, 0.5, 1.0, KL_RIGHT}, 0, 0},
     {{"eps-accelerated", OUTCOME_REFUTED, 1.0, NULL, NULL}}},
    {"a tenth more than claimed",
     {DDPM, {1.0, 0.5, 1.0 / 0.6, KL_RIGHT}, 0, 0},
     {{"eps-accelerated", OUTCOME_REFUTED, 0.6, NULL, NULL}}},
    {"a little more than claimed", /* within the band at finite T, not in the limit */
     {DDPM, {1.0, 0.5, 1.0 / 0.53, KL_RIGHT}, 0, 0},
     {{"eps-accelerated", OUTCOME_REFUTED, 0.53, NULL, NULL}}},
    {"no accelerated",
     {DDPM, FAST, 0, 1},
     {{"eps-accelerated", OUTCOME_INCONCLUSIVE, NAN, "not in the experiment", NULL},
      {"crossover", OUTCOME_INCONCLUSIVE, NAN, "not in the experiment", NULL},
      {"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL}}},
};

TEST(test_verdicts, .count = COUNT(cases))
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    power_evidence(&cases[_i].world, NULL, &evidence);
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    ck_assert_uint_eq(count, 14); /* seven claims, one target and the overall finding */
    planted_check(cases[_i].name, findings, count, cases[_i].expected, 0.01);
    findings_free(findings, count);
}

/* Between d = 4 and 8 TV grows like d^1.04 and d^1.13; as d grows, like d^1 and d^1.2, of which the verdict is. */
TEST(limits_are_of_large_d)
{
    static const struct {
        struct power_world world;
        enum outcome outcome;
    } laws[] = {{{{0.04, 1.0, 1.0, KL_RIGHT, .next_in_d = -0.2}, FAST, 0, 0}, OUTCOME_SUPPORTED},
                {{{0.04, 1.2, 1.0, KL_RIGHT, .next_in_d = 0.4}, FAST, 0, 0}, OUTCOME_REFUTED}};
    for (int i = 0; i < COUNT(laws); i++) {
        OWNED(evidence) evidence;
        struct finding *findings;
        size_t count;
        power_evidence(&laws[i].world, NULL, &evidence);
        ASSERT_OK(claims_decide, &evidence, &findings, &count);
        const struct finding *found = planted_find(findings, count, "dim-ddpm", "planted");
        ck_assert_msg(found->outcome == laws[i].outcome && strstr(found->note, "extrapolated in d, too") != NULL
                          && fabs(found->limit_value - laws[i].world.ddpm.power_d)
                                 < fmin(found->limit_interval, 0.02),
                      "%d: %g +- %g, %s", i, found->limit_value, found->limit_interval, found->note);
        findings_free(findings, count);
    }
}

static const struct {
    double value, interval;
    enum outcome at_finite_T, in_the_limit;
} judged[] = {
    {0.6, 0.02, OUTCOME_REFUTED, OUTCOME_REFUTED},
    {0.538, 0.018, OUTCOME_INCONCLUSIVE, OUTCOME_REFUTED}, /* wholly above its bound */
    {0.508, 0.005, OUTCOME_INCONCLUSIVE, OUTCOME_INCONCLUSIVE},
    {0.51, 0.02, OUTCOME_SUPPORTED, OUTCOME_SUPPORTED},
    {0.5, 0.0001, OUTCOME_SUPPORTED, OUTCOME_SUPPORTED},
    {0.47, 0.01, OUTCOME_SUPPORTED, OUTCOME_SUPPORTED},
    {0.4, 0.02, OUTCOME_NOT_TIGHT, OUTCOME_NOT_TIGHT},
    {0.4, 0.2, OUTCOME_INCONCLUSIVE, OUTCOME_INCONCLUSIVE},
    {0.5, 0.3, OUTCOME_INCONCLUSIVE, OUTCOME_INCONCLUSIVE},
};

/* No interval wholly beyond its bound supports a claim, from above or from below. */
TEST(intervals_are_judged, .count = COUNT(judged))
{
    for (int side = 1; side >= -1; side -= 2) {
        const struct claim_bound bound = {.power = STEPS_IN_ACCURACY,
                                          .relation = side > 0 ? AT_MOST : AT_LEAST,
                                          .value = 0.5 * side,
                                          .sampler = "ddpm"};
        double value = side * judged[_i].value, interval = judged[_i].interval;
        struct finding finding = {.claim = claim_at(0)};
        judge_power(&finding, "an exponent", &bound, 10, &(struct exponent){.value = value, .interval = interval});
        ck_assert_int_eq(finding.outcome, judged[_i].at_finite_T);
        judge_limit(&finding, 0, "its limit", &bound,
                    &(struct limit){.exists = true, .points = 5, .value = value, .interval = interval});
        ck_assert_int_eq(finding.outcome, judged[_i].in_the_limit);
        ck_assert(finding.has_limit && !(finding_value(&finding) < value) && !(finding_value(&finding) > value));
    }
}

TEST(test_names)
{
    size_t i = 0;
    for (; claim_at(i) != NULL; i++) {
        const struct claim *claim = claim_at(i);
        ck_assert_str_eq(claim->name, claim_names()[i]);
        ck_assert(strlen(claim->statement) > 10 && strlen(claim->source) > 5);
        ck_assert(strlen(claim->refuted_by) > 5 && strlen(claim_statistic(claim)) > 5);
        ck_assert(claim->bound[0].power != NO_POWER && claim->topic != NO_TOPIC
                  && power_kinds[claim->bound[0].power].decide != NULL);
    }
    ck_assert_ptr_null(claim_names()[i]);
}

/* Bounds in words: fractions, further bounds of another sampler and in other variables, one text for equal ones. */
TEST(test_predictions)
{
    const struct {
        const struct claim_bound *bound;
        const char *words;
    } bounds[] = {
#define ONE(of, side, number, ...) {.power = of, .relation = side, .value = number, __VA_ARGS__}
#define KL(in, side, number, who) ONE(COLUMN_IN_AXIS, side, number, .sampler = who, .column = "kl_p_q", .axis = in)
        {BOUNDS(ONE(STEPS_IN_ACCURACY, AT_MOST, 0.5, .sampler = "a")), "<= 1/2"},
        {BOUNDS(ONE(STEPS_IN_DIMENSION, AT_MOST, 1.25, .sampler = "a")), "<= 5/4"},
        {BOUNDS(ONE(STEPS_IN_ACCURACY, AT_LEAST, 1.0 / 3.0, .sampler = "a")), ">= 1/3"},
        {BOUNDS(ONE(FRACTION_AGREEING, AT_LEAST, 0.99, .sampler = NULL)), ">= 0.99"},
        {BOUNDS(ONE(CONSTANT_IN_ROUGHNESS, ABOVE, 0.0, .sampler = NULL)), "> 0"},
        {BOUNDS(ONE(STEPS_IN_ACCURACY, AT_MOST, 0.5, .sampler = "a"),
                ONE(STEPS_IN_ACCURACY, AT_MOST, 1.0, .sampler = "b")),
         "<= 1/2 (b: <= 1)"},
        {BOUNDS(KL("step_size", AT_LEAST, 2.0, "a"), KL("dimension", AT_MOST, 1.0, "a")), ">= 2 (d: <= 1)"},
        {BOUNDS(ONE(EFFECT_IN_SIZE, AT_LEAST, 1.0, .sampler = NULL),
                ONE(CONSTANT_IN_STEPS, AT_MOST, 0.0, .sampler = NULL),
                ONE(CONSTANT_IN_DIMENSION, AT_MOST, 0.0, .sampler = NULL)),
         ">= 1 (T, d: <= 0)"},
        {BOUNDS(KL("step_size", AT_LEAST, 2.0, NULL), KL("dimension", AT_MOST, 1.0, NULL),
                ONE(STEPS_IN_ACCURACY, AT_MOST, 1.0, .sampler = "b")),
         ">= 2 (d, b: <= 1)"},
        {BOUNDS(KL("step_size", AT_LEAST, 2.0, "a"), KL("dimension", AT_MOST, 1.0, "a"),
                ONE(STEPS_IN_ACCURACY, AT_MOST, 1.5, .sampler = "b")),
         ">= 2 (d: <= 1; b: <= 3/2)"},
        /* the same of several samplers is said once */
        {BOUNDS(KL("steps", AT_MOST, -2.0, "a"), KL("dimension", AT_MOST, 0.2, "a"), KL("steps", AT_MOST, -2.0, "b"),
                KL("dimension", AT_MOST, 0.2, "b")),
         "<= -2 (d: <= 1/5)"},
#undef KL
#undef ONE
    };
    for (size_t i = 0; i < COUNT(bounds); i++) {
        const struct claim claim = {.name = "planted", .bound = bounds[i].bound};
        char words[CLAIM_PREDICTION];
        claim_prediction(&claim, NULL, words);
        ck_assert_str_eq(words, bounds[i].words);
    }
}

/* Both exponents at once; numbers and verdict are those of the worse. */
static const struct {
    struct power_world world;
    enum outcome outcome;
    double value, bound;
    const char *note;
} minimal[] = {
    {{DDPM, FAST, 0, 0}, OUTCOME_SUPPORTED, 0.5, 0.5, "ddpm: 1.000"},
    {{DDPM, {1.0, 0.5, 3.0, KL_RIGHT}, 0, 0}, OUTCOME_SUPPORTED, 1.0, 1.0, "not tight (slack 0.17); ddpm: "},
    {{{1.0, 0.5, 1.5, KL_RIGHT}, {1.0, 0.5, 3.0, KL_RIGHT}, 0, 0}, OUTCOME_NOT_TIGHT, 1.0 / 3.0, 0.5, "not tight"},
    {{{0.2, 0.5, 0.75, KL_RIGHT}, FAST, 0, 0}, OUTCOME_REFUTED, 4.0 / 3.0, 1.0, "(at most 1), refuted"},
    {{DDPM, {0.5, 0.5, 1.0, KL_RIGHT}, 0, 0}, OUTCOME_REFUTED, 1.0, 0.5, "(at most 1), supported"},
    {{{1.0, 0.5, 1.0, KL_RIGHT, .floor = 0.012}, FAST, 0, 0}, OUTCOME_REFUTED, NAN, 1.0, "floor"},
    {{DDPM, {1.0, 0.5, 2.0, KL_RIGHT, .floor = 0.0055}, 0, 0}, OUTCOME_REFUTED, NAN, 0.5, "floor"},
    {{DDPM, FAST, 0, 1}, OUTCOME_INCONCLUSIVE, NAN, 0.5, "not in the experiment"},
};

TEST(test_minimal, .count = COUNT(minimal))
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    power_evidence(&minimal[_i].world, "claims: [minimal]\n", &evidence);
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    ck_assert_uint_eq(count, 2);
    const struct finding *f = planted_find(findings, count, "minimal", "planted");
    ck_assert_msg(f->outcome == minimal[_i].outcome, "case %d: %d (%g; %s)", _i, f->outcome, f->value, f->note);
    ck_assert_msg(isnan(minimal[_i].value) || fabs(f->value - minimal[_i].value) < 0.01, "case %d: %g", _i, f->value);
    ck_assert_msg(strstr(f->note, minimal[_i].note) != NULL, "case %d: %s", _i, f->note);
    ck_assert_double_eq(f->bound, minimal[_i].bound);
    check_accounts(findings, count);
    findings_free(findings, count);
}
