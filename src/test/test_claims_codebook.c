/* Verdicts on targets of which no law is known, but an annealed lower bound of TV and KL: codebooks, |Q - w| = C d^a
 * h^p and KL(w||Q) = c d^b h^s as planted; on the same numbers of targets that have laws; and over several results.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment/bracket.h"
#include "results/store.h"
#include "verdict/claims.h"

#include "test/planted.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(claims_codebook, .setup = shell_setup, .teardown = shell_teardown);

#define C1 8.5
#define BOOK "kind: codebook, rate: 0.5, sd: 0.1"
#define TAME "kind: gaussian, variance: 0.25"
#define SHELLS "kind: radial, weights: [0.5, 0.5], sds: [0.5, 1]"
#define NAMED "claims: [eps-ddpm, dim-ddpm, eps-accelerated, dim-accelerated, kl-ddpm]\n"

enum { DIMENSIONS = 3, FIRST = 2048, LAST = 65536, MOST_ROWS = 400 };
static const size_t dimensions[DIMENSIONS] = {64, 128, 256};
static const double accuracies[] = {0.02, 0.015, 0.01, 0.007, 0.005, 0.003, 0.0025, 0.002};

struct planted {
    double constant, power_d, power_h, kl_power_d, kl_power_h;
    double bend;  /* in the dimension in the middle all is so many times as much */
    double floor; /* below which nothing falls */
};

struct world {
    const char *target;
    struct planted ddpm, accelerated;
};

static double step_size(size_t T)
{
    return C1 * log((double)T) / (double)T;
}

static double bound_of(const struct planted *law, size_t d, size_t T)
{
    const double bend = d == dimensions[1] && law->bend > 0.0 ? law->bend : 1.0;
    return fmax(bend * law->constant * pow((double)d, law->power_d) * pow(step_size(T), law->power_h), law->floor);
}

static void add_row(struct record *rows, size_t *count, const struct world *world, const struct planted *law,
                    size_t d, size_t T)
{
    struct record *row = &rows[(*count)++];
    const double h = step_size(T), tv = bound_of(law, d, T);
    const double kl = (d == dimensions[1] && law->bend > 0.0 ? law->bend : 1.0) * 1e-6
                      * pow((double)d, law->kl_power_d) * pow(h, law->kl_power_h);
    const bool book = strcmp(world->target, BOOK) == 0;
    ck_assert_uint_lt(*count, MOST_ROWS);
    *row = (struct record){.parameter = PLANTED_PARAMETERS, .dimension = d, .steps = T, .step_size = h};
    plant_names(row, law == &world->ddpm ? "ddpm" : "accelerated");
    record_blank(row);
    *(book ? &row->planted_tv : &row->tv) = tv;
    *(book ? &row->planted_tv_error : &row->tv_error) = 1e-9 * tv;
    *(book ? &row->planted_kl : &row->kl_p_q) = kl;
    *(book ? &row->planted_kl_error : &row->kl_p_q_error) = 1e-9 * kl;
}

/* At powers of two, and on both sides of every T(d, eps) where the experiment searches for it. */
static size_t plant(const struct world *world, bool searched, struct record *rows)
{
    const struct planted *const laws[] = {&world->ddpm, &world->accelerated};
    size_t count = 0;
    for (size_t l = 0; l < 2; l++)
        for (size_t d = 0; d < DIMENSIONS; d++) {
            for (size_t T = FIRST; T <= LAST; T *= 2)
                add_row(rows, &count, world, laws[l], dimensions[d], T);
            for (size_t e = 0; e < COUNT(accuracies) && searched; e++) {
                size_t fails = FIRST, passes = LAST;
                while (passes - fails > 1) {
                    const size_t middle = fails + (passes - fails) / 2;
                    *(bound_of(laws[l], dimensions[d], middle) <= accuracies[e] ? &passes : &fails) = middle;
                }
                for (size_t T = passes - 1; T <= passes; T++)
                    if (T > FIRST && T < LAST)
                        add_row(rows, &count, world, laws[l], dimensions[d], T);
            }
        }
    return count;
}

