/* The closed-form engine against a plain long double recursion of mean and variance with the samplers' formulas as
 * printed (theory (5)-(9)), and the divergences against their closed forms for two Gaussians. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "law/divergence.h"
#include "law/law.h"

#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(gaussian);

struct closed_case {
    const char *schedule;
    double c0, c1;
    size_t T;
    double mean, variance;
};

static const struct closed_case closed_cases[] = {
    {"li-cai", 2.0, 8.5, 64, 0.0, 0.25},    {"li-cai", 2.0, 8.5, 512, 0.0, 0.25},
    {"li-cai", 2.0, 8.5, 4096, 0.0, 0.25},  {"li-cai", 2.0, 8.5, 256, 1.5, 0.25},
    {"li-cai", 1.0, 6.0, 128, -4.0, 2.0},   {"li-cai", 2.0, 8.5, 256, 0.0, 1.0},
    {"li-cai", 2.0, 8.5, 128, 0.0, 9.0},    {"li-cai", 2.0, 8.5, 256, 0.0, 0.0},
    {"li-cai", 2.0, 8.5, 2048, 0.7, 0.0},   {"li-cai", 0.5, 3.0, 64, 2.0, 0.1},
    {"li-cai", 2.0, 12.0, 16384, 0.0, 0.5}, {"li-yan", 2.0, 8.0, 512, 0.0, 0.25},
    {"li-yan", 2.0, 8.0, 128, 1.0, 3.0},    {"li-yan", 2.0, 8.0, 2048, 0.3, 0.0},
    {"li-yan", 1.0, 3.0, 32, -1.0, 0.5},
};
enum { CASES = COUNT(closed_cases), MOST_STEPS = 16384 };

static const char *const samplers[] = {
    "ddpm", "ddpm-outside", "ddpm-ancestral", "accelerated", "sde-dpm-solver-2m", "dpm-solver-2m", "ddim"};
enum { DDPM, OUTSIDE, ANCESTRAL, ACCELERATED, SDE_DPM, DPM, SAMPLERS, DDIM = SAMPLERS };

/* In units of the law of X_1: q_1 = N(m, 1 + rho). */
struct exact_law {
    long double m, rho, log_variance; /* the last is log(1 + rho), digits kept */
};

