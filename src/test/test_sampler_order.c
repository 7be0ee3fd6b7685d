/* The order of samplers' steps along the PF-ODE of a mixture, which is solved in long double. */
#include <math.h>
#include <string.h>

#include "model/runge_kutta.h"
#include "model/sampler.h"

#include "test/sampler_steps.h"
#include "test/suite.h"

TEST_SUITE(sampler_order);

/* The PF-ODE of 0.3 N(-1, 0.3^2) + 0.7 N(1, 0.5^2) in long double, where nothing superconverges. */
static long double mixture_score(long double a, long double x)
{
    static const long double weight[2] = {0.3L, 0.7L}, mean[2] = {-1.0L, 1.0L}, sd[2] = {0.3L, 0.5L};
    long double total = 0.0L, gradient = 0.0L;
    for (int k = 0; k < 2; k++) {
        long double V = a * sd[k] * sd[k] + 1.0L - a, u = x - sqrtl(a) * mean[k];
        long double part = weight[k] / sqrtl(V) * expl(-u * u / (2.0L * V));
        total += part;
        gradient -= part * u / V;
    }
    return gradient / total;
}

static void evaluate_mixture(const struct score *score, const struct level *level, size_t n, const double *x,
                             double *out)
{
    (void)score;
    for (size_t i = 0; i < n; i++)
        out[i] = (double)mixture_score(level->alpha_bar, x[i]);
}

static long double mixture_slope(long double s, long double u)
{
    long double a = 1.0L / (1.0L + s * s);
    return -sqrtl(1.0L - a) * mixture_score(a, sqrtl(a) * u);
}

static long double follow(long double s, long double end, long double u)
{
    enum { STEPS_IN_BETWEEN = 400 };
    long double H = (end - s) / STEPS_IN_BETWEEN;
    for (int i = 0; i < STEPS_IN_BETWEEN; i++, s += H) {
        long double k1 = mixture_slope(s, u), k2 = mixture_slope(s + H / 2.0L, u + H / 2.0L * k1);
        long double k3 = mixture_slope(s + H / 2.0L, u + H / 2.0L * k2), k4 = mixture_slope(s + H, u + H * k3);
        u += H * (k1 + 2.0L * k2 + 2.0L * k3 + k4) / 6.0L;
    }
    return u;
}

/* A rule of order p is off by h^(p+1) in a step, on its way to the level where it lands; and by no less. */
TEST(test_order_on_mixture)
{
    enum { TO_NEXT, TO_OVERSHOOT, TO_AFTER };
    static const struct {
        const char *name;
        int lands;
        int order;
        double w; /* the parameter `overshoot`, where there is one */
    } cases[] = {
        {"ddim", TO_NEXT, 1, 1.0},
        {"ddim-song", TO_NEXT, 1, 1.0},
        {"pf-ode-2", TO_NEXT, 2, 1.0},
        {"strang-midpoint", TO_NEXT, 2, 1.0},
        {"accelerated-ode-2024", TO_NEXT, 2, 1.0},
        {"dpm-solver-2m", TO_NEXT, 2, 1.0},
        {"overshoot-2025", TO_AFTER, 1, 1.0},
        {"ddpm-ancestral", TO_OVERSHOOT, 1, 1.0},
        {"randomised-midpoint", TO_OVERSHOOT, 2, 1.0}, /* on average over the draws */
        {"accelerated", TO_OVERSHOOT, 2, 1.0},
        {"accelerated", TO_OVERSHOOT, 2, 0.5},
        {"lagrange-3", TO_OVERSHOOT, 3, 1.0},
        {"lagrange-3", TO_OVERSHOOT, 3, 1.5},
        {"runge-kutta-3", TO_OVERSHOOT, 3, 1.0},
        {"runge-kutta-3", TO_NEXT, 3, 0.0},
        {"lagrange-4", TO_OVERSHOOT, 4, 1.0},
        {"lagrange-4", TO_NEXT, 4, 0.0},
        {"runge-kutta-4", TO_OVERSHOOT, 4, 1.0},
        {"runge-kutta-4", TO_OVERSHOOT, 4, 0.5},
    };
    for (size_t c = 0; c < COUNT(cases); c++) {
        OWNED_SAMPLER *own = cases[c].w != 1.0 ? with(cases[c].name, "overshoot", cases[c].w) : NULL;
        const struct sampler *sampler = own != NULL ? &own->sampler : sampler_find(cases[c].name);
        static const double length[] = {0.002, 0.002, 0.01, 0.02}; /* errors far above rounding */
        static const double x[] = {-1.3, -0.6, 0.1, 0.3, 0.8, 1.4};
        double out[COUNT(x)], work[COUNT(x) * RUNGE_KUTTA_STAGES];
        long double error[2] = {0.0L, 0.0L};
        ck_assert_uint_le(sampler->work_arrays, RUNGE_KUTTA_STAGES);
        for (int half = 0; half < 2; half++) {
            struct exact_step e = {0.6L, 0.6L * (1.0L + (long double)length[cases[c].order - 1] / (half + 1)), 0.0L};
            struct step step = make_step(sampler, &e);
            struct score score = {.evaluate = evaluate_mixture};
            long double after = e.a1 / (1.0L - AFTER * (1.0L - e.a / e.a1));
            long double end = sigma(cases[c].lands == TO_NEXT    ? e.a1
                                    : cases[c].lands == TO_AFTER ? after
                                                                 : overshoot_by(&e, cases[c].w));
            double kept[COUNT(x)];
            step.memory = kept; /* the data prediction on the PF-ODE's path at the level before */
            for (size_t i = 0; i < COUNT(x); i++) {
                long double above = sigma(e.a * (1.0L - BEFORE * (1.0L - e.a / e.a1)));
                long double u = follow(sigma(e.a), above, x[i] / sqrtl(e.a));
                kept[i] = (double)(u - above * mixture_slope(above, u));
            }
            double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS], mean[COUNT(x)] = {0.0};
            size_t draws = sampler_draws(sampler, draw, weight);
            for (size_t k = 0; k < draws; k++) {
                step.draw = draw[k];
                sampler->increment(&step, &score, COUNT(x), x, out, work);
                for (size_t i = 0; i < COUNT(x); i++)
                    mean[i] += weight[k] * out[i];
            }
            for (size_t i = 0; i < COUNT(x); i++) {
                long double exact = sqrtl(e.a) * follow(sigma(e.a), end, x[i] / sqrtl(e.a)) - x[i];
                error[half] += (mean[i] - exact) * (mean[i] - exact);
            }
        }
        long double order = log2l(error[0] / error[1]) / 2.0L - 1.0L;
        ck_assert_msg(fabsl(order - cases[c].order) < 0.15L, "%s: order %.3Lf, errors %.3Le, %.3Le", cases[c].name,
                      order, sqrtl(error[0]), sqrtl(error[1]));
    }
}