static void put_text(const struct world *world, bool searched, const char *claims, char text[1000])
{
    (void)snprintf(text, 1000,
                   "schedule: {kind: li-cai, c0: 2, c1: 8.5}\ntargets: [{name: planted, %s}]\n"
                   "samplers: [ddpm, accelerated]\ndimensions: [64, 128, 256]\n%s%s",
                   world->target,
                   searched
                       ? "accuracies: [0.02, 0.015, 0.01, 0.007, 0.005, 0.003, 0.0025, 0.002]\nmax_steps: 65536\n"
                         "accuracy_in: planted_tv\n"
                       : "steps: [2048, 4096, 8192, 16384, 32768, 65536]\n",
                   claims);
}

#define TIGHT_LAW \
    { \
        1e-3, 1.0, 1.0, 2.0, 2.0, 0.0, 0.0 \
    }
#define FAST_LAW \
    { \
        1e-3, 2.0, 2.0, 2.0, 4.0, 0.0, 0.0 \
    }

static const struct {
    const char *name;
    struct world world;
    struct expected expected[6];
} cases[] = {
    {"as on codebooks", /* 1 against 1, and 1 against 5/4 */
     {BOOK, TIGHT_LAW, FAST_LAW},
     {{"eps-ddpm", OUTCOME_SUPPORTED, 1.0, "from planted_tv, an annealed lower bound of tv", "supported"},
      {"dim-ddpm", OUTCOME_SUPPORTED, 1.0, "from planted_tv", "supported"},
      {"eps-accelerated", OUTCOME_SUPPORTED, 0.5, "from planted_tv", "supported"},
      {"dim-accelerated", OUTCOME_NOT_TIGHT, 1.0, "from planted_tv", "supported, not tight (slack 0.25)"},
      {"kl-ddpm", OUTCOME_SUPPORTED, 2.0, "in d: 2.000 in the limit (at most 2), supported", "supported"}}},
    {"all tight",
     {BOOK, TIGHT_LAW, {1e-6, 2.5, 2.0, 2.0, 4.0, 0.0, 0.0}},
     {{"dim-accelerated", OUTCOME_SUPPORTED, 1.25, NULL, "supported"}}},
    {"steeper in d",
     {BOOK, {1e-4, 1.5, 1.0, 2.5, 2.0, 0.0, 0.0}, {1e-7, 3.0, 2.0, 2.0, 4.0, 0.0, 0.0}},
     {{"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL},
      {"dim-ddpm", OUTCOME_REFUTED, 1.5, NULL, "refuted"},
      {"dim-accelerated", OUTCOME_REFUTED, 1.5, NULL, "refuted"},
      {"kl-ddpm", OUTCOME_REFUTED, 2.5, "(at most 2), refuted; from planted_kl", "refuted"}}},
    {"of a lower order",
     {BOOK, {1e-4, 0.75, 0.75, 2.0, 1.5, 0.0, 0.0}, {1e-4, 1.5, 1.5, 2.0, 2.0, 0.0, 0.0}},
     {{"eps-ddpm", OUTCOME_REFUTED, 4.0 / 3.0, NULL, "refuted"},
      {"dim-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL},
      {"eps-accelerated", OUTCOME_REFUTED, 2.0 / 3.0, NULL, "refuted"},
      {"dim-accelerated", OUTCOME_NOT_TIGHT, 1.0, NULL, NULL},
      {"kl-ddpm", OUTCOME_REFUTED, 1.5, "in h: 1.5", "refuted"}}},
    {"below all bounds",
     {BOOK, {1e-3, 0.5, 1.0, 1.0, 2.0, 0.0, 0.0}, FAST_LAW},
     {{"dim-ddpm", OUTCOME_NOT_TIGHT, 0.5, NULL, "supported, not tight (slack 0.50)"},
      {"kl-ddpm", OUTCOME_SUPPORTED, 2.0, "not tight (slack 1.00)", NULL}}},
    {"of no power of d",
     {BOOK, {1e-3, 1.0, 1.0, 2.0, 2.0, 2.0, 0.0}, {1e-5, 2.0, 2.0, 2.0, 4.0, 3.0, 0.0}},
     {{"eps-ddpm", OUTCOME_SUPPORTED, 1.0, NULL, NULL},
      {"dim-ddpm", OUTCOME_INCONCLUSIVE, NAN, "wider", "inconclusive"},
      {"dim-accelerated", OUTCOME_INCONCLUSIVE, NAN, "wider", "inconclusive"},
      {"kl-ddpm", OUTCOME_INCONCLUSIVE, NAN, "in d: ", "inconclusive"}}},
    {"a floor",
     {BOOK, {1e-3, 1.0, 1.0, 2.0, 2.0, 0.0, 0.05}, FAST_LAW},
     {{"eps-ddpm", OUTCOME_REFUTED, NAN, "floor", "refuted"},
      {"dim-ddpm", OUTCOME_INCONCLUSIVE, NAN, "not seen to fall", NULL}}},
    {"a product",
     {TAME, {1e-3, 0.5, 1.0, 1.0, 2.0, 0.0, 0.0}, {1e-4, 0.5, 2.0, 1.0, 4.0, 0.0, 0.0}},
     {{"eps-ddpm", OUTCOME_SUPPORTED, 1.0, "", "supported"},
      {"dim-ddpm", OUTCOME_NOT_TIGHT, 0.5, NULL, "supported, not tight (slack 0.50)"},
      {"dim-accelerated", OUTCOME_NOT_TIGHT, 0.25, NULL, "supported, not tight (slack 1.00)"},
      {"kl-ddpm", OUTCOME_SUPPORTED, 2.0, "(at most 1), supported", NULL}}},
    {"a product whose KL grows like d^2",
     {TAME, {1e-3, 0.5, 1.0, 2.0, 2.0, 0.0, 0.0}, FAST_LAW},
     {{"kl-ddpm", OUTCOME_REFUTED, 2.0, "(at most 1), refuted", "refuted"}}},
    {"an L that is not known",
     {SHELLS, {1e-3, 0.5, 1.0, 1.3, 2.0, 0.0, 0.0}, FAST_LAW},
     {{"kl-ddpm", OUTCOME_SUPPORTED, 2.0, "(at most 2), supported, not tight (slack 0.70)", NULL}}},
    {"and beyond d^2",
     {SHELLS, {1e-3, 0.5, 1.0, 2.5, 2.0, 0.0, 0.0}, FAST_LAW},
     {{"kl-ddpm", OUTCOME_REFUTED, 2.5, "(at most 2), refuted", NULL}}},
};

static void decide(const struct world *world, bool searched, struct evidence *evidence, struct finding **findings,
                   size_t *count)
{
    struct record rows[MOST_ROWS];
    char text[1000];
    const size_t made = plant(world, searched, rows);
    put_text(world, searched, NAMED, text);
    planted_read_back(text, rows, made, evidence);
    ASSERT_OK(claims_decide, evidence, findings, count);
    ck_assert_uint_eq(*count, 10);
}

TEST(bounds_are_judged_on_all_targets, .count = COUNT(cases))
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    decide(&cases[_i].world, false, &evidence, &findings, &count);
    planted_check(cases[_i].name, findings, count, cases[_i].expected, 0.01);
    findings_free(findings, count);
}

/* From T(d, eps) of |Q - w| itself: the same verdicts. */
TEST(and_from_searches)
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    decide(&cases[0].world, true, &evidence, &findings, &count);
    planted_check(cases[0].name, findings, count, cases[0].expected, 0.01);
    const struct finding *in_d = planted_find(findings, count, "dim-accelerated", "planted");
    ck_assert(in_d->has_raw && in_d->used > 10); /* of T itself, too */
    findings_free(findings, count);
}

