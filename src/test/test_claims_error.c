/* Verdicts, tables and figures on planted score errors: effect = c size^a sqrt(log T) T^b d^g omega^r. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/figure_data.h"
#include "report/report.h"

#include "test/laws.h"
#include "test/planted.h"
#include "test/suite.h"

TEST_SUITE(claims_error);

enum { MOST_ROWS = 2000 };

struct planted_error {
    double size, steps, dimension; /* exponents */
    double rough, ode_rough;       /* in omega, of samplers with and without noise */
};

struct world {
    struct planted_error law;
    int sizes, dimensions, steps; /* how many of each, at most 3, 3, 4 */
    double vague;                 /* the relative radius of the roughest cells; 0: as small as the others */
    int missing;                  /* no records of the roughest errors under pf-ode-2 */
    int no_ode;
};

static const double sizes[] = {1e-2, 3e-3, 1e-3}, roughness[] = {0.5, 2.0, 8.0, 32.0};
static const size_t dimensions[] = {1, 4, 16}, steps[] = {64, 128, 256, 512};

static void add_row(struct record *rows, size_t *count, const char *sampler, const struct score_error *error,
                    size_t d, size_t T, double tv, double effect, double radius)
{
    ck_assert_uint_lt(*count, MOST_ROWS);
    struct record *row = &rows[(*count)++];
    *row = (struct record){.parameter = PLANTED_PARAMETERS,
                           .dimension = d,
                           .steps = T,
                           .step_size = li_cai_step_size(8.5, T),
                           .tv = tv,
                           .tv_error = 1e-9,
                           .error_effect = effect,
                           .error_effect_error = radius * effect};
    plant_names(row, sampler);
    plant_error(row, error);
}

/* Exact scores leave TV = 0.01; half of the effect is excess. */
static void plant(const struct world *world, const char *sampler, int deterministic, struct record *rows,
                  size_t *count)
{
    const struct planted_error *law = &world->law;
    struct score_error wave = make_error("wave", 0.0, 0.0, 0.0);
    wave.spread = SPREAD_ONE;
    for (int d = 0; d < world->dimensions; d++)
        for (int t = 0; t < world->steps; t++) {
            double T = (double)steps[t], D = (double)dimensions[d];
            add_row(rows, count, sampler, &(struct score_error){.shape = NULL}, dimensions[d], steps[t], 0.01, 0.0,
                    0.0);
            for (int s = 0; s < world->sizes; s++)
                for (int w = 0; w < 4; w++) {
                    double effect = 0.1 * pow(sizes[s], law->size) * sqrt(log(T)) * pow(T, law->steps)
                                    * pow(D, law->dimension)
                                    * pow(roughness[w], deterministic ? law->ode_rough : law->rough);
                    int vague = w == 3 && world->vague > 0.0;
                    wave.size = sizes[s];
                    set_error_param(&wave, "roughness", roughness[w]);
                    if (!(deterministic && world->missing && w == 3))
                        add_row(rows, count, sampler, &wave, dimensions[d], steps[t], 0.01 + 0.5 * effect, effect,
                                vague ? world->vague : 1e-9);
                }
        }
}

/* "[a, b]" of the first `count` numbers. */
static const char *list(char *text, size_t room, const double *values, const size_t *counts, int count)
{
    size_t used = 0;
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%g", i > 0 ? ", " : "[",
                                 values != NULL ? values[i] : (double)counts[i]);
    (void)snprintf(text + used, room - used, "]");
    return text;
}

static void make_evidence(const struct world *world, struct evidence *evidence)
{
    static struct record rows[MOST_ROWS];
    char text[1000], a[100], b[100], c[100];
    size_t count = 0;
    plant(world, "ddpm", 0, rows, &count);
    plant(world, "accelerated", 0, rows, &count);
    if (!world->no_ode)
        plant(world, "pf-ode-2", 1, rows, &count);
    (void)snprintf(text, sizeof text,
                   "targets: [{name: planted, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm, accelerated%s]\n"
                   "dimensions: %s\nsteps: %s\n"
                   "score_errors: [{shape: wave, size: %s, roughness: [0.5, 2, 8, 32], spread: one}]\n",
                   world->no_ode ? "" : ", pf-ode-2", list(a, sizeof a, NULL, dimensions, world->dimensions),
                   list(b, sizeof b, NULL, steps, world->steps), list(c, sizeof c, sizes, NULL, world->sizes));
    planted_read_back(text, rows, count, evidence);
}

