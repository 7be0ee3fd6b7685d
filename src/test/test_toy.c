/* Small worlds in which the sampler's chain itself is pushed forward: densities on a uniform grid, one Markov kernel
 * (theory (5)) after the other, by the trapezoid rule. Nothing is shared with the engine but the sampler's increment
 * and the schedule.
 *
 * The grid must resolve the last step's noise, sqrt(h (1 - alpha_bar_1)): with the c1 of real experiments that is
 * 1e-6 and a grid would need millions of points. The constants here keep it above 3e-3, so that every step of every
 * world can be made; MOST_POINTS guards that. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "law/divergence.h"
#include "law/law.h"

#include "test/suites.h"

enum { MOST_POINTS = 40000 };

#define REACH 11.0    /* of the grid, on either side */
#define STANDARDS 9.0 /* of the kernel, on either side */
/* The trapezoid rule needs 1.5 for a Gaussian (error 5e-20); between modes a step's map expands by as much as 3. */
#define POINTS_A_STANDARD 4.0

static double one[] = {1.0}, zero[] = {0.0}, half[] = {0.5};
static double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, narrow[] = {0.3, 0.3};
static double thirds[] = {0.2, 0.5, 0.3}, places[] = {-1.5, 0.0, 1.0}, widths[] = {0.2, 0.5, 0.3};

static const struct {
    const char *name;
    struct factor factor;
} targets[] = {{"gaussian", {1, one, zero, half}},
               {"bimodal", {2, even, modes, narrow}},
               {"skewed", {3, thirds, places, widths}}};
static const struct {
    const char *kind;
    double c0, c1;
} schedules[] = {{"li-cai", 1.0, 3.0}, {"li-cai", 2.0, 4.0}, {"li-yan", 2.0, 3.0}};
static const size_t steps[] = {40, 48, 64};
enum { TARGETS = 3, SCHEDULES = 3, STEPS = 3 };

/* Density and score of the target at a level, in absolute coordinates. */
static double density(const struct factor *factor, const struct level *level, double x, double *score)
{
    double total = 0.0, gradient = 0.0, largest = -HUGE_VAL;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < factor->components; k++) {
            double V = level->alpha_bar * factor->sd[k] * factor->sd[k] + level->noise;
            double u = x - sqrt(level->alpha_bar) * factor->mean[k];
            double exponent = log(factor->weight[k]) - 0.5 * log(2.0 * M_PI * V) - 0.5 * u * u / V;
            largest = pass == 0 ? fmax(largest, exponent) : largest;
            total += pass == 0 ? 0.0 : exp(exponent - largest);
            gradient -= pass == 0 ? 0.0 : exp(exponent - largest) * u / V;
        }
    *score = gradient / total;
    return total * exp(largest);
}

struct exact_score {
    struct score base;
    const struct factor *factor;
};

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        (void)density(((const struct exact_score *)score)->factor, level, x[i], &out[i]);
}

struct grid {
    size_t n;
    double spacing;
    double *value;
};

static struct grid grid_new(double spacing)
{
    struct grid grid = {2 * (size_t)ceil(REACH / spacing) + 1, spacing, NULL};
    ck_assert_msg(grid.n <= MOST_POINTS, "the grid would need %zu points", grid.n);
    grid.value = calloc(grid.n, sizeof *grid.value);
    ck_assert_ptr_nonnull(grid.value);
    return grid;
}

static double grid_x(const struct grid *grid, size_t i)
{
    return ((double)i - (double)(grid->n / 2)) * grid->spacing;
}

static double noise_sd(const struct sampler *sampler, const struct step *step)
{
    return sqrt(step->beta / step->alpha * exp(sampler->log_noise_ratio(step)));
}