/* Of a lower bound: more than is claimed from above refutes it, less than is claimed from below does not. */
TEST(a_lower_bound_refutes_from_one_side)
{
    static const struct {
        const char *claim;
        enum outcome outcome;
        const char *note;
    } claims[] = {
        {"tv, at_most: {d: 0.8}", OUTCOME_REFUTED, "from planted_tv"},
        {"tv, at_least: {d: 1}", OUTCOME_SUPPORTED, "from planted_tv"},
        {"tv, at_least: {d: 1.2}", OUTCOME_INCONCLUSIVE, "cannot refute a bound from below"},
        {"tv, at_least: {h: 1.2}", OUTCOME_REFUTED, NULL},
        {"tv, at_most: {h: 0.8}", OUTCOME_INCONCLUSIVE, "cannot refute a bound from below"},
        {"kl_p_q, at_most: {T: -2.2}", OUTCOME_REFUTED, "from planted_kl"},
        {"kl_p_q, at_least: {T: -1.8}", OUTCOME_INCONCLUSIVE, "cannot refute"},
        {"planted_tv, at_least: {d: 1.2}", OUTCOME_REFUTED, NULL}, /* that itself */
        {"w2, at_most: {d: 1}", OUTCOME_INCONCLUSIVE, "in the window"},
    };
    const struct world world = {BOOK, TIGHT_LAW, FAST_LAW};
    for (size_t i = 0; i < COUNT(claims); i++) {
        struct record rows[MOST_ROWS];
        char text[1000], named[200];
        OWNED(evidence) evidence;
        struct finding *findings;
        size_t count, made = plant(&world, false, rows);
        (void)snprintf(named, sizeof named, "claims: [{name: own, sampler: ddpm, quantity: %s}]\n", claims[i].claim);
        put_text(&world, false, named, text);
        planted_read_back(text, rows, made, &evidence);
        ASSERT_OK(claims_decide, &evidence, &findings, &count);
        const struct finding *f = planted_find(findings, count, "own", "planted");
        ck_assert_msg(f->outcome == claims[i].outcome
                          && (claims[i].note == NULL || strstr(f->note, claims[i].note) != NULL),
                      "%s: %d, %s", claims[i].claim, (int)f->outcome, f->note);
        findings_free(findings, count);
    }
}