#define LINEAR "score-linear"
#define ROUGH "score-rough"
#define ODE "ode-rough"

static const struct {
    const char *name;
    struct world world;
    struct expected expected[4];
} cases[] = {
    {"as claimed",
     {{1, 0, 0, 0, 0.5}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_SUPPORTED, 1.0, "largest C 0.1, largest excess TV/(eps sqrt(log T)) 0.05", "supported"},
      {ROUGH, OUTCOME_SUPPORTED, 0.0, "wave one", "supported"},
      {ODE, OUTCOME_SUPPORTED, 0.5, "pf-ode-2", "supported"}}},
    {"less than linear",
     {{0.8, 0, 0, 0, 1}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_REFUTED, 0.8, "wave roughness=", "refuted"}}},
    {"quadratic",
     {{2, 0, 0, 0, 1}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_NOT_TIGHT, 2.0, NULL, "supported, not tight (slack 1.00)"},
      {ODE, OUTCOME_SUPPORTED, 1.0, NULL, "supported"}}},
    {"C grows in T",
     {{1, 0.3, 0, 0, 0.5}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_REFUTED, 1.0, "C grows in T by at most 0.300", "refuted"}}},
    {"C falls in T and d",
     {{1, -0.3, -0.7, 0, 0.5}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_SUPPORTED, 1.0, "C grows in d by at most -0.700", "supported"}}},
    {"C grows in d",
     {{1, 0, 0.3, 0, 0.5}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_REFUTED, 1.0, "C grows in d by at most 0.300", "refuted"}}},
    {"rough errors hurt",
     {{1, 0, 0, 0.3, 0.3}, 3, 3, 4, 0, 0, 0},
     {{ROUGH, OUTCOME_REFUTED, 0.3, NULL, "refuted"},
      {LINEAR, OUTCOME_SUPPORTED, 1.0, NULL, NULL},
      {ODE, OUTCOME_SUPPORTED, 0.3, NULL, NULL}}},
    {"rough errors are harmless",
     {{1, 0, 0, -0.5, 0}, 3, 3, 4, 0, 0, 0},
     {{ROUGH, OUTCOME_NOT_TIGHT, -0.5, NULL, "supported, not tight (slack 0.50)"},
      {ODE, OUTCOME_REFUTED, 0.0, NULL, "refuted"}}},
    {"two sizes",
     {{1, 0, 0, 0, 0.5}, 2, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_INCONCLUSIVE, NAN, "enough sizes in the window; add sizes", "inconclusive"},
      {ROUGH, OUTCOME_SUPPORTED, 0.0, NULL, NULL}}},
    {"two T",
     {{1, 0, 0, 0, 0.5}, 3, 3, 2, 0, 0, 0},
     {{LINEAR, OUTCOME_INCONCLUSIVE, 1.0, "growth in T not measured; add steps", "inconclusive"}}},
    {"two T and less than linear",
     {{0.8, 0, 0, 0, 0.5}, 3, 3, 2, 0, 0, 0},
     {{LINEAR, OUTCOME_REFUTED, 0.8, "growth in T not measured", "refuted"}}},
    {"one dimension",
     {{1, 0, 0, 0, 0.5}, 3, 1, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_SUPPORTED, 1.0, "C grows in T", "supported"}}},
    {"roughest unresolved",
     {{1, 0, 0, 0, 0.5}, 3, 3, 4, 0.5, 0, 0},
     {{LINEAR, OUTCOME_SUPPORTED, 1.0, "72 cells unresolved, where C <= 0.15", NULL},
      {ROUGH, OUTCOME_SUPPORTED, 0.0, "72 cells unresolved", NULL}}},
    {"roughest missing",
     {{1, 0, 0, 0, 0.5}, 3, 3, 4, 0, 1, 0},
     {{ODE, OUTCOME_SUPPORTED, 0.5, "36 cells missing where the error folds the map", NULL}}},
    {"too large effects",
     {{0, 0, 0, 0, 0.5}, 3, 3, 4, 0, 0, 0},
     {{LINEAR, OUTCOME_INCONCLUSIVE, NAN, "unresolved", NULL},
      {ROUGH, OUTCOME_INCONCLUSIVE, NAN, "window; add roughnesses", NULL}}},
    {"no deterministic sampler",
     {{1, 0, 0, 0, 0.5}, 3, 3, 4, 0, 0, 1},
     {{LINEAR, OUTCOME_SUPPORTED, 1.0, NULL, NULL}, {ROUGH, OUTCOME_SUPPORTED, 0.0, NULL, NULL}}},
};

