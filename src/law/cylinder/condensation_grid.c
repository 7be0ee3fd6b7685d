#include "law/cylinder/condensation_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/cylinder/tuning.h"

/* V_0 - V = A (1 - s^2), as the bulk has variance A + O and the codeword A s^2 + O. */
struct condensation_level condensation_level_of(const struct axis_level *axis, double bulk_excess)
{
    const double *s = axis->factor->sd, V = axis->variance[1], V_0 = axis->variance[0];
    double difference = axis->level.alpha_bar * (s[0] - s[1]) * (s[0] + s[1]), bend = difference / V_0;
    double centre = axis->root_alpha_bar * axis->mean[1], d = axis->dimension;
    return (struct condensation_level){.dimension = d,
                                       .across = d - 1.0,
                                       .log_bulk = axis->log_weight[0],
                                       .log_own = axis->log_weight[1],
                                       .centre = centre,
                                       .variance = V,
                                       .sd = axis->sd[1],
                                       .bulk_variance = V_0,
                                       .constant = axis->log_weight[1] - axis->log_weight[0]
                                                   + 0.5 * centre * (centre / V_0) - 0.5 * d * log1p(-bend),
                                       .slope = centre * axis->sd[1] / V_0,
                                       .bend = bend,
                                       .bulk_excess = bulk_excess,
                                       .bulk_bend = 0.5 / V_0 * (bulk_excess / (1.0 + bulk_excess)),
                                       .bulk_constant = -0.5 * d * log1p(bulk_excess) - axis->log_weight[0]};
}

double condensation_log_odds(const struct condensation_level *level, double u, double q)
{
    return level->constant + level->slope * u - 0.5 * level->bend * (u * u + q);
}

double condensation_square(const struct condensation_level *level, double log_odds, double u)
{
    return 2.0 * (level->constant + level->slope * u - log_odds) / level->bend - u * u;
}

/* log q_bulk - log p, p = w_0 N(0, V_0 I) (1 + e^l); log(1 + e^l) is e^l to rounding where l is below -19. */
double condensation_bulk(const struct condensation_level *level, double log_odds, double square)
{
    double softplus = log_odds < -19.0 ? exp(log_odds)
                      : log_odds > 0.0 ? log_odds + log1p(exp(-log_odds))
                                       : log1p(exp(log_odds));
    return level->bulk_bend * square + level->bulk_constant - softplus;
}

void condensation_grid_init(struct condensation_grid *grid, size_t along_odds, size_t along_axis)
{
    *grid = (struct condensation_grid){.nodes = {along_odds, along_axis}};
    for (int axis = 0; axis < 2; axis++) {
        size_t n = grid->nodes[axis]; /* c_j = (2 - [j = 0])/n sum_i f(x_i) T_j(x_i) */
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < n; i++)
                grid->transform[axis][j][i] = (j == 0 ? 1.0 : 2.0) / (double)n
                                              * cos(M_PI * (double)j * ((double)(n - 1 - i) + 0.5) / (double)n);
    }
}

void condensation_grid_free(struct condensation_grid *grid)
{
    free(grid->panel);
    *grid = (struct condensation_grid){0};
}

/* ---- Where the codeword has its mass ---- */

/* -log of its density in (u, q) but for a constant, by Cramer's rate functions: u^2/2 along the axis and, of chi^2 of
 * n degrees across, n (q/n - 1 - log(q/n))/2. Convex in u and l. */
static double rate_function(const struct condensation_level *level, double l, double u)
{
    double q = condensation_square(level, l, u), n = level->across;
    return q > 0.0 ? 0.5 * u * u + 0.5 * n * (q / n - 1.0 - log(q / n)) : HUGE_VAL;
}

/* At one l: q > 0 for u in (from, to), and the u there where the rate function is least, by ternary search. */
struct slice {
    double from, to, likeliest, least;
};

static struct slice slice_at(const struct condensation_level *level, double l)
{
    double centre = level->slope / level->bend, square = centre * centre + 2.0 * (level->constant - l) / level->bend;
    double half = square > 0.0 ? sqrt(square) : 0.0, from = centre - half, to = centre + half;
    struct slice slice = {from, to, centre, HUGE_VAL}; /* no point has this l where square <= 0 */
    for (int i = 0; square > 0.0 && i < 60; i++) {
        double left = from + (to - from) / 3.0, right = to - (to - from) / 3.0;
        if (rate_function(level, l, left) < rate_function(level, l, right))
            to = right;
        else
            from = left;
    }
    if (square > 0.0) {
        slice.likeliest = 0.5 * (from + to);
        slice.least = rate_function(level, l, slice.likeliest);
    }
    return slice;
}

/* The u between `inside`, where the rate function is below `reach`, and `outside` up to which it stays so. */
static double end_of(const struct condensation_level *level, double l, double inside, double outside, double reach)
{
    for (int i = 0; i < 40; i++) {
        double middle = 0.5 * (inside + outside);
        *(rate_function(level, l, middle) < reach ? &inside : &outside) = middle;
    }
    return inside;
}

