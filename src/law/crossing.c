/* In l the sampler's law has a density u = r p, and a step moves it forward: u <- T* u. Beyond both ends it keeps u =
 * exp(-l) + B and u = r_infinity, and what flows in equals what flows out: (1 + kappa) eta - kappa eta B, of which
 * the first part is exp(-l) times the ODE's step, equals eta r_infinity; B = 2 - r_infinity where kappa = 1. The
 * exact flow phi* of dl/dtau = 1/(1 + exp(-l)) over (1 + kappa) eta leaves p, and P(l) = l - exp(-l) with P' = p,
 * such that P(phi*(l)) = P(l) + (1 + kappa) eta; noise leaves p. So r p - p has the source T* p - p alone. Of what it
 * puts at l the part h(l) leaves to the right in the end, where
 *
 *     h = T h,  T h(l) = E h(l'),  h(-infinity) = 0,  h(infinity) = 1,
 *
 * and in the steady state that part is what flows out there:
 *
 *     eta m_1 = int p(l) [H(phi(l)) - H(phi*(l))] dl,  H(z) = E h(z - kappa eta + sqrt(2 kappa eta) Z).
 *
 * All of it is smooth: sums over a uniform grid converge exponentially. h and 1 - h fall like exp(l) and
 * exp(-l/kappa). */
#include "law/crossing.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/sum.h"

enum { MOST_NUMBERS = 1 << 24, REFINEMENTS = 5 }; /* of the band matrix; of the grid */
static const double tail = 9.0;                   /* standard deviations, beyond which the noise is below 1e-17 */
static const double reach = 36.0;                 /* exp(-reach) is below the unit of rounding */
static const double small = 0x1p-36; /* h, of which the value at h = 0 is extrapolated; rounding makes 1e-16/h */
static const double enough = 1e-11;  /* change of the result from one grid to the next, absolute */
static const double safety = 2.0;    /* of the radius */
static const double mismatch = 1e-6; /* of drift and noise, relative to eta */

struct transition {
    const struct sampler *sampler;
    double eta, kappa, omega;
    size_t draws;
    double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS];
};

/* A step of omega at abar = 1/2: the limit does not depend on the level. The clip (10) is above it, as |e1 - e0| <=
 * sqrt(d) there. */
static struct step step_of(const struct transition *transition, double draw)
{
    struct level from = {0.5, 0.5};
    double omega = transition->omega, beta = omega * from.noise, alpha = 1.0 - beta;
    return (struct step){.t = 2,
                         .T = 3,
                         .from = from,
                         .to = {from.alpha_bar / alpha, from.noise * (1.0 - omega) / alpha},
                         .alpha = alpha,
                         .log_alpha = log1p(-beta),
                         .beta = beta,
                         .omega = omega,
                         .beta_before = beta,
                         .beta_after = beta,
                         .draw = draw,
                         .params = transition->sampler->values,
                         .clip = HUGE_VAL};
}

/* The score of the transition along its gradient, on which l = gain x: -x, of order 1, is nothing beside it, and
 * neither is what changes with the level within a step. */
struct transition_score {
    struct score score;
    double gain;
};

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    double gain = ((const struct transition_score *)(const void *)score)->gain;
    (void)level;
    for (size_t i = 0; i < n; i++)
        out[i] = gain / (1.0 + exp(-gain * x[i]));
}

/* phi(l) - l at n points; work: n numbers and the sampler's arrays. */
static void transfer(const struct transition *transition, double draw, size_t n, const double *l, double *out,
                     double *work)
{
    struct step at = step_of(transition, draw);
    struct transition_score score = {{.evaluate = evaluate}, sqrt(2.0 * transition->eta / at.beta)};
    for (size_t i = 0; i < n; i++)
        work[i] = l[i] / score.gain;
    transition->sampler->increment(&at, &score.score, n, work, out, work + n);
    for (size_t i = 0; i < n; i++)
        out[i] *= score.gain;
}