static struct exact_law exact_law(const struct closed_case *c, int sampler)
{
    static long double a[MOST_STEPS + 1], o[MOST_STEPS + 1], beta[MOST_STEPS + 1];
    size_t T = c->T;
    long double h = c->c1 * log((double)T) / (double)T;
    if (strcmp(c->schedule, "li-cai") == 0) {
        a[T] = powl((long double)T, -(long double)c->c0);
        o[T] = 1.0L - a[T];
        for (size_t t = T; t >= 2; t--) {
            beta[t] = h * o[t] / (1.0L + h * o[t]);
            a[t - 1] = a[t] * (1.0L + h * o[t]);
            o[t - 1] = o[t] * (1.0L - h * a[t]);
        }
    } else {
        long double grown = powl((long double)T, -(long double)c->c0);
        for (size_t t = 1; t <= T; t++, grown *= 1.0L + h) {
            beta[t] = t == 1 ? grown : h * fminl(grown, 1.0L);
            a[t] = (t == 1 ? 1.0L : a[t - 1]) * (1.0L - beta[t]);
            o[t] = t == 1 ? beta[1] : o[t - 1] + a[t - 1] * beta[t];
        }
    }
    long double mean = 0.0L, variance = 1.0L;                         /* of Y_t; the mean relative to that of X_t */
    long double kept = 0.0L, covariance = 0.0L, kept_variance = 0.0L; /* of the data prediction of the step before */
    mean = -sqrtl(a[T]) * c->mean;
    for (size_t t = T; t >= 2; t--) {
        long double alpha = 1.0L - beta[t], slope = -1.0L / (a[t] * c->variance + o[t]), b, v;
        v = sampler == DDPM      ? beta[t] / alpha
            : sampler == OUTSIDE ? beta[t]
            : sampler == DDIM    ? 0.0L
                                 : beta[t] * o[t - 1] / o[t];
        if (sampler == DPM || sampler == SDE_DPM) {
            /* Y = f x + g (x0 + k (x0 - kept)) + noise with x0 = B x, by the paper's formula */
            long double n = sampler == DPM ? 0.0L : 1.0L, H = logl(o[t] * a[t - 1] / (o[t - 1] * a[t])) / 2.0L;
            long double f = sqrtl(o[t - 1] / o[t]) * expl(-n * H), g = -sqrtl(a[t - 1]) * expm1l(-(n + 1.0L) * H);
            long double B = sqrtl(a[t]) * c->variance / (a[t] * c->variance + o[t]), k = 0.0L;
            if (t < T)
                k = H / logl(o[t + 1] * a[t] / (o[t] * a[t + 1]));
            long double own = f + g * (1.0L + k) * B, other = -g * k, x0 = B * mean, x0_variance = B * B * variance;
            long double with = B * (own * variance + other * covariance);
            mean = own * mean + other * kept;
            variance = own * own * variance + 2.0L * own * other * covariance + other * other * kept_variance
                       - n * o[t - 1] * expm1l(-2.0L * H);
            kept = x0;
            covariance = with;
            kept_variance = x0_variance;
            continue;
        }
        if (sampler != ACCELERATED)
            b = (sampler == DDIM ? 0.5L : 1.0L) * beta[t] * slope;
        else {
            long double slope_1 = -1.0L / (a[t - 1] * c->variance + o[t - 1]), omega = beta[t] / o[t];
            long double s0 = sqrtl(o[t] / a[t]), s1 = sqrtl(o[t - 1] / a[t - 1]), s2 = (1.0L - omega) * s0;
            long double e0 = -sqrtl(o[t]) * slope, between = (1.0L + sqrtl(a[t]) * (s1 - s0) * e0) / sqrtl(alpha);
            long double e1 = -sqrtl(o[t - 1]) * slope_1 * between;
            b = sqrtl(a[t]) * ((s2 - s0) * e0 + (s2 - s0) * (s2 - s0) / (2.0L * (s1 - s0)) * (e1 - e0));
        }
        mean = mean * (1.0L + b) / sqrtl(alpha);
        variance = variance * (1.0L + b) * (1.0L + b) / alpha + v;
    }
    long double V = a[1] * c->variance + o[1];
    return (struct exact_law){mean / sqrtl(V), variance / V - 1.0L, logl(variance / V)};
}