static void ends_of(const struct condensation_level *level, double l, double reach, double *low, double *high)
{
    struct slice slice = slice_at(level, l);
    *low = end_of(level, l, slice.likeliest, slice.from, reach);
    *high = end_of(level, l, slice.likeliest, slice.to, reach);
}

static double typical_odds(const struct condensation_level *level)
{
    return condensation_log_odds(level, 0.0, level->across);
}

/* The l, from the codeword's typical one in the given direction, where its density has fallen to exp(-reach). */
static double last_odds(const struct condensation_level *level, double direction, double reach)
{
    double inside = typical_odds(level), step = 1.0;
    while (slice_at(level, inside + direction * step).least < reach)
        step *= 2.0;
    double outside = inside + direction * step;
    for (int i = 0; i < 40; i++) {
        double middle = 0.5 * (inside + outside);
        *(slice_at(level, middle).least < reach ? &inside : &outside) = middle;
    }
    return inside;
}

/* The mean over the codeword's law of min(1, e^-l) is about the largest exp(-rate - l) at l > 0. */
bool condensation_is_over(const struct condensation_level *level, double reach)
{
    double typical = typical_odds(level), least = typical;
    for (int i = 0; i < CONDENSATION_OVER_PLACES && typical > 0.0; i++) {
        double l = typical * (double)i / CONDENSATION_OVER_PLACES;
        least = fmin(least, slice_at(level, l).least + l);
    }
    return least > reach;
}

/* ---- Panels ---- */

/* The lowest and the highest l that panels cover, and the limits of their lengths (struct condensation_extent). */
struct odds_range {
    double low, high, length, ends;
};

/* A panel's sides are straight, and where the codeword has its mass in (l, u) is convex: panels are short towards
 * the ends, and the more so in few dimensions, where the axis bends it, and long where the front is far. */
static double longest(const struct odds_range *range, double l)
{
    double end = fmax(fmin(l - range->low, range->high - l), 0.0), whole = range->high - range->low;
    return fmin(range->length * (1.0 + 0.1 * fmax(fabs(l) - 10.0, 0.0)), range->ends * (0.5 * end + 0.05 * whole));
}