/* q_{t-1}(y) = sum_x spacing q_t(x) N(y; (x + D(x))/sqrt(alpha), v) */
static void push(const struct sampler *sampler, const struct step *step, const struct factor *factor,
                 const struct grid *from, struct grid *to)
{
    struct exact_score score = {{evaluate}, factor};
    double sd = noise_sd(sampler, step), *x = calloc(from->n * (2 + sampler->work_arrays), sizeof *x),
           *D = x + from->n;
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < from->n; i++)
        x[i] = grid_x(from, i);
    sampler->increment(step, &score.base, from->n, x, D, D + from->n);
    for (size_t i = 0; i < from->n; i++) {
        double mass = from->value[i] * from->spacing / (sd * sqrt(2.0 * M_PI));
        if (mass < 1e-30)
            continue;
        double mean = (x[i] + D[i]) / sqrt(step->alpha), middle = (double)(to->n / 2);
        double first = fmax(ceil((mean - STANDARDS * sd) / to->spacing + middle), 0.0);
        double last = fmin(floor((mean + STANDARDS * sd) / to->spacing + middle), (double)to->n - 1.0);
        for (double j = first; j <= last; j += 1.0) {
            double z = ((j - middle) * to->spacing - mean) / sd;
            to->value[(size_t)j] += mass * exp(-0.5 * z * z);
        }
    }
    free(x);
}

/* The integral of |f| over a cell [0, 1] between the middle two of four values, by their cubic; signs change at most
 * once. */
static double absolute_integral(const double f[4])
{
    static const double node[3] = {-0.7745966692414834, 0.0, 0.7745966692414834},
                        weight[3] = {5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0};
    double c0 = f[1], c1 = -f[0] / 3.0 - f[1] / 2.0 + f[2] - f[3] / 6.0, c2 = 0.5 * f[0] - f[1] + 0.5 * f[2];
    double c3 = (f[3] - f[0]) / 6.0 + 0.5 * (f[1] - f[2]), low = 0.0, high = 1.0, total = 0.0;
    for (int i = 0; i < 60 && f[1] * f[2] < 0.0; i++) {
        double at = 0.5 * (low + high), value = c0 + at * (c1 + at * (c2 + at * c3));
        *((value < 0.0) == (f[1] < 0.0) ? &low : &high) = at;
    }
    double cut = f[1] * f[2] < 0.0 ? low : 1.0;
    for (int part = 0; part < 2; part++) {
        double from = part == 0 ? 0.0 : cut, length = part == 0 ? cut : 1.0 - cut, piece = 0.0;
        for (int j = 0; j < 3; j++) {
            double at = from + 0.5 * length * (1.0 + node[j]);
            piece += weight[j] * length * (c0 + at * (c1 + at * (c2 + at * c3)));
        }
        total += fabs(piece);
    }
    return total;
}

struct brute {
    double tv, mass, chi2;
};

static struct brute brute_force(const struct factor *factor, const struct sampler *sampler,
                                const struct schedule *schedule)
{
    struct step step = schedule_step(schedule, schedule->T);
    struct grid q = grid_new(fmin(noise_sd(sampler, &step), 0.3) / POINTS_A_STANDARD);
    for (size_t i = 0; i < q.n; i++)
        q.value[i] = exp(-0.5 * grid_x(&q, i) * grid_x(&q, i)) / sqrt(2.0 * M_PI);
    for (size_t t = schedule->T; t >= 2; t--) {
        step = schedule_step(schedule, t);
        /* the next grid resolves what the step leaves, what the next kernel does and, at the end, the kinks of |q -
         * p| */
        double sd = noise_sd(sampler, &step);
        if (t > 2) {
            struct step next = schedule_step(schedule, t - 1);
            sd = fmin(sd, noise_sd(sampler, &next));
        }
        struct grid to = grid_new(fmin(sd / POINTS_A_STANDARD, t > 2 ? 0.1 : 0.002));
        push(sampler, &step, factor, &q, &to);
        free(q.value);
        q = to;
    }
    struct level level = schedule_level(schedule, 1);
    struct brute brute = {0.0, 0.0, 0.0};
    double difference[4] = {0.0}, score;
    for (size_t i = 0; i < q.n; i++) {
        double p = density(factor, &level, grid_x(&q, i), &score);
        for (int k = 0; k < 3; k++)
            difference[k] = difference[k + 1];
        difference[3] = q.value[i] - p;
        brute.tv += 0.5 * q.spacing * (i >= 3 ? absolute_integral(difference) : 0.0);
        brute.mass += q.spacing * q.value[i];
        brute.chi2 += p > 1e-25 ? q.spacing * difference[3] * difference[3] / p : 0.0;
    }
    free(q.value);
    return brute;
}