/* The bound by L stands where it is known of which target. */
TEST(a_bound_by_the_targets_smoothness)
{
    static const struct {
        const char *target, *bound;
    } worlds[] = {{BOOK, ">= 2 (d: <= 2)"}, {TAME, ">= 2 (d: <= 1)"}, {SHELLS, ">= 2 (d: <= 2)"}};
    char words[CLAIM_PREDICTION];
    for (size_t i = 0; i < COUNT(worlds); i++) {
        const struct world world = {worlds[i].target, TIGHT_LAW, FAST_LAW};
        OWNED(evidence) evidence;
        struct finding *findings;
        size_t count;
        decide(&world, false, &evidence, &findings, &count);
        const struct finding *finding = planted_find(findings, count, "kl-ddpm", "planted");
        claim_prediction(finding->claim, finding, words);
        ck_assert_str_eq(words, worlds[i].bound);
        claim_prediction(finding->claim, planted_find(findings, count, "kl-ddpm", "all targets"), words);
        ck_assert_str_eq(words, worlds[i].bound);
        claim_prediction(finding->claim, NULL, words);
        ck_assert_str_eq(words, ">= 2 (d: <= 1 to 2)");
        findings_free(findings, count);
    }
}

/* ---- Over several results ---- */

#define STATED \
    "claims: [%s{name: own, says: %s, source: s, quantity: tv, sampler: ddpm, at_most: {d: 1}, at_least: {h: 1}}]\n"