/* phi(l) - phi*(l) = x from P(phi) - P(phi - x) = P(phi) - P(l) - (1 + kappa) eta, convex in x, by Newton's method
 * from the right. */
static double departure(double l, double moved, double time)
{
    double excess = moved - exp(-l) * expm1(-moved) - time, bulk = exp(-l - moved), x = excess / (1.0 + bulk);
    for (int i = 0; i < 200; i++) {
        double change = (x + bulk * expm1(x) - excess) / (1.0 + bulk * exp(x));
        x -= change;
        if (!(fabs(change) > 1e-16 * fabs(x)))
            break;
    }
    return x;
}

/* n(a) - n(a + x) of N(0, variance), without 1/sqrt(2 pi variance) */
static double normal_difference(double a, double x, double variance)
{
    double exponent = x * (2.0 * a + x) / (2.0 * variance); /* n(a)/n(a + x), logarithm */
    return exponent > 0.0 ? -exp(-a * a / (2.0 * variance)) * expm1(-exponent)
                          : exp(-(a + x) * (a + x) / (2.0 * variance)) * expm1(exponent);
}

/* Point i of the grid moves to points i - below ... i + above. */
struct grid {
    double spacing;
    size_t points, below, above;
    double *l;      /* points */
    double *moved;  /* phi(l) - l: points for each draw */
    double *h;      /* points */
    double *matrix; /* I - T in LAPACK's band storage */
};

static void grid_free(struct grid *grid)
{
    free(grid->l);
    free(grid->moved);
    free(grid->h);
    free(grid->matrix);
}

static size_t band_of(const struct grid *grid)
{
    return 2 * grid->below + grid->above + 1;
}

static enum status beyond_reason(const struct transition *t, struct error *error)
{
    return fail_with(error, STATUS_UNSUPPORTED, "the crossing law at eta = %g needs a grid beyond reason", t->eta);
}

static enum status grid_new(const struct transition *t, double spacing, double to, struct grid *grid,
                            struct error *error)
{
    double sd = sqrt(2.0 * t->kappa * t->eta), time = (1.0 + t->kappa) * t->eta, low = 0.0, high = time;
    *grid = (struct grid){.spacing = spacing};
    double left = ceil(to / spacing), right = ceil(to * fmax(1.0, t->kappa) / spacing);
    if (!(left + right < MOST_NUMBERS))
        return beyond_reason(t, error);
    size_t points = grid->points = (size_t)left + (size_t)right + 1;
    double *work = array_new(points, (1 + t->sampler->work_arrays) * sizeof *work);
    grid->l = array_new(points, sizeof *grid->l);
    grid->moved = array_new(points, t->draws * sizeof *grid->moved);
    grid->h = array_new(points, sizeof *grid->h);
    bool ok = work != NULL && grid->l != NULL && grid->moved != NULL && grid->h != NULL;
    for (size_t i = 0; ok && i < points; i++)
        grid->l[i] = spacing * ((double)i - left);
    for (size_t k = 0; ok && k < t->draws; k++)
        transfer(t, t->draw[k], points, grid->l, grid->moved + k * points, work);
    free(work);
    if (!ok)
        return fail_with(error, STATUS_MEMORY, "no memory for the crossing law's grid of %zu points", points);
    for (size_t i = 0; i < points * t->draws; i++) {
        low = fmin(low, grid->moved[i]);
        high = fmax(high, grid->moved[i]);
    }
    double below = ceil((tail * sd + t->kappa * t->eta - low) / spacing);
    double above = ceil((tail * sd + sd * sd + high - t->kappa * t->eta) / spacing);
    if (!((2.0 * below + above + 1.0) * (double)points < MOST_NUMBERS))
        return beyond_reason(t, error);
    grid->below = (size_t)below;
    grid->above = (size_t)above;
    grid->matrix = array_new(points, band_of(grid) * sizeof *grid->matrix);
    return grid->matrix != NULL
               ? STATUS_OK
               : fail_with(error, STATUS_MEMORY, "no memory for the crossing law at eta = %g", t->eta);
}

