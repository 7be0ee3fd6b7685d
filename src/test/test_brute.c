/* The brute force by itself: against closed forms, and against itself on twice as fine a grid. */
#include <math.h>

#include "law/integrals.h"
#include "law/law.h"
#include "test/brute_model.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(brute);

static double one[] = {1.0}, off[] = {0.4}, half[] = {0.5};
static const struct factor gaussian = {1, 1, one, off, half, NULL, NULL, NULL};
static double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, narrow[] = {0.3, 0.3};
static const struct factor bimodal = {1, 2, even, modes, narrow, NULL, NULL, NULL};

/* TV between N(0, 1) and N(0, 2). */
TEST(test_absolute_integral)
{
    enum { CELLS = 2000 };
    double total = 0.0, spacing = 16.0 / CELLS, crossing = sqrt(2.0 * log(2.0));
    for (int i = 0; i < CELLS; i++) {
        double f[4];
        for (int k = 0; k < 4; k++) {
            double x = -8.0 + spacing * (i + k - 1);
            f[k] = (exp(-0.25 * x * x) / sqrt(2.0) - exp(-0.5 * x * x)) / sqrt(2.0 * M_PI);
        }
        total += 0.5 * spacing * brute_absolute_integral(f);
    }
    double exact = erf(crossing / sqrt(2.0)) - erf(crossing / 2.0);
    ck_assert_double_eq_tol(total, exact, 1e-8);
}

struct gauss_law {
    double mean, variance;
};

static struct gauss_law marginal_at(const struct level *level)
{
    return (struct gauss_law){sqrt(level->alpha_bar) * off[0], level->alpha_bar * half[0] * half[0] + level->noise};
}

static struct gauss_law marginal(const struct schedule *schedule, size_t t)
{
    struct level level = schedule_level(schedule, t);
    return marginal_at(&level);
}

/* The score of N(m, V) with an error of uniform size: A, or A x/sqrt(m^2 + V). */
struct affine {
    struct score base;
    const struct brute_error *error;
};

static void affine_evaluate(const struct score *score, const struct level *level, size_t n, const double *x,
                            double *out)
{
    const struct brute_error *error = ((const struct affine *)score)->error;
    struct gauss_law p = marginal_at(level);
    double constant = p.mean / p.variance, slope = -1.0 / p.variance;
    if (error->shape != NULL && error->shape[0] == 'b')
        constant += error->size;
    else if (error->shape != NULL)
        slope += error->size / sqrt(p.mean * p.mean + p.variance);
    for (size_t i = 0; i < n; i++)
        out[i] = constant + slope * x[i];
}

static struct gauss_law propagate(const struct sampler *sampler, const struct schedule *schedule,
                                  const struct brute_error *error)
{
    struct gauss_law q = {0.0, 1.0};
    for (size_t t = schedule->T; t >= 2; t--) {
        struct step step = sampler_step(sampler, schedule, t);
        struct affine affine = {{.evaluate = affine_evaluate}, error};
        double x[2] = {0.0, 1.0}, D[2], work[8];
        ck_assert_uint_le(sampler->work_arrays, 4);
        sampler->increment(&step, &affine.base, 2, x, D, work);
        double gain = 1.0 + D[1] - D[0];
        if (sampler->log_noise_before != NULL)
            q.variance += step.beta * exp(sampler->log_noise_before(&step));
        q.mean = (gain * q.mean + D[0]) / sqrt(step.alpha);
        q.variance *= gain * gain / step.alpha;
        if (sampler->log_noise_ratio != NULL)
            q.variance += step.beta / step.alpha * exp(sampler->log_noise_ratio(&step));
    }
    return q;
}

/* Between the roots of (x - m_p)^2/V_p - (x - m_q)^2/V_q - log(V_q/V_p) = 0. */
static double gauss_tv(struct gauss_law p, struct gauss_law q)
{
    double a = 1.0 / p.variance - 1.0 / q.variance, b = q.mean / q.variance - p.mean / p.variance;
    double c = p.mean * p.mean / p.variance - q.mean * q.mean / q.variance - log(q.variance / p.variance);
    double large = -(b + copysign(sqrt(b * b - a * c), b)), x[2] = {large / a, c / large}, F[2];
    for (int i = 0; i < 2; i++) {
        F[i] = 0.5 * erf((x[i] - q.mean) / sqrt(2.0 * q.variance));
        F[i] -= 0.5 * erf((x[i] - p.mean) / sqrt(2.0 * p.variance));
    }
    return fabs(F[1] - F[0]);
}

static void check(const char *what, const struct sampler *sampler, const struct brute *brute, double tv, double chi2)
{
    ck_assert_msg(fabs(brute->tv - tv) <= 1e-10 * tv, "%s, %s: TV = %.14g, not %.14g", sampler->name,
                  what != NULL ? what : "exact score", brute->tv, tv);
    ck_assert_msg(fabs(brute->chi2 - chi2) <= 1e-8 * chi2, "%s, %s: chi2 = %.14g, not %.14g", sampler->name,
                  what != NULL ? what : "exact score", brute->chi2, chi2);
}

/* Samplers that draw nothing come first. */
static int without_draws(void)
{
    int count = 0;
    while (count < sampler_count() && sampler_at((size_t)count)->draws == 0)
        count++;
    return count;
}

