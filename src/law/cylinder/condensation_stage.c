#include "law/cylinder/condensation_stage.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/cylinder/tuning.h"

/* Points of several rules together; the highest order in use along l, of nodes 0.13 apart. */
enum { TOGETHER = 1024, MOST_ORDER = 20 };

enum { CUT_MOST = CONDENSATION_CUTS * CONDENSATION_CUT_NODES };

enum status condensation_work_new(size_t dimension, const struct sampler *sampler,
                                  const struct condensation_orders *orders, struct condensation_work *out,
                                  struct error *error)
{
    enum { ARRAYS = 14 };
    *out = (struct condensation_work){.orders = *orders};
    bessel_init(0.5 * ((double)dimension - 1.0) - 1.0, &out->bessel);
    TRY(quadrature_table_new(&out->rules, 0, error));
    for (size_t i = 0; i < CONDENSATION_CUTS; i++)
        TRY(quadrature_legendre(CONDENSATION_CUT_NODES * (i + 1), &out->cut[i], error));
    size_t batch = out->rules.order[MOST_ORDER].n * CUT_MOST; /* the largest tensor product */
    size_t arrays = sampler->work_arrays < 1000 ? ARRAYS + 2 * sampler->work_arrays : 0;
    out->block = arrays > 0 ? array_new(arrays * batch, sizeof *out->block) : NULL;
    if (out->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a codeword's law");
    double **array[] = {&out->excess, &out->odds,     &out->place, &out->square, &out->value,     &out->term,
                        &out->weight, &out->argument, &out->x,     &out->score,  &out->increment, &out->work};
    double *next = out->block;
    for (size_t i = 0; i < sizeof array / sizeof array[0]; i++) {
        *array[i] = next;
        next += (i < 8 ? 1 : 2) * batch;
    }
    return STATUS_OK;
}

void condensation_work_free(struct condensation_work *work)
{
    quadrature_table_free(&work->rules);
    for (size_t i = 0; i < CONDENSATION_CUTS; i++)
        free(work->cut[i].node);
    free(work->block);
    *work = (struct condensation_work){0};
}

/* The stage in the codeword's own Gaussian chain, in which D = -s x: given y, x has the variance S in each coordinate
 * and across the mean gain y (law/cylinder/transfer.c). */
struct chain {
    double V, V_to, v, a, added, S, gain, growth; /* growth = log(V/(a^2 V_to)) */
};

static struct chain chain_of(const struct condensation_stage *stage)
{
    double V = stage->grid->level.variance, v = stage->stage.noise, a = stage->stage.a, added = stage->stage.added;
    double s = stage->axis == NULL ? -stage->slope : stage->stage.moves ? stage->stage.step->beta / V : 0.0;
    double Q = v / V - 2.0 * s + s * s;
    return (struct chain){.V = V,
                          .V_to = stage->variance_to,
                          .v = v,
                          .a = a,
                          .added = added,
                          .S = v / (1.0 + Q),
                          .gain = a * (1.0 - s) / (1.0 + Q),
                          .growth = log1p(added / (a * a * stage->variance_to))};
}

double condensation_spread(const struct condensation_stage *stage)
{
    return sqrt(chain_of(stage).S / stage->grid->level.variance) * condensation_steepness(&stage->grid->level, 0.0);
}

/* ---- Rules ---- */

/* One point y and its quadrature rule, points [first, first + count) of a batch. Away from the axis the rule is
 * turned so that its first direction is that in which l grows, with the order that noise of such a spread in l needs,
 * and few nodes along the front. Near the axis it is a tensor product of one along the axis and one that ends there.
 * Given y, x comes from the codeword's chain with the probability pi(y), and else from the bulk's, in which l is less
 * by the square of its spread: rules are centred between. */
struct target_point {
    double along, rho;
    bool near;
    const struct quadrature *odds, *front;
    double cosine, sine;
    double centre;             /* of the first direction, in units of tau */
    double low, half;          /* near the axis, of the interval across */
    double tau, middle, shift; /* across, x has the mean square middle^2 + S; shift = middle/(a rho) - 1 */
    double constant;           /* of all exponents */
    size_t first, count;
};

/* The distance from the real line of the poles in l of what a step does: pi for the score, at which 1/(1 + e^-l) has
 * them; a rule of higher order evaluates it at l + s^2 pi(l), with the spread s of the noise, whose poles are those
 * of the score and, about, at a distance of pi - s. */
double condensation_pole(double spread)
{
    return M_PI / (1.0 + CONDENSATION_NEARER * spread);
}

/* The order, `least` or more, in which n nodes average exp of a parabola of such a curvature, in units of tau, to
 * (curvature/2)^n: the logarithm of the kernel has that of (n - 1)/2 log R, and l that of the front. */
static size_t order_for(const struct condensation_work *work, size_t least, double curvature, double tolerance)
{
    size_t order = least;
    while (order + 1 < HERMITE_ORDERS && (double)work->rules.order[order].n * log(0.5 * curvature) > log(tolerance))
        order++;
    return order;
}

/* The lowest order, `least` or more, whose error is below the tolerance, for a function of l with poles at a distance
 * of b from the real line, which noise of such a spread in l averages: about n! (spread/b)^(2n) for n Gauss-Hermite
 * nodes while that falls with n, exp(b^2/(2 spread^2) - sqrt(4 n + 2) b/spread), and exp(-2 pi b/(spacing spread))
 * for a trapezoid rule; and for exp(l/2), which a rule that is centred between the codeword and the bulk averages, n!
 * (spread/2)^(2n)/(2n)!. */
static const struct quadrature *rule_for(const struct condensation_work *work, size_t least, double spread,
                                         double tolerance)
{
    double b = condensation_pole(spread), term = 1.0, tilt = 1.0, ratio = spread * spread / (b * b);
    size_t order = least;
    for (size_t n = 0; order < MOST_ORDER; order++) {
        const struct quadrature *rule = &work->rules.order[order];
        for (; order < HERMITE_ORDERS && n < rule->n; n++) {
            term *= (double)(n + 1) * ratio;
            tilt *= spread * spread / (16.0 * (double)n + 8.0);
        }
        double error = order < HERMITE_ORDERS
                           ? fmin(term, exp((0.5 * b / spread - sqrt(4.0 * (double)n + 2.0)) * b / spread)) + tilt
                           : exp(-2.0 * M_PI * b / ((rule->node[1] - rule->node[0]) * spread));
        if (error < tolerance)
            break;
    }
    return &work->rules.order[order];
}

/* Gauss-Legendre over an interval of half-length H, which the weight exp(-x^2/2) needs about 1.25 H sqrt(log 1/tol)
 * nodes for, and poles at a distance b from it log(1/tol)/(2 asinh(b/H)). */
static const struct quadrature *cut_rule_for(const struct condensation_work *work, double half, double spread,
                                             double tolerance)
{
    double digits = -log(tolerance),
           nodes =
               fmax(1.25 * half * sqrt(digits), 0.5 * digits / asinh(condensation_pole(spread) / (spread * half))),
           index = ceil(nodes / CONDENSATION_CUT_NODES) - 1.0;
    return &work->cut[(size_t)fmin(fmax(index, 0.0), CONDENSATION_CUTS - 1)];
}

static enum status choose_rule(const struct condensation_stage *stage, const struct condensation_work *work,
                               const struct chain *chain, double excess, struct target_point *point,
                               struct error *error)
{
    const struct condensation_level *level = &stage->grid->level;
    double rest = (level->across - 1.0) * chain->S, g = chain->gain, a = chain->a, reference = a * point->rho;
    double u = a * point->along / level->sd, odds_along = (level->slope - level->bend * u) / level->sd,
           odds_across = -level->bend * reference / level->variance;
    double tolerance = fmin(work->orders.tolerance * stage->slack, CONDENSATION_LOOSEST);
    point->tau = sqrt(chain->S);
    point->middle = sqrt(g * g * point->rho * point->rho + rest);
    point->near = point->middle < CONDENSATION_CLEAR * point->tau;
    double whole = hypot(odds_along, odds_across), steepness = point->near ? fabs(odds_along) : whole,
           spread = point->tau * steepness;
    if (stage->axis != NULL && point->tau * whole > CONDENSATION_MOST_SPREAD)
        return fail_with(
            error, STATUS_UNSUPPORTED,
            "steps so large that paths condense on a codeword within one: noise moves its log-likelihood "
            "ratio by %.2g in step t = %zu, and a planted law needs less than %g",
            point->tau * whole, stage->stage.step->t, CONDENSATION_MOST_SPREAD);
    const struct quadrature *wide = &work->rules.order[work->orders.wide];
    size_t order = order_for(work, work->orders.least,
                             level->bend * chain->S / level->variance
                                 + (point->near ? 0.0 : 0.5 * rest / (point->middle * point->middle)),
                             tolerance);
    double bulk = stage->axis == NULL ? 0.0 : -expm1(level->log_own - excess); /* 1 - pi(y) */
    point->odds = stage->axis == NULL ? wide : rule_for(work, order, spread, tolerance);
    point->centre = -spread * bulk;
    if (point->near) {
        double across = -odds_across * point->tau, reach = sqrt(-2.0 * log(tolerance)),
               highest = point->middle + point->tau * (reach + across * bulk);
        point->low = fmax(point->middle - reach * point->tau, 0.0);
        point->half = 0.5 * (highest - point->low);
        point->front = cut_rule_for(work, point->half / point->tau,
                                    stage->axis == NULL ? 1e-3 : level->bend * highest * point->tau / level->variance,
                                    tolerance);
    } else {
        point->front = stage->axis == NULL ? wide : &work->rules.order[order];
    }
    point->cosine = odds_along / steepness;
    point->sine = odds_across / steepness;
    point->shift = ((g * g - a * a) * point->rho * point->rho + rest) / (reference * (point->middle + reference));
    double of_along = 0.5 * point->along * (point->along / chain->V_to) * (chain->added / chain->V),
           square = 0.5 * point->rho * (point->rho / chain->V_to), ratio = log(chain->S / chain->v);
    point->constant =
        -0.5 * level->dimension * chain->growth + of_along
        + (point->near ? square - level->across * log(a) + 0.5 * ratio : square * (chain->added / chain->V) + ratio);
    return STATUS_OK;
}

/* Leaves of each point x of the rule: place = x - a y along, square = R/(a rho) - 1, x itself in argument and term,
 * and in value what depends on its place in the rule. */
static void add_points(struct condensation_work *work, const struct chain *chain, double across,
                       struct target_point *point)
{
    double tau = point->tau, reference = chain->a * point->rho, root = sqrt(chain->v) / chain->a;
    size_t at = point->first;
    for (size_t i = 0; i < point->odds->n; i++)
        for (size_t j = 0; j < point->front->n; j++) {
            double node = point->odds->node[i], eta = point->front->node[j], R;
            double xi = point->centre + node, along = tau * xi;
            work->weight[at] = point->odds->weight[i] * point->front->weight[j];
            if (point->near) {
                along *= point->cosine; /* of 1 or -1 */
                R = point->low + point->half * (1.0 + eta);
                work->weight[at] *= point->half / root;
                work->value[at] = 0.5 * node * node - 0.5 * R * (R / chain->V) + (across - 1.0) * log(R / root);
            } else {
                double u = point->shift + tau * (point->sine * xi + point->cosine * eta) / reference;
                along = tau * (point->cosine * xi - point->sine * eta);
                R = reference * (1.0 + u);
                if (!(u > -1.0)) /* beyond the axis, where weights are below exp(-CONDENSATION_CLEAR^2/2) */
                    continue;
                work->square[at] = u;
                work->value[at] = 0.5 * (node * node + eta * eta);
            }
            work->place[at] = along;
            work->argument[at] = chain->a * point->along + along;
            work->term[at++] = R;
        }
    point->count = at - point->first;
}

/* ---- Exponents ---- */

/* The increments at the n points in work->x, and the excess log(p/p_own) before the stage. */
static void move(const struct condensation_stage *stage, struct condensation_work *work, size_t n)
{
    if (stage->axis == NULL) {
        for (size_t i = 0; i < 2 * n; i++)
            work->increment[i] = stage->slope * work->x[i];
        for (size_t i = 0; i < n; i++)
            work->excess[i] = 0.0;
        return;
    }
    struct cylinder_oracle *oracle = stage->oracle;
    axis_level_evaluate(stage->axis, 1, n, work->x, work->excess, work->score);
    for (size_t i = 0; !stage->stage.moves && i < 2 * n; i++)
        work->increment[i] = 0.0;
    if (!stage->stage.moves)
        return;
    oracle->component = 1;
    oracle->known_x = stage->axis == oracle->density[0] ? work->x : NULL;
    oracle->known_score = work->score;
    stage->stage.sampler->increment(stage->stage.step, &oracle->base, 2 * n, work->x, work->increment, work->work);
    oracle->known_x = NULL;
}

/* B = (a rho)^2, u = R/(a rho) - 1, k = D/R, of which the kernel knows |1 + k| alone. The Bessel function comes with
 * log1p((u - k)/(1 + k)), whose numerator and denominator are left in term and odds. */
static void add_clear(struct condensation_work *work, const struct chain *chain, const struct target_point *point,
                      size_t n)
{
    double inverse = 1.0 / chain->V, inverse_noise = 1.0 / chain->v, ay = chain->a * point->along,
           reference = chain->a * point->rho, B = reference * reference;
    for (size_t i = point->first; i < point->first + point->count; i++) {
        double thrown = work->place[i], u = work->square[i], k = work->increment[n + i] / work->x[n + i];
        k = fmax(k < -1.0 ? -2.0 - k : k, -1.0 + 1e-12);
        double moved = u + k + u * k, missed = thrown + work->increment[i];
        work->value[i] += point->constant + work->excess[i] - inverse * thrown * (ay + 0.5 * thrown)
                          - 0.5 * inverse_noise * missed * missed
                          - 0.5 * B * (inverse * u * (2.0 + u) + inverse_noise * moved * moved);
        work->argument[i] = B * inverse_noise * (1.0 + moved);
        work->term[i] = u - k;
        work->odds[i] = 1.0 + k;
    }
}

/* Near the axis no term is large. M = |R + D|/a. */
static void add_near(struct condensation_work *work, const struct chain *chain, const struct target_point *point,
                     size_t n)
{
    double inverse_noise = 1.0 / chain->v, a = chain->a, ay = a * point->along;
    for (size_t i = point->first; i < point->first + point->count; i++) {
        double thrown = work->place[i], missed = thrown + work->increment[i];
        double M = fabs(work->x[n + i] + work->increment[n + i]) / a, apart = a * (point->rho - M);
        work->value[i] += point->constant + work->excess[i] - thrown * (ay + 0.5 * thrown) / chain->V
                          - 0.5 * inverse_noise * (missed * missed + apart * apart);
        work->argument[i] = a * a * inverse_noise * point->rho * M;
    }
}

/* work->value becomes the exponents of the n points, without log r. */
static void add_exponents(const struct condensation_stage *stage, struct condensation_work *work,
                          const struct chain *chain, size_t points, const struct target_point *point, size_t n)
{
    move(stage, work, n);
    for (size_t c = 0; c < points; c++) {
        size_t first = point[c].first, count = point[c].count;
        (point[c].near ? add_near : add_clear)(work, chain, &point[c], n);
        if (!point[c].near) {
            bessel_add_with_power(&work->bessel, count, work->argument + first, work->term + first,
                                  work->odds + first, work->value + first);
            continue;
        }
        bessel_log_entire(&work->bessel, count, work->argument + first, work->term + first);
        for (size_t i = first; i < first + count; i++)
            work->value[i] += work->term[i];
    }
}

/* Adds log r before the stage. */
static void add_log_ratio(const struct condensation_stage *stage, struct condensation_work *work, size_t n)
{
    const struct condensation_level *level = &stage->grid->level;
    for (size_t i = 0; i < n; i++) {
        double u = work->x[i] / level->sd, R = work->x[n + i], whole = level->centre + work->x[i];
        work->odds[i] = condensation_log_odds(level, u, R * R / level->variance);
        work->place[i] = u;
        work->square[i] = whole * whole + R * R;
    }
    condensation_grid_evaluate(stage->grid, n, work->odds, work->place, work->square, work->term);
    for (size_t i = 0; i < n; i++)
        work->value[i] += work->term[i];
}

/* log r from r - 1 = sum w expm1(e) + sum w - 1: the weights of rules that end at the axis do not add up to 1. r
 * below 1e-15, of which rounding leaves nothing, is taken as that. */
static double average(const struct condensation_work *work, const struct target_point *point)
{
    double mean = 0.0, total = 0.0;
    for (size_t i = point->first; i < point->first + point->count; i++) {
        mean += work->weight[i] * work->term[i];
        total += work->weight[i];
    }
    return log1p(fmax(mean + (total - 1.0), -1.0 + 1e-15));
}

enum status condensation_stage_apply(const struct condensation_stage *stage, struct condensation_work *work,
                                     size_t count, const double *u, const double *rho, const double *excess,
                                     double *out, struct error *error)
{
    struct target_point point[TOGETHER];
    struct chain chain = chain_of(stage);
    double sd_to = sqrt(stage->variance_to);
    for (size_t done = 0, points; done < count; done += points) {
        size_t n = 0;
        for (points = 0; done + points < count && points < TOGETHER; points++) {
            struct target_point *next = &point[points];
            *next = (struct target_point){.along = sd_to * u[done + points], .rho = rho[done + points], .first = n};
            TRY(choose_rule(stage, work, &chain, excess[done + points], next, error));
            if (n > 0 && n + next->odds->n * next->front->n > TOGETHER)
                break;
            add_points(work, &chain, stage->grid->level.across, next);
            n += next->count;
        }
        for (size_t i = 0; i < n; i++) {
            work->x[i] = work->argument[i];
            work->x[n + i] = work->term[i];
        }
        add_exponents(stage, work, &chain, points, point, n);
        add_log_ratio(stage, work, n);
        for (size_t c = 0; c < points; c++)
            for (size_t i = point[c].first; i < point[c].first + point[c].count; i++)
                work->value[i] -= excess[done + c];
        vexpm1(n, work->value, work->term);
        for (size_t c = 0; c < points; c++) {
            out[done + c] = average(work, &point[c]);
            if (!isfinite(out[done + c]))
                return fail_with(error, STATUS_NUMERIC, "a codeword's law is not finite");
        }
        work->node_updates += n;
    }
    return STATUS_OK;
}