/* All samplers of one world. */
START_TEST(test_world)
{
    size_t world = (size_t)_i, s = world / (TARGETS * STEPS), t = world / STEPS % TARGETS, n = world % STEPS;
    struct schedule *schedule;
    struct error error;
    const struct schedule_kind *kind = schedule_kind_find(schedules[s].kind);
    enum status status = schedule_new(kind, schedules[s].c0, schedules[s].c1, steps[n], &schedule, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    for (size_t i = 0; sampler_at(i) != NULL; i++) {
        const struct sampler *sampler = sampler_at(i);
        char where[200];
        (void)snprintf(where, sizeof where, "%s, %s, %s, T = %zu", targets[t].name, schedules[s].kind, sampler->name,
                       steps[n]);
        struct brute brute = brute_force(&targets[t].factor, sampler, schedule);
        struct law law;
        struct divergence divergence;
        status =
            law_compute(&(struct law_problem){.factor = &targets[t].factor, .sampler = sampler, .schedule = schedule},
                        &law, &error);
        ck_assert_msg(status == STATUS_OK, "%s", error.text);
        struct law_group group = {&law, 1.0};
        ck_assert_int_eq(divergence_measure(&group, 1, &divergence, &error), STATUS_OK);
        double tv = divergence.tv.value, chi2 = divergence.chi2_q_p.value;
        ck_assert_msg(fabs(brute.mass - 1.0) < 1e-12, "%s: the chain's mass is 1 %+.3g", where, brute.mass - 1.0);
        ck_assert_msg(fabs(law.mass_defect) <= 1e-10 + 1e-5 * tv, "%s: mass defect %.3g", where, law.mass_defect);
        ck_assert_msg(fabs(tv - brute.tv) <= 1e-6 * brute.tv, "%s: TV = %.12g +- %.3g, the chain's is %.12g", where,
                      tv, divergence.tv.error, brute.tv);
        ck_assert_msg(fabs(chi2 - brute.chi2) <= 1e-5 * brute.chi2 + divergence.chi2_q_p.error,
                      "%s: chi2 = %.12g +- %.3g, the chain's is %.12g", where, chi2, divergence.chi2_q_p.error,
                      brute.chi2);
        law_free(&law);
    }
    schedule_free(schedule);
}
END_TEST

/* The brute force itself, on a chain whose law is known: TV between N(0, V) and N(0, 2V). */
START_TEST(test_absolute_integral)
{
    enum { CELLS = 2000 };
    double total = 0.0, spacing = 16.0 / CELLS, crossing = sqrt(2.0 * log(2.0));
    for (int i = 0; i < CELLS; i++) {
        double f[4];
        for (int k = 0; k < 4; k++) {
            double x = -8.0 + spacing * (i + k - 1);
            f[k] = (exp(-0.25 * x * x) / sqrt(2.0) - exp(-0.5 * x * x)) / sqrt(2.0 * M_PI);
        }
        total += 0.5 * spacing * absolute_integral(f);
    }
    double exact = erf(crossing / sqrt(2.0)) - erf(crossing / 2.0);
    ck_assert_double_eq_tol(total, exact, 1e-8);
}
END_TEST

Suite *toy_suite(void)
{
    Suite *suite = suite_create("toy");
    TCase *cases = tcase_create("all of them");
    tcase_add_test(cases, test_absolute_integral);
    tcase_add_loop_test(cases, test_world, 0, SCHEDULES * TARGETS * STEPS);
    suite_add_tcase(suite, cases);
    return suite;
}