/* Under affine errors a Gaussian stays one, whatever the sampler. */
TEST(test_closed_form, .count = 3 * without_draws())
{
    static const char *const shapes[] = {NULL, "bias", "linear"};
    const struct sampler *sampler = sampler_at((size_t)_i / 3);
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 48);
    struct brute_problem problem = {
        .factor = &gaussian,
        .sampler = sampler,
        .schedule = schedule,
        .error = {.shape = shapes[_i % 3], .profile = "uniform", .size = 0.05},
        .fineness = brute_fineness(sampler),
    };
    struct gauss_law q = propagate(sampler, schedule, &problem.error), p = marginal(schedule, 1);
    double tv = gauss_tv(p, q), gap = 2.0 * p.variance - q.variance, shift = q.mean - p.mean;
    double chi2 = expm1(shift * shift / gap + log(p.variance) - 0.5 * log(q.variance * gap));
    struct brute brute = brute_force(&problem);
    check(shapes[_i % 3], sampler, &brute, tv, chi2);
    if (sampler->correction != NULL) { /* by cells, as for maps that jump */
        problem.clip = 1e6;
        brute = brute_force(&problem);
        check("cells", sampler, &brute, tv, chi2);
    }
}

static const struct {
    struct brute_error error;
    double clip;
    const char *sampler;
} halved[] = {
    {{"wave", "relative", 0.05, 4.0, 0.0}, 0.0, "ddpm"},
    {{"wave", "relative", 0.05, 4.0, 0.0}, 0.0, "accelerated-sde-2024"},
    {{"wave", "relative", 0.05, 4.0, 0.0}, 0.0, "ddim"},
    {{"wave", "relative", 0.05, 4.0, 0.0}, 0.0, "pf-ode-2"},
    {{"wave", "uniform", 0.05, 16.0, 0.0}, 0.0, "accelerated"},
    {{"wave", "relative", 0.05, 4.0, 0.0}, 0.0, "accelerated-ode-2024"},
    {{"wave", "uniform", 0.05, 4.0, 0.0}, 0.0, "lagrange-4"},
    {{"wave", "uniform", 0.05, 4.0, 0.0}, 0.0, "randomised-midpoint"},
    {{"bump", "uniform", 0.05, 0.0, 0.05}, 0.0, "runge-kutta-3"},
    {{"bump", "uniform", 0.05, 0.0, 0.05}, 0.0, "accelerated"},
    {{"bump", "late", 0.05, 0.0, 0.05}, 0.0, "accelerated-sde-2024"},
    {{"sign", "early", 0.05, 0.0, 0.0}, 0.0, "accelerated"},
    {{NULL, NULL, 0.0, 0.0, 0.0}, 0.1, "accelerated"},
};

/* Where there is no closed form: a grid twice as fine changes nothing. Seen: 1e-9 of TV at most, from its kinks, and
 * 9e-10 of chi2. */
TEST(test_halving, .count = COUNT(halved))
{
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 32);
    struct brute_problem problem = {
        .factor = &bimodal,
        .sampler = sampler_find(halved[_i].sampler),
        .schedule = schedule,
        .error = halved[_i].error,
        .clip = halved[_i].clip,
        .fineness = brute_fineness(sampler_find(halved[_i].sampler)),
    };
    const char *shape = problem.error.shape != NULL ? problem.error.shape : "no error, clip";
    struct brute coarse = brute_force(&problem);
    problem.fineness *= 2.0;
    struct brute fine = brute_force(&problem);
    ck_assert_msg(fabs(coarse.tv - fine.tv) <= 1e-8 * fine.tv, "%s, %s: TV = %.14g or %.14g", problem.sampler->name,
                  shape, coarse.tv, fine.tv);
    ck_assert_msg(fabs(coarse.chi2 - fine.chi2) <= 1e-8 * fine.chi2, "%s, %s: chi2 = %.14g or %.14g",
                  problem.sampler->name, shape, coarse.chi2, fine.chi2);
}

/* Theory (27) at d = 16 with R = 1/5: the masses of the line engine's law beside those of the grid, for every
 * sampler. */
TEST(rare_mode_by_two_routes, .count = without_draws())
{
    static double weight[2] = {0.0, 0.0}, means[] = {0.0, 4.0}, sds[] = {1.0, 1.0};
    const struct sampler *sampler = sampler_at((size_t)_i);
    weight[1] = exp(-3.2);
    weight[0] = 1.0 - weight[1];
    const struct factor factor = {1, 2, weight, means, sds, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 48);
    const struct law_problem problem = {.factor = &factor, .sampler = sampler, .schedule = schedule};
    OWNED(law) law;
    ASSERT_OK(law_compute, &problem, &law);
    struct brute brute = brute_force(&(struct brute_problem){
        .factor = &factor, .sampler = sampler, .schedule = schedule, .fineness = brute_fineness(sampler)});
    const double tolerance = sampler->log_noise_ratio != NULL ? 1e-9 : 5e-6; /* points give the means of cells */
    struct measured exact[2];
    ASSERT_OK(law_mass_errors, &law, &factor, exact);
    for (size_t k = 0; k < 2; k++) {
        double found = brute.component[k] / weight[k] - 1.0;
        ck_assert_msg(fabs(found - exact[k].value) <= exact[k].error + tolerance,
                      "%s, component %zu: %.12g or %.12g +- %.1e", sampler->name, k + 1, found, exact[k].value,
                      exact[k].error);
    }
}