static void save_world(const char *name, const struct world *world, const char *claims)
{
    struct record rows[MOST_ROWS];
    char text[1000], path[100], owned[1200];
    const struct fact facts[] = {{"spec_text", text}, {"spec_name", name}, {NULL, NULL}};
    const size_t made = plant(world, false, rows);
    put_text(world, false, claims, text);
    (void)snprintf(
        owned, sizeof owned,
        "# Results of diffrate 1 (numerics 1), experiment %s; the cells here belong to the text below.\n%s", name,
        text);
    (void)snprintf(path, sizeof path, "mkdir -p %%/all/%s", name);
    ck_assert_int_eq(shell(path), 0);
    (void)snprintf(path, sizeof path, "all/%s/spec.yaml", name);
    write_file(path, owned);
    (void)snprintf(path, sizeof path, "all/%s/%s.h5", name, name);
    save_result(path, rows, made, facts);
}

/* A claim of several results has one row: the largest exponent on any target of any, and the verdict over all. What
 * is stated in other words is another claim. */
TEST(a_claim_over_several_results)
{
    static const struct world product = {TAME,
                                         {1e-3, 0.5, 1.25, 1.0, 2.5, 0.0, 0.0},
                                         {1e-4, 0.5, 2.0, 1.0, 4.0, 0.0, 0.0}},
                              book = {BOOK, TIGHT_LAW, FAST_LAW},
                              steep = {BOOK, {1e-4, 1.5, 1.0, 2.0, 2.0, 0.0, 0.0}, FAST_LAW};
    char claims[300];
#define SAVE(name, world, names, words) \
    do { \
        (void)snprintf(claims, sizeof claims, STATED, names, words); \
        save_world(name, world, claims); \
    } while (0)
    SAVE("a-product", &product, "dim-ddpm, dim-accelerated, kl-ddpm, ", "that");
    SAVE("book", &book, "dim-ddpm, dim-accelerated, kl-ddpm, ", "that");
    SAVE("other", &product, "eps-ddpm, ", "this");
    static const char print[] =
        "@ index %/all >%/log && awk -F' [|] ' '/^. [a-z]/ && $2 != \"claim\" {print substr($1, 3) \", \" $2 \": \" "
        "$3 \"; \" $6 \"; \" $7 \"; \" $9}' %/all/index.md";
    assert_prints(
        print,
        "a-product, dim-accelerated: supported, not tight; accelerated, planted by planted_tv (book); 1.000; 0.25\n"
        "a-product, dim-ddpm: supported; ddpm, planted by planted_tv (book); 1.000; 0.00\n"
        "a-product, kl-ddpm: supported; h: ddpm, planted by planted_kl (book); d <= 1: ddpm, planted (a-product); d "
        "<= 2: "
        "ddpm, planted by planted_kl (book); h: 2.000; d <= 1: 1.000; d <= 2: 2.000; 0.00\n"
        "a-product, own: supported; ddpm, planted by planted_tv (book); 1.000; 0.00\n"
        "other, eps-ddpm: supported, not tight; ddpm, planted; 0.800; 0.20\n"
        "other, own: supported, not tight; ddpm, planted; d: 0.500; h: 1.250; d: 0.50; h: 0.25\n");
    /* one that refutes it, and one in which nothing is measured */
    SAVE("steep", &steep, "dim-ddpm, ", "that");
    SAVE("then", &product, "dim-ddpm, ", "that");
    ck_assert_int_eq(shell("@ index %/all book steep then >%/log 2>&1"), 0);
    assert_prints("grep -c '| dim-ddpm | refuted | .* | ddpm, planted by planted_tv (steep) | 1.500 ' %/all/index.md",
                  "1\n");
    assert_prints("grep -c product %/all/index.md || true", "0\n");
    assert_exits("@ index %/all none 2>&1", 1, "no result none there");
}
