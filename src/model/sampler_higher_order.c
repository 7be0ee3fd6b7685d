/* Theory (9') with a transfer of order 2, 3 or 4: from level t along the PF-ODE to the overshoot level, then the
 * forward noise of `accelerated` back up to level t-1. K = 1 is `ddpm-ancestral`, K = 2 `accelerated-unclipped`.
 *
 * Lagrange: each node is reached by integrating the polynomial through the nodes before it, so the nodes are what is
 * left to choose. In general such a rule has order 2, since the first node is reached to first order only; it has
 * order K where the errors of the first nodes cancel. For K = 3 that is so where the weight of the second node
 * vanishes, as for 0, 1/3, 2/3 (which gives Heun's rule of order 3). For K = 4 the conditions are b_1 = 0, b_2 a_21 +
 * b_3 a_31 = 0 and c_2 = 3/2 c_1, and 0, 1/3, 1/2, 1 meet them. */

#include "model/overshoot.h"
#include "model/runge_kutta.h"

static const struct runge_kutta lagrange_3 = {
    .stages = 3,
    .node = {0.0, 1.0 / 3.0, 2.0 / 3.0},
    .inner = {{0.0}, {1.0 / 3.0}, {0.0, 2.0 / 3.0}},
    .weight = {0.25, 0.0, 0.75},
};

static const struct runge_kutta lagrange_4 = {
    .stages = 4,
    .node = {0.0, 1.0 / 3.0, 0.5, 1.0},
    .inner = {{0.0}, {1.0 / 3.0}, {0.125, 0.375}, {0.5, -1.5, 2.0}},
    .weight = {1.0 / 6.0, 0.0, 2.0 / 3.0, 1.0 / 6.0},
};

static const struct runge_kutta midpoint = {
    .stages = 2,
    .node = {0.0, 0.5},
    .inner = {{0.0}, {0.5}},
    .weight = {0.0, 1.0},
};

static const struct runge_kutta kutta_3 = {
    .stages = 3,
    .node = {0.0, 0.5, 1.0},
    .inner = {{0.0}, {0.5}, {-1.0, 2.0}},
    .weight = {1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0},
};

static const struct runge_kutta kutta_4 = {
    .stages = 4,
    .node = {0.0, 0.5, 0.5, 1.0},
    .inner = {{0.0}, {0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}},
    .weight = {1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0},
};

#define RULE(name) \
    static void increment_##name(const struct step *step, const struct score *score, size_t n, const double *x, \
                                 double *out, double *work) \
    { \
        runge_kutta_increment(&(name), -overshoot_shift_of(step), step, score, n, x, out, work); \
    } \
    static size_t levels_##name(const struct step *step, struct level *out) \
    { \
        return runge_kutta_levels(&(name), -overshoot_shift_of(step), step, out); \
    }

RULE(lagrange_3)
RULE(lagrange_4)
RULE(midpoint)
RULE(kutta_3)
RULE(kutta_4)

const struct sampler sampler_lagrange_3 = {
    .name = "lagrange-3",
    .doc =
        "The structure of `accelerated` at order 3: a PF-ODE transfer to the overshoot level by successive Lagrange "
        "interpolation on 3 nodes, then forward noise. Nodes and combination with noise are derived here.",
    .formula =
        "nodes sigma = (1 - omega c) sigma_t, c = 0, 1/3, 2/3, omega = (1 - alpha_t)/(1 - abar_t); eps "
        "interpolated on the nodes so far to reach the next, on all of them to reach c = 1, the overshoot level; "
        "v as in ddpm-ancestral",
    .source =
        "Lagrange interpolation of the PF-ODE as in Li, Zhou, Wei & Chen, arXiv:2506.24042 (abstract); not their "
        "exact update",
    .score_evaluations = 3,
    .regular = 1,
    .work_arrays = 3,
    .increment = increment_lagrange_3,
    .other_levels = levels_lagrange_3,
    .claimed_order = 3.0,
    .claim_source = "order of the transfer, derived here (theory §9)",
    OVERSHOOTS,
};

const struct sampler sampler_lagrange_4 = {
    .name = "lagrange-4",
    .doc = "As lagrange-3, with 4 nodes and order 4.",
    .formula = "as lagrange-3, c = 0, 1/3, 1/2, 1",
    .source = "as lagrange-3",
    .score_evaluations = 4,
    .regular = 1,
    .work_arrays = 4,
    .increment = increment_lagrange_4,
    .other_levels = levels_lagrange_4,
    .claimed_order = 4.0,
    .claim_source = "order of the transfer, derived here (theory §9)",
    OVERSHOOTS,
};

const struct sampler sampler_runge_kutta_2 = {
    .name = "runge-kutta-2",
    .doc =
        "The midpoint rule for the PF-ODE to the overshoot level, then forward noise: `accelerated-unclipped` with "
        "its intermediate point halfway to the overshoot level instead of at level t-1.",
    .formula = "as lagrange-3, with the midpoint rule: c = 0, 1/2, weights 0, 1",
    .source = "theory §9; the rule: Runge 1895",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .increment = increment_midpoint,
    .other_levels = levels_midpoint,
    .claimed_order = 2.0,
    .claim_source = "order of the transfer, derived here (theory §9)",
    OVERSHOOTS,
};

const struct sampler sampler_runge_kutta_3 = {
    .name = "runge-kutta-3",
    .doc = "Kutta's rule of order 3 for the PF-ODE to the overshoot level, then forward noise.",
    .formula = "as lagrange-3, with Kutta's rule: c = 0, 1/2, 1, weights 1/6, 2/3, 1/6",
    .source = "theory §9; the rule: Kutta 1901",
    .score_evaluations = 3,
    .regular = 1,
    .work_arrays = 3,
    .increment = increment_kutta_3,
    .other_levels = levels_kutta_3,
    .claimed_order = 3.0,
    .claim_source = "order of the transfer, derived here (theory §9)",
    OVERSHOOTS,
};

const struct sampler sampler_runge_kutta_4 = {
    .name = "runge-kutta-4",
    .doc = "The classical Runge-Kutta rule for the PF-ODE to the overshoot level, then forward noise.",
    .formula = "as lagrange-3, with the classical rule: c = 0, 1/2, 1/2, 1, weights 1/6, 1/3, 1/3, 1/6",
    .source = "theory §9; the rule: Kutta 1901",
    .score_evaluations = 4,
    .regular = 1,
    .work_arrays = 4,
    .increment = increment_kutta_4,
    .other_levels = levels_kutta_4,
    .claimed_order = 4.0,
    .claim_source = "order of the transfer, derived here (theory §9)",
    OVERSHOOTS,
};