static enum status append(struct condensation_grid *grid, double from, double to, const double low[2],
                          const double high[2], struct error *error)
{
    if (grid->count == CONDENSATION_PANELS)
        return fail_with(error, STATUS_NUMERIC, "a codeword's law needs more than %d panels", CONDENSATION_PANELS);
    struct condensation_panel *grown = array_reserve(grid->panel, &grid->capacity, grid->count + 1, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu panels", grid->count + 1);
    grid->panel = grown;
    struct condensation_panel *panel = &grid->panel[grid->count++];
    panel->from = from;
    panel->to = to;
    for (int i = 0; i < 2; i++) {
        panel->low[i] = low[i];
        panel->high[i] = high[i];
    }
    return STATUS_OK;
}

/* Along u the panels cover what is rarer than their ends along l, so that none shrinks to a point. */
enum status condensation_grid_lay(struct condensation_grid *grid, const struct condensation_level *level,
                                  const struct condensation_extent *extent, struct error *error)
{
    const struct odds_range range = {last_odds(level, -1.0, extent->reach), last_odds(level, 1.0, extent->reach),
                                     extent->length,
                                     extent->ends * fmin(level->dimension / CONDENSATION_ROUND_DIMENSION, 1.0)};
    double from = fmax(range.low, -extent->depth), reach = 1.1 * extent->reach, low[2], high[2];
    grid->level = *level;
    grid->depth = extent->depth;
    grid->count = 0;
    if (!(from < range.high))
        return STATUS_OK;
    ends_of(level, from, reach, &low[0], &high[0]);
    while (from < range.high) {
        double length = fmin(longest(&range, from), longest(&range, from + longest(&range, from)));
        double to = from + 1.3 * length < range.high ? from + length : range.high;
        ends_of(level, to, reach, &low[1], &high[1]);
        TRY(append(grid, from, to, low, high, error));
        from = to;
        low[0] = low[1];
        high[0] = high[1];
    }
    return STATUS_OK;
}

static double chebyshev_node(size_t i, size_t n)
{
    return -cos(M_PI * ((double)i + 0.5) / (double)n);
}

void condensation_panel_nodes(const struct condensation_grid *grid, const struct condensation_panel *panel,
                              double *log_odds, double *u)
{
    for (size_t i = 0; i < grid->nodes[0]; i++) {
        double share = 0.5 * (1.0 + chebyshev_node(i, grid->nodes[0]));
        double low = panel->low[0] + share * (panel->low[1] - panel->low[0]),
               high = panel->high[0] + share * (panel->high[1] - panel->high[0]);
        for (size_t j = 0; j < grid->nodes[1]; j++) {
            size_t at = i * grid->nodes[1] + j;
            log_odds[at] = panel->from + share * (panel->to - panel->from);
            u[at] = low + 0.5 * (1.0 + chebyshev_node(j, grid->nodes[1])) * (high - low);
        }
    }
}

void condensation_panel_fit(const struct condensation_grid *grid, const double *value,
                            struct condensation_panel *panel)
{
    size_t nx = grid->nodes[0], ny = grid->nodes[1];
    double half[CONDENSATION_NODES][CONDENSATION_NODES];
    memset(panel->coefficient, 0, sizeof panel->coefficient);
    for (size_t i = 0; i < nx; i++)
        for (size_t j = 0; j < ny; j++) {
            half[i][j] = 0.0;
            for (size_t k = 0; k < ny; k++)
                half[i][j] += grid->transform[1][j][k] * value[i * ny + k];
        }
    for (size_t i = 0; i < nx; i++)
        for (size_t j = 0; j < ny; j++) {
            panel->coefficient[i][j] = 0.0;
            for (size_t k = 0; k < nx; k++)
                panel->coefficient[i][j] += grid->transform[0][i][k] * half[k][j];
        }
}

enum { TOGETHER = 16, BLOCK = 4 };

/* The T_i(X) are made once, and sums over i of several j at a time, which do not wait for each other. */
VECTOR_CLONES static void evaluate_panel(const struct condensation_panel *panel, size_t nx, size_t ny,
                                         const double *X, const double *Y, double *out)
{
    double T[CONDENSATION_NODES][TOGETHER], c1[TOGETHER] = {0.0}, c2[TOGETHER] = {0.0};
    for (size_t k = 0; k < TOGETHER; k++) {
        T[0][k] = 1.0;
        T[1][k] = X[k];
    }
    for (size_t i = 2; i < nx; i++)
        for (size_t k = 0; k < TOGETHER; k++)
            T[i][k] = 2.0 * X[k] * T[i - 1][k] - T[i - 2][k];
    for (size_t block = (ny + BLOCK - 1) / BLOCK; block-- > 0;) {
        double sum[BLOCK][TOGETHER] = {{0.0}};
        for (size_t i = 0; i < nx; i++) {
            const double *c = panel->coefficient[i] + BLOCK * block, c_0 = c[0], c_1 = c[1], c_2 = c[2], c_3 = c[3];
            for (size_t k = 0; k < TOGETHER; k++) {
                sum[0][k] += c_0 * T[i][k];
                sum[1][k] += c_1 * T[i][k];
                sum[2][k] += c_2 * T[i][k];
                sum[3][k] += c_3 * T[i][k];
            }
        }
        for (size_t b = BLOCK; b-- > 0;)
            for (size_t k = 0; k < TOGETHER; k++) { /* Clenshaw's recurrence along Y */
                double next = (block + b > 0 ? 2.0 : 1.0) * Y[k] * c1[k] - c2[k] + sum[b][k];
                c2[k] = c1[k];
                c1[k] = next;
            }
    }
    for (size_t k = 0; k < TOGETHER; k++)
        out[k] = c1[k];
}

/* Points of one panel that wait for others of it. */
struct queue {
    size_t count, point[TOGETHER];
    double X[TOGETHER], Y[TOGETHER];
};

static void empty(const struct condensation_grid *grid, const struct condensation_panel *panel, struct queue *queue,
                  double *out)
{
    double value[TOGETHER];
    for (size_t k = queue->count; k < TOGETHER; k++)
        queue->X[k] = queue->Y[k] = 0.0;
    evaluate_panel(panel, grid->nodes[0], grid->nodes[1], queue->X, queue->Y, value);
    for (size_t k = 0; k < queue->count; k++)
        out[queue->point[k]] = value[k];
    queue->count = 0;
}

void condensation_grid_evaluate(const struct condensation_grid *grid, size_t n, const double *log_odds,
                                const double *u, const double *square, double *out)
{
    struct queue queue[CONDENSATION_PANELS];
    size_t at = 0;
    for (size_t p = 0; p < grid->count; p++)
        queue[p].count = 0;
    for (size_t i = 0; i < n; i++) {
        double l = log_odds[i];
        if (grid->count == 0 || l < -grid->depth) {
            out[i] = condensation_bulk(&grid->level, l, square[i]);
            continue;
        }
        while (at + 1 < grid->count && l > grid->panel[at].to)
            at++;
        while (at > 0 && l < grid->panel[at].from)
            at--;
        const struct condensation_panel *panel = &grid->panel[at];
        double share = (l - panel->from) / (panel->to - panel->from);
        share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
        double low = panel->low[0] + share * (panel->low[1] - panel->low[0]),
               high = panel->high[0] + share * (panel->high[1] - panel->high[0]);
        double Y = (2.0 * u[i] - low - high) / (high - low);
        struct queue *own = &queue[at];
        own->point[own->count] = i;
        own->X[own->count] = 2.0 * share - 1.0;
        own->Y[own->count++] = Y < -1.0 ? -1.0 : Y > 1.0 ? 1.0 : Y;
        if (own->count == TOGETHER)
            empty(grid, panel, own, out);
    }
    for (size_t p = 0; p < grid->count; p++)
        if (queue[p].count > 0)
            empty(grid, &grid->panel[p], &queue[p], out);
}