/* Adds to h(l_i) - T h(l_i) = sum of T beyond the grid, where h = 1, and to the matrix, for one draw. */
static void fill_row(const struct transition *t, struct grid *grid, size_t k, size_t i)
{
    double variance = 2.0 * t->kappa * t->eta, to = grid->l[i] + grid->moved[k * grid->points + i];
    double scale = t->weight[k] * grid->spacing / sqrt(2.0 * acos(-1.0) * variance);
    for (size_t j = i > grid->below ? i - grid->below : 0; j <= i + grid->above; j++) {
        double a = grid->l[0] + (double)j * grid->spacing - to + t->kappa * t->eta;
        double probability = scale * exp(-a * a / (2.0 * variance));
        if (j >= grid->points)
            grid->h[i] += probability;
        else
            grid->matrix[j * band_of(grid) + grid->below + grid->above + i - j] -= probability;
    }
}

/* p(l_i) [H(phi(l_i)) - H(phi*(l_i))] for one draw */
static double gain_at(const struct transition *t, const struct grid *grid, size_t k, size_t i)
{
    double variance = 2.0 * t->kappa * t->eta, l = grid->l[i], moved = grid->moved[k * grid->points + i];
    double away = departure(l, moved, (1.0 + t->kappa) * t->eta);
    struct sum sum = {0};
    for (size_t j = i > grid->below ? i - grid->below : 0; j <= i + grid->above; j++) {
        double a = grid->l[0] + (double)j * grid->spacing - l - moved + t->kappa * t->eta;
        sum_add(&sum, (j < grid->points ? grid->h[j] : 1.0) * normal_difference(a, away, variance));
    }
    return t->weight[k] * (1.0 + exp(-l)) * sum_value(&sum) * grid->spacing / sqrt(2.0 * acos(-1.0) * variance);
}

static enum status solve(const struct transition *t, double spacing, double to, double *mass_error,
                         struct error *error)
{
    struct grid grid;
    enum status status;
    lapack_int *pivot = NULL;
    TRY_OR(out, grid_new(t, spacing, to, &grid, error));
    for (size_t i = 0; i < grid.points; i++)
        grid.matrix[i * band_of(&grid) + grid.below + grid.above] = 1.0;
    for (size_t k = 0; k < t->draws; k++)
        for (size_t i = 0; i < grid.points; i++)
            fill_row(t, &grid, k, i);
    pivot = array_new(grid.points, sizeof *pivot);
    if (pivot == NULL) {
        status = fail_with(error, STATUS_MEMORY, "no memory for the crossing law");
        goto out;
    }
    lapack_int n = (lapack_int)grid.points,
               info = LAPACKE_dgbsv(LAPACK_COL_MAJOR, n, (lapack_int)grid.below, (lapack_int)grid.above, 1,
                                    grid.matrix, (lapack_int)band_of(&grid), pivot, grid.h, n);
    if (info != 0) {
        status =
            fail_with(error, STATUS_NUMERIC, "the crossing law at eta = %g: dgbsv returned %d", t->eta, (int)info);
        goto out;
    }
    struct sum sum = {0};
    for (size_t k = 0; k < t->draws; k++)
        for (size_t i = 0; i < grid.points; i++)
            sum_add(&sum, gain_at(t, &grid, k, i));
    *mass_error = sum_value(&sum) * spacing / t->eta;
out:
    free(pivot);
    grid_free(&grid);
    return status;
}

static double noise_of(double (*log_ratio)(const struct step *step), const struct step *at)
{
    return log_ratio != NULL ? exp(log_ratio(at)) : 0.0;
}