TEST(test_score_error_verdicts, .count = COUNT(cases))
{
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    make_evidence(&cases[_i].world, &evidence);
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    /* kl-ddpm always applies, what needs accuracies does not, and ode-rough only with a deterministic sampler */
    ck_assert_uint_eq(count, cases[_i].world.no_ode ? 6 : 8);
    planted_check(cases[_i].name, findings, count, cases[_i].expected, 1e-6);
    for (const struct expected *e = cases[_i].expected; e->claim != NULL; e++)
        ck_assert_int_eq(planted_find(findings, count, e->claim, "planted")->measured, !isnan(e->value));
    findings_free(findings, count);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static const struct {
    const struct figure_source *source;
    size_t points;
    const char *vars, *row;
} figures_of[] = {
    /* 3 samplers and 4 roughnesses; of sizes with as many cells the largest */
    {&figure_roughness, 12, "title_1 = 'planted, size 0.01'", "\tpf-ode-2\t2\t0.1"},
    {&figure_roughness, 12, "key_1_3 = 'pf-ode-2   ω^{0.250±0.000}'", "\t1\tddpm\t0.5\t0.1"},
    /* 3 samplers and 3 sizes of the least rough error, and a guide of two rows */
    {&figure_score_error, 9, "kind_1_1 = 'wave roughness=0.5 one'\n", "guide\tplanted\t1\tslope 1\t0.001\t"},
    {&figure_score_error, 9, "kinds = 1\nmore = 3\nwhere = '{/:Italic d} = 1, {/:Italic T} = 512'\n",
     "\tpf-ode-2, wave roughness=0.5 one\t0.01\t"},
    /* 3 samplers and 4 T */
    {&figure_error_constant, 12, "kind_1_1 = 'wave roughness=0.5 one, size 0.01'\n",
     "\taccelerated, wave roughness=0.5 one\t128\t0.1\n"},
    {&figure_error_constant, 12, "deterministic = '0 0 1'\n", "\tddpm, wave roughness=0.5 one\t64\t0.1\n"},
};

TEST(test_figure_data, .count = COUNT(figures_of))
{
    const struct world world = {{1, 0, 0, 0, 0.25}, 3, 3, 4, 0, 0, 0};
    OWNED(evidence) evidence;
    FREED char *table = NULL, *vars = NULL;
    size_t table_length, vars_length;
    make_evidence(&world, &evidence);
    struct sheet sheet = {.table = open_memstream(&table, &table_length),
                          .vars = open_memstream(&vars, &vars_length)};
    ck_assert(sheet.table != NULL && sheet.vars != NULL);
    ASSERT_OK(figure_collect, figures_of[_i].source, &evidence, &sheet);
    ck_assert_int_eq(fclose(sheet.table), 0);
    ck_assert_int_eq(fclose(sheet.vars), 0);
    ck_assert_uint_eq(sheet.panels, 1);
    ck_assert_uint_eq(sheet.points, figures_of[_i].points);
    ck_assert_uint_eq(occurrences(table, "\tmeasured\t"), figures_of[_i].points);
    ck_assert_msg(strstr(vars, figures_of[_i].vars) != NULL, "no %s in:\n%s", figures_of[_i].vars, vars);
    ck_assert_msg(strstr(table, figures_of[_i].row) != NULL, "no %s in:\n%s", figures_of[_i].row, table);
}

TEST(test_score_error_table)
{
    const struct world world = {{1, 0, 0, 0, 0.5}, 3, 3, 4, 0.5, 1, 0};
    OWNED(evidence) evidence;
    make_evidence(&world, &evidence);
    FREED char *text = planted_markdown(&evidence);
    ASSERT_SAYS(text, "\n## Score errors\n", "\nScore errors: the effect is");
    ck_assert_uint_eq(occurrences(text, "| planted | ddpm | wave roughness="), 4);
    ck_assert_ptr_nonnull(strstr(
        text, "| planted | ddpm | wave roughness=2 one | 1.000 | - | 0.000 | 0.000 | 0.1 | 0.05 | 36 / 0 / 0 |"));
    ASSERT_SAYS(text, "| planted | ddpm | wave roughness=32 one | - | - | - | - | - | - | 0 / 36 / 0 |");
    ck_assert_ptr_nonnull(
        strstr(text, "| planted | pf-ode-2 | wave roughness=32 one | - | - | - | - | - | - | 0 / 0 / 36 |"));
    ASSERT_SAYS(text, "\n36 cells are missing");
    ASSERT_OMITS(text, "Speed-up", "clipping");
}

/* TV with and without a clip under a bump at T = 64, 128, 256, and what the report says of it. */
static const struct {
    double with[3], without[3], probability[3];
    size_t listed;
    const char *sentence;
} clips[] = {
    {{0.01, 0.02, 0.03},
     {0.01, 0.02, 0.03},
     {0, 1e-20, 0},
     0,
     "\nClipping changed TV beyond the radii in none of 6 cells. Not listed: 6 cells"},
    {{0.01, 0.02, 0.03},
     {0.01, 0.02, 0.03},
     {0, 1e-5, 0},
     1,
     "\nClipping changed TV beyond the radii in none of 6 cells. Not listed: 5 cells"},
    {{0.01, 0.02, 0.03},
     {0.04, 0.02, 0.05},
     {0, 0, 0},
     2,
     "\nClipping changed TV beyond the radii in 2 of 6 cells: it lowered it in 2, by 3.00e-02 ± 2.0e-09 at most "
     "(planted, score error bump 0.01 probability=0.001 all, d = 1, T = 64), and raised it in none. Not listed: 4 "
     "cells"},
    {{0.01, 0.025, 0.03},
     {0.01, 0.02, 0.04},
     {0, 0, 0},
     2,
     "in 2 of 6 cells: it lowered it in 1, by 1.00e-02 ± 2.0e-09 at most (planted, score error bump 0.01 "
     "probability=0.001 "
     "all, "
     "d = 1, T = 256), and raised it in 1, by 5.00e-03 ± 2.0e-09 at most (planted, score error bump 0.01 "
     "probability=0.001 "
     "all, "
     "d = 1, T = 128)."},
};

TEST(test_clipping_table, .count = COUNT(clips))
{
    static const char text[] = "targets: [{name: planted, kind: gaussian, variance: 0.25}]\n"
                               "samplers: [accelerated, accelerated-unclipped]\ndimensions: [1]\n"
                               "steps: [64, 128, 256]\n"
                               "score_errors: [{shape: bump, size: 0.01, probability: 0.001}]\n";
    const struct score_error bump = make_error("bump", 0.01, 0.0, 0.001);
    struct record rows[12];
    OWNED(evidence) evidence;
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        add_row(rows, &count, "accelerated", &(struct score_error){.shape = NULL}, 1, steps[i], 0.01, 0.0, 0.0);
        add_row(rows, &count, "accelerated-unclipped", &(struct score_error){.shape = NULL}, 1, steps[i], 0.01, 0.0,
                0.0);
        add_row(rows, &count, "accelerated", &bump, 1, steps[i], clips[_i].with[i], 1e-3, 1e-9);
        rows[count - 1].clip_probability = clips[_i].probability[i];
        add_row(rows, &count, "accelerated-unclipped", &bump, 1, steps[i], clips[_i].without[i], 1e-3, 1e-9);
    }
    planted_read_back(text, rows, count, &evidence);
    FREED char *report = planted_markdown(&evidence);
    ASSERT_SAYS(report, "\n## What clipping buys\n");
    ASSERT_OMITS(report, "Exponents of every sampler"); /* there are none */
    ck_assert_uint_eq(occurrences(report, "| planted | bump 0.01 probability=0.001 all | 1 |"), clips[_i].listed);
    ck_assert_msg(strstr(report, clips[_i].sentence) != NULL, "%s", report);
}