static void by_rule(const struct runge_kutta *rule, const struct step *step, double *out)
{
    struct score score = {.evaluate = evaluate_mixture};
    double work[POINTS * RUNGE_KUTTA_STAGES];
    runge_kutta_increment(rule, step->omega, step, &score, POINTS, points, out, work);
}

/* The integral from 0 to `end` of the Lagrange polynomial that is 1 at node j and 0 at the other `count` - 1. */
static double basis_integral(size_t count, const double *node, size_t j, double end)
{
    double coefficient[RUNGE_KUTTA_STAGES] = {1.0}, power = end, total = 0.0;
    size_t degree = 0;
    for (size_t k = 0; k < count; k++) {
        if (k == j)
            continue;
        double scale = 1.0 / (node[j] - node[k]);
        degree++;
        for (size_t i = degree; i > 0; i--)
            coefficient[i] = scale * (coefficient[i - 1] - node[k] * coefficient[i]);
        coefficient[0] *= -node[k] * scale;
    }
    for (size_t i = 0; i <= degree; i++) {
        total += coefficient[i] * power / (double)(i + 1);
        power *= end;
    }
    return total;
}

/* The rule of successive Lagrange interpolation on distinct nodes, node[0] = 0: eps between the nodes is the
 * polynomial through its values at the nodes so far, integrated exactly, to the next node and in the end to 1. */
static struct runge_kutta lagrange_rule(size_t stages, const double *node)
{
    struct runge_kutta rule = {.stages = stages};
    for (size_t i = 0; i < stages; i++) {
        rule.node[i] = node[i];
        rule.weight[i] = basis_integral(stages, node, i, 1.0);
        for (size_t j = 0; j < i; j++)
            rule.inner[i][j] = basis_integral(i, node, j, node[i]);
    }
    return rule;
}

/* Lagrange's family gives ddpm-ancestral on one node, and the transfer of `accelerated` on two, the second at level
 * t-1; and on the nodes of the registered samplers, their tables. */
TEST(test_lagrange)
{
    static const struct {
        const char *name;
        size_t stages;
        double node[RUNGE_KUTTA_STAGES];
    } cases[] = {
        {"ddpm-ancestral", 1, {0.0}},
        {"accelerated-unclipped", 2, {0.0}},
        {"lagrange-3", 3, {0.0, 1.0 / 3.0, 2.0 / 3.0}},
        {"lagrange-4", 4, {0.0, 1.0 / 3.0, 0.5, 1.0}},
    };
    for (size_t c = 0; c < COUNT(cases); c++)
        for (size_t s = 0; s < COUNT(steps); s++) {
            struct step step = make_step(sampler_find(cases[c].name), &steps[s]);
            struct score score = {.evaluate = evaluate_mixture};
            double node[RUNGE_KUTTA_STAGES], out[POINTS], known[POINTS], work[POINTS * RUNGE_KUTTA_STAGES];
            memcpy(node, cases[c].node, sizeof node);
            if (cases[c].stages == 2)
                node[1] = -expm1(0.5 * log1p(-step.omega)) / step.omega;
            struct runge_kutta rule = lagrange_rule(cases[c].stages, node);
            by_rule(&rule, &step, out);
            sampler_find(cases[c].name)->increment(&step, &score, POINTS, points, known, work);
            for (size_t i = 0; i < POINTS; i++)
                ck_assert_double_eq_tol(out[i], known[i], 1e-13 * fabs(known[i]));
        }
}