static void compute(const struct closed_case *c, int sampler, struct law *law)
{
    static double weight, mean, sd; /* the law keeps pointing to them */
    static struct factor factor = {1, 1, &weight, &mean, &sd, NULL, NULL, NULL};
    struct error error;
    weight = 1.0;
    mean = c->mean;
    sd = sqrt(c->variance);
    OWNED_SCHEDULE *schedule = make_schedule(c->schedule, c->c0, c->c1, c->T);
    enum status status = law_compute(
        &(struct law_problem){.factor = &factor, .sampler = sampler_find(samplers[sampler]), .schedule = schedule},
        law, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    ck_assert_str_eq(law->engine->name, "gaussian");
}

static void within(struct measured measured, long double exact, const char *what)
{
    ck_assert(measured.error > 0.0);
    /* what the long double recursion itself leaves: 1e-16 of the law */
    ck_assert_msg(fabsl(measured.value - exact) <= measured.error + 1e-10L * fabsl(exact),
                  "%s is %.15g +- %.3g, not %.15Lg", what, measured.value, measured.error, exact);
}

static long double normal(long double x)
{
    return 0.5L * erfcl(-x / sqrtl(2.0L));
}

/* TV between N(0, 1) and N(m, v), v = 1 + rho: their densities cross where rho w^2 + 2 m w = m^2 + v log v. */
static long double exact_tv(struct exact_law q)
{
    long double v = expl(q.log_variance), s = sqrtl(v), constant = q.m * q.m + v * q.log_variance;
    if (fabsl(q.rho) < 1e-17L)
        return fabsl(erfl(fabsl(q.m) / (2.0L * sqrtl(2.0L))));
    long double root = s * sqrtl(q.m * q.m + q.rho * q.log_variance), larger = -(q.m + copysignl(root, q.m));
    long double w1 = larger / q.rho, w2 = -constant / larger;
    long double low = fminl(w1, w2), high = fmaxl(w1, w2);
    long double p = normal(high) - normal(low), in_q = normal((high - q.m) / s) - normal((low - q.m) / s);
    return fabsl(p - in_q);
}

/* x - log(1 + x) without cancellation */
static long double minus_log(long double x)
{
    if (fabsl(x) > 0.01L)
        return x - log1pl(x);
    long double total = 0.0L, power = x * x;
    for (int k = 2; k < 14; k++, power *= -x)
        total += power / k;
    return total;
}

TEST(test_closed_form, .count = CASES)
{
    const struct closed_case *c = &closed_cases[_i];
    for (int sampler = 0; sampler < SAMPLERS; sampler++) {
        struct exact_law q = exact_law(c, sampler);
        OWNED(law) law;
        struct divergence divergence;
        compute(c, sampler, &law);
        ck_assert(law.error_l1 > 0.0 && law.error_l2 > 0.0 && law.error_l1 < 1e-9);
        ck_assert_msg(fabs(law.mass_defect) < 1e-13, "mass defect %g", law.mass_defect);

        double sd = law.target.sd[0], x[7], value[7];
        size_t hint = 0;
        for (int i = 0; i < 7; i++)
            x[i] = sd * (i - 3) * 1.5;
        panels_evaluate(&law.log_ratio, &law.target, 0, 7, x, value, &hint);
        for (int i = 0; i < 7; i++) {
            long double w = x[i] / sd;
            long double exact =
                -0.5L * log1pl(q.rho) + (q.rho * w * w + 2.0L * q.m * w - q.m * q.m) / (2.0L * (1.0L + q.rho));
            long double allowed = 1e-11L * fabsl(exact) + 30.0L * (law.error_l1 + 1e-15L);
            ck_assert_msg(fabsl(value[i] - exact) <= allowed, "%s, w = %Lg: log r = %.15g, not %.15Lg",
                          samplers[sampler], w, value[i], exact);
        }

        divergence = divergences_of(&law, 1.0);
        long double square = q.m * q.m;
        within(divergence.tv, exact_tv(q), "TV");
        within(divergence.kl_p_q, 0.5L * (minus_log(-q.rho / (1.0L + q.rho)) + square / (1.0L + q.rho)), "KL(p|q)");
        within(divergence.kl_q_p, 0.5L * (minus_log(q.rho) + square), "KL(q|p)");
        if (q.rho < 1.0L)
            within(divergence.chi2_q_p, expm1l(-0.5L * log1pl(-q.rho * q.rho) + square / (1.0L - q.rho)), "chi2");
        long double part = q.rho / (2.0L + q.rho);
        within(divergence.hellinger2, -expm1l(0.25L * log1pl(-part * part) - square / (4.0L * (2.0L + q.rho))),
               "Hellinger");
    }
}

static void sharp(struct measured measured, const char *what, const char *sampler)
{
    ck_assert_msg(measured.error <= 1e-4 * measured.value, "%s: %s is %g +- %g: the radius says nothing", sampler,
                  what, measured.value, measured.error);
}

/* Where q is near p, a closed form has radii near rounding; exponents are fitted only to values with radii below
 * 1e-3. */
TEST(test_sharp_radii, .count = SAMPLERS)
{
    struct closed_case near = {"li-cai", 2.0, 8.5, 2048, 0.0, 0.25};
    OWNED(law) law;
    struct divergence divergence;
    compute(&near, _i, &law);
    divergence = divergences_of(&law, 1.0);
    sharp(divergence.tv, "TV", samplers[_i]);
    sharp(divergence.kl_p_q, "KL(p|q)", samplers[_i]);
    sharp(divergence.kl_q_p, "KL(q|p)", samplers[_i]);
    sharp(divergence.chi2_q_p, "chi2", samplers[_i]);
    sharp(divergence.hellinger2, "Hellinger", samplers[_i]);
}

/* Narrow and wide, near and far, by few steps and many: each divergence within a radius of a thousandth, or infinite
 * where it is, or above the largest double. */
static void on_the_grid(struct measured measured, long double exact, long double most, const char *what,
                        const struct closed_case *c, const char *sampler)
{
    char where[100];
    (void)snprintf(where, sizeof where, "%s under %s, T = %zu, N(%g, %g)", what, sampler, c->T, c->mean, c->variance);
    if (isinf(exact)) {
        ck_assert_msg(isinf(measured.value) && !(measured.error > 0.0), "%s: %g", where, measured.value);
        return;
    }
    if (exact > DBL_MAX) {
        ck_assert_msg(isinf(measured.value) && isinf(measured.error), "%s: %g", where, measured.value);
        return;
    }
    ck_assert_msg(measured.value >= 0.0 && measured.value - measured.error >= 0.0
                      && measured.value + measured.error <= most,
                  "%s is %g +- %g", where, measured.value, measured.error);
    ck_assert_msg(measured.error >= 0x1p-53 * measured.value && measured.error <= fmax(1e-3 * measured.value, 1e-14),
                  "%s is %g +- %g", where, measured.value, measured.error);
    /* 1e-17: what the normal distribution function in long double leaves of a small TV */
    ck_assert_msg(fabsl(measured.value - exact) <= measured.error + 1e-12L * exact + 1e-17L,
                  "%s is %.17g +- %.3g, not %.20Lg", where, measured.value, measured.error, exact);
}

static void all_on_the_grid(const struct closed_case *c, int sampler)
{
    struct exact_law q = exact_law(c, sampler);
    OWNED(law) law;
    struct divergence d;
    long double square = q.m * q.m, v = expl(q.log_variance);
    if (fabsl(q.rho) > 0.5L)
        q.rho = v - 1.0L;
    compute(c, sampler, &law);
    d = divergences_of(&law, 1.0);
    const char *name = samplers[sampler];
    on_the_grid(d.tv, exact_tv(q), 1.0L, "TV", c, name);
    long double minus_log_v = fabsl(q.rho) > 0.01L ? q.rho - q.log_variance : minus_log(q.rho);
    long double inverse = -q.rho / v;
    long double minus_log_inverse = fabsl(q.rho) > 0.01L ? inverse + q.log_variance : minus_log(inverse);
    on_the_grid(d.kl_p_q, 0.5L * (minus_log_inverse + square / v), HUGE_VALL, "KL(p|q)", c, name);
    on_the_grid(d.kl_q_p, 0.5L * (minus_log_v + square), HUGE_VALL, "KL(q|p)", c, name);
    long double log_chi2 =
        q.rho < 1.0L ? square / (1.0L - q.rho) - 0.5L * (log1pl(-q.rho) + q.log_variance) : HUGE_VALL;
    if (fabsl(q.rho) < 0.01L)
        log_chi2 = square / (1.0L - q.rho) - 0.5L * log1pl(-q.rho * q.rho);
    on_the_grid(d.chi2_q_p, expm1l(log_chi2), HUGE_VALL, "chi2", c, name);
    long double half = sinhl(0.25L * q.log_variance);
    on_the_grid(d.hellinger2, -expm1l(-0.5L * log1pl(2.0L * half * half) - square / (4.0L * (1.0L + v))), 1.0L,
                "Hellinger", c, name);
}

TEST(test_grid, .count = 8)
{
    static const double means[] = {0.0, 0.01, 1.0, 17.0, 300.0};
    static const size_t steps[] = {48, 64, 128, 512};
    const char *schedule = _i % 2 == 0 ? "li-cai" : "li-yan";
    for (int decade = -7; decade <= 8; decade++)
        for (int m = 0; m < COUNT(means); m++)
            for (int sampler = 0; sampler <= DDIM; sampler++)
                all_on_the_grid(&(struct closed_case){schedule, 2.0, 8.5, steps[_i / 2], means[m], pow(10.0, decade)},
                                sampler);
}

/* The closed forms used above, at laws that are far from the target. */
TEST(test_known_values)
{
    struct exact_law q = {1.0L, 0.0L, 0.0L};
    ck_assert_ldouble_eq_tol(exact_tv(q), 0.38292492254802620727L, 1e-17L);
    q = (struct exact_law){0.0L, 3.0L, logl(4.0L)}; /* N(0, 1) against N(0, 4): crossing at sqrt(4 log(4)/3) */
    long double crossing = sqrtl(4.0L * logl(4.0L) / 3.0L);
    ck_assert_ldouble_eq_tol(exact_tv(q), 2.0L * (normal(crossing) - normal(0.5L * crossing)), 1e-17L);
    ck_assert_ldouble_eq_tol(minus_log(0.5L), 0.5L - logl(1.5L), 1e-18L);
    ck_assert_ldouble_eq_tol(minus_log(-0.0099L), -0.0099L - log1pl(-0.0099L), 1e-18L);
}