/* kappa, and whether far to the right a step moves by (1 + kappa) eta, which in the limit makes up for its noise. */
static enum status find_noise(struct transition *t, struct error *error)
{
    struct step at = step_of(t, t->draw[0]);
    double *work = array_new(1 + t->sampler->work_arrays, sizeof *work), moved, away = 0.0;
    if (work == NULL)
        return fail_with(error, STATUS_MEMORY, "no memory for a step of sampler %s", t->sampler->name);
    t->kappa = noise_of(t->sampler->log_noise_ratio, &at) + noise_of(t->sampler->log_noise_before, &at);
    for (size_t k = 0; k < t->draws && away <= mismatch; k++) {
        transfer(t, t->draw[k], 1, &reach, &moved, work);
        away = fabs(moved / t->eta - 1.0 - t->kappa);
    }
    free(work);
    return away <= mismatch ? STATUS_OK
                            : fail_with(error, STATUS_UNSUPPORTED,
                                        "sampler %s: at a codeword it moves by %g eta in a step, expected %g eta for "
                                        "its noise",
                                        t->sampler->name, moved / t->eta, 1.0 + t->kappa);
}

/* On a grid that resolves the noise and 1/(1 + exp(-l)), whose poles are at +-i pi, as the given part of it. A flow
 * without noise takes all mass along. */
static enum status solve_at(struct transition t, double omega, double part, double to, double *mass_error,
                            struct error *error)
{
    t.omega = omega;
    *mass_error = 0.0;
    TRY(find_noise(&t, error));
    double spacing = part * fmin(0.6 * sqrt(2.0 * t.kappa * t.eta), 0.35);
    return t.kappa > 0.0 ? solve(&t, spacing, to, mass_error, error) : STATUS_OK;
}

enum status crossing_find(const struct sampler *sampler, double eta, struct crossing *out, struct error *error)
{
    struct transition t = {.sampler = sampler, .eta = eta};
    if (!(eta > 0.0) || !isfinite(eta))
        return fail_with(error, STATUS_INVALID, "eta is %g, expected a positive number", eta);
    if (sampler->memory > 0)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "sampler %s keeps arrays from step to step: it has no crossing law (26)", sampler->name);
    if (!sampler->regular)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "sampler %s is not known to combine x and scores linearly: it has no crossing law (26)",
                         sampler->name);
    t.draws = sampler_draws(sampler, t.draw, t.weight);
    double before, twice, change = HUGE_VAL, part = 1.0;
    TRY(solve_at(t, 2.0 * small, part, reach, &twice, error));
    TRY(solve_at(t, small, part, reach, &before, error));
    double slope = before - twice;
    for (int i = 0; i < REFINEMENTS && change > enough; i++) {
        part *= 0.6;
        TRY(solve_at(t, small, part, reach + 6.0, &out->mass_error, error));
        change = fabs(out->mass_error - before);
        before = out->mass_error;
    }
    out->mass_error += slope;
    out->error = safety * (change + fabs(slope));
    return isfinite(out->error) ? STATUS_OK
                                : fail_with(error, STATUS_NUMERIC, "the crossing law of %s at eta = %g is not finite",
                                            sampler->name, eta);
}

/* Steps of h change the signal-to-noise ratio by 1/(1 - omega). */
double crossing_eta(const struct schedule *schedule, double dimension, double rate, double sd)
{
    double signal = -expm1(-2.0 * rate) / ((1.0 - sd) * (1.0 + sd)); /* abar there, as 1 - v = abar (1 - s^2) */
    for (size_t t = 2; t <= schedule->T; t++) {
        struct level from = schedule_level(schedule, t);
        if (from.alpha_bar <= signal && signal < schedule_level(schedule, t - 1).alpha_bar)
            return -0.5 * dimension * expm1(2.0 * rate) * (1.0 - signal) * log1p(-schedule->beta[t] / from.noise);
    }
    return NAN;
}
