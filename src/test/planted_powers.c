#include "test/planted_powers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/laws.h"
#include "test/planted.h"
#include "test/suite.h"

#define C1 8.5

enum { MOST_ROWS = 6000 };

const size_t planted_dimensions[PLANTED_DIMENSIONS] = {1, 2, 4, 8};
const double planted_accuracies[PLANTED_ACCURACIES] = {0.05, 0.03, 0.02, 0.01, 0.006, 0.004, 0.002, 0.001};
static const double few_accuracies[] = {0.05, 0.02};
static const char full_text[] = "accuracies: [0.05, 0.03, 0.02, 0.01, 0.006, 0.004, 0.002, 0.001]\n";
static const char few_text[] = "accuracies: [0.05, 0.02]\n";

double power_tv(const struct power_law *law, double d, size_t T)
{
    const double constant = law->constant * pow(d, law->power_d) * (1.0 + law->next_in_d / d);
    return fmin(fmax(constant * pow(li_cai_step_size(C1, T), law->power_h), law->floor), 1.0);
}

size_t power_steps(const struct power_law *law, double d, double accuracy)
{
    size_t fails = 29, passes = PLANTED_LARGEST + 1;
    while (passes - fails > 1) {
        size_t middle = fails + (passes - fails) / 2;
        *(power_tv(law, d, middle) <= accuracy ? &passes : &fails) = middle;
    }
    return passes;
}

struct record power_row(const struct power_law *law, const char *sampler, size_t d, size_t T)
{
    const double h = li_cai_step_size(C1, T), most = power_tv(law, (double)d, T);
    struct record row = {.parameter = PLANTED_PARAMETERS, .dimension = d, .steps = T, .step_size = h};
    plant_names(&row, sampler);
    row.tv = most * (1.0 - law->unsure);
    row.tv_error = law->unsure > 0.0 ? most * law->unsure : 1e-9 * most;
    row.kl_p_q = 0.1 * pow((double)d, law->kl_power_d) * pow(h, law->kl_power_h);
    row.kl_p_q_error = 1e-9 * row.kl_p_q;
    row.w2 = 0.1 * sqrt((double)d) * pow(h, 1.5);
    row.w2_error = 1e-9 * row.w2;
    return row;
}

static void add_row(struct record *rows, size_t *count, const struct power_law *law, const char *sampler, size_t d,
                    size_t T)
{
    for (size_t i = 0; i < *count; i++)
        if (rows[i].steps == T && rows[i].dimension == d && strcmp(rows[i].sampler, sampler) == 0)
            return;
    ck_assert_uint_lt(*count, MOST_ROWS);
    rows[(*count)++] = power_row(law, sampler, d, T);
}

/* From the largest T down, as evidence has to sort them. */
static void plant(struct record *rows, size_t *count, const struct power_law *law, const char *sampler,
                  const double *accuracies, size_t accuracy_count)
{
    for (size_t d = 0; d < PLANTED_DIMENSIONS; d++) {
        for (size_t T = PLANTED_LARGEST; T >= 64; T /= 2)
            add_row(rows, count, law, sampler, planted_dimensions[d], T);
        for (size_t e = 0; e < accuracy_count; e++) {
            size_t T = power_steps(law, (double)planted_dimensions[d], accuracies[e]);
            if (T <= 64 || T > PLANTED_LARGEST)
                continue;
            add_row(rows, count, law, sampler, planted_dimensions[d], T);
            add_row(rows, count, law, sampler, planted_dimensions[d], T - 1);
        }
    }
}

void power_evidence(const struct power_world *world, const char *claims, struct evidence *evidence)
{
    static struct record rows[MOST_ROWS];
    char text[1000];
    size_t count = 0, accuracy_count = world->few ? 2 : PLANTED_ACCURACIES;
    const double *accuracies = world->few ? few_accuracies : planted_accuracies;
    plant(rows, &count, &world->ddpm, "ddpm", accuracies, accuracy_count);
    if (!world->no_accelerated)
        plant(rows, &count, &world->accelerated, "accelerated", accuracies, accuracy_count);
    (void)snprintf(text, sizeof text,
                   "schedule: {kind: li-cai, c0: 2.0, c1: 8.5}\n"
                   "targets: [{name: planted, kind: gaussian, variance: 0.25}]\n"
                   "samplers: [%s]\ndimensions: [1, 2, 4, 8]\nmax_steps: 65536\n%s%s",
                   world->no_accelerated ? "ddpm" : "ddpm, accelerated", world->few ? few_text : full_text,
                   claims != NULL ? claims : "");
    planted_read_back(text, rows, count, evidence);
}
