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

/* l is a function of the distance from u = slope/bend on the axis. */
double condensation_steepness(const struct condensation_level *level, double log_odds)
{
    double centre = level->slope / level->bend,
           square = centre * centre + 2.0 * (level->constant - log_odds) / level->bend;
    return level->bend * sqrt(fmax(square, 0.0));
}

/* log r far below the front, where q_t is the sampler's law of the bulk alone, square = |x|^2: log q_bulk - log p,
 * p = w_0 N(0, V_0 I) (1 + e^l); log(1 + e^l) is e^l to rounding where l is below -19. */
static double log_ratio_of_bulk(const struct condensation_level *level, double log_odds, double square)
{
    double softplus = log_odds < -19.0 ? exp(log_odds)
                      : log_odds > 0.0 ? log_odds + log1p(exp(-log_odds))
                                       : log1p(exp(log_odds));
    return level->bulk_bend * square + level->bulk_constant - softplus;
}

/* c_j = (2 - [j = 0])/n sum_i f(x_i) T_j(x_i). */
void condensation_transforms_init(struct condensation_transforms *out)
{
    for (size_t n = 1; n <= CONDENSATION_NODES; n++)
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < n; i++)
                out->of[n][j][i] = (j == 0 ? 1.0 : 2.0) / (double)n
                                   * cos(M_PI * (double)j * ((double)(n - 1 - i) + 0.5) / (double)n);
}

void condensation_grid_init(struct condensation_grid *grid, const struct condensation_transforms *transforms)
{
    *grid = (struct condensation_grid){.transforms = transforms};
}

void condensation_grid_free(struct condensation_grid *grid)
{
    free(grid->panel);
    *grid = (struct condensation_grid){0};
}

/* ---- Where the codeword has its mass ---- */

/* u^2/2 along the axis and, of chi^2 of n degrees across, n (q/n - 1 - log(q/n))/2. Convex in u and l. */
double condensation_rate(const struct condensation_level *level, double l, double u)
{
    double q = condensation_square(level, l, u), n = level->across;
    return q > 0.0 ? 0.5 * u * u + 0.5 * n * (q / n - 1.0 - log(q / n)) : HUGE_VAL;
}

/* Its derivative by u. */
static double rate_slope(const struct condensation_level *level, double l, double u)
{
    return u + (1.0 - level->across / condensation_square(level, l, u)) * (level->slope / level->bend - u);
}

/* At one l: q > 0 for u in (from, to), and the u there where the rate function is least. */
struct slice {
    double from, to, likeliest, least;
};

static struct slice slice_at(const struct condensation_level *level, double l)
{
    double centre = level->slope / level->bend, square = centre * centre + 2.0 * (level->constant - l) / level->bend;
    double half = square > 0.0 ? sqrt(square) : 0.0, from = centre - half, to = centre + half;
    struct slice slice = {from, to, centre, HUGE_VAL}; /* no point has this l where square <= 0 */
    if (!(square > 0.0))
        return slice;
    for (int i = 0; i < 50; i++) {
        double middle = 0.5 * (from + to);
        *(rate_slope(level, l, middle) < 0.0 ? &from : &to) = middle;
    }
    slice.likeliest = 0.5 * (from + to);
    slice.least = condensation_rate(level, l, slice.likeliest);
    return slice;
}

/* The u between `inside`, where the rate function is below `reach`, and `outside` up to which it stays so, by
 * Newton's rule, which does not leave the interval that is left. */
static double end_of(const struct condensation_level *level, double l, double inside, double outside, double reach)
{
    double u = 0.5 * (inside + outside);
    for (int i = 0; i < 60 && fabs(outside - inside) > 1e-9; i++) {
        double above = condensation_rate(level, l, u) - reach;
        *(above < 0.0 ? &inside : &outside) = u;
        double next = above < HUGE_VAL ? u - above / rate_slope(level, l, u) : outside;
        if (fabs(next - u) < 1e-9)
            return u;
        u = (next - inside) * (next - outside) < 0.0 ? next : 0.5 * (inside + outside);
    }
    return inside;
}

double condensation_typical_odds(const struct condensation_level *level)
{
    return condensation_log_odds(level, 0.0, level->across);
}

/* The l, from the codeword's typical one in the given direction, where its density has fallen to exp(-reach). */
static double last_odds(const struct condensation_level *level, double direction, double reach)
{
    double inside = condensation_typical_odds(level), step = 1.0;
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
    double typical = condensation_typical_odds(level), least = typical;
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

/* Panels are short towards the ends, where their sides bend, and long where the front is far. */
static double longest(const struct odds_range *range, double l)
{
    double end = fmax(fmin(l - range->low, range->high - l), 0.0), whole = range->high - range->low;
    return fmin(range->length * (1.0 + 0.1 * fmax(fabs(l) - 10.0, 0.0)), range->ends * (0.5 * end + 0.05 * whole));
}

/* The polynomial in X through values at X = -cos(pi k/4), by its Chebyshev coefficients. */
static void side_through(const double value[CONDENSATION_SIDE], double out[CONDENSATION_SIDE])
{
    double c[CONDENSATION_SIDE] = {0.0};
    for (int j = 0; j < CONDENSATION_SIDE; j++)
        for (int k = 0; k < CONDENSATION_SIDE; k++)
            c[j] += (k % 4 == 0 ? 0.25 : 0.5) * (j % 4 == 0 ? 0.5 : 1.0) * value[4 - k] * cos(M_PI * j * k / 4.0);
    out[0] = c[0] - c[2] + c[4];
    out[1] = c[1] - 3.0 * c[3];
    out[2] = 2.0 * c[2] - 8.0 * c[4];
    out[3] = 4.0 * c[3];
    out[4] = 8.0 * c[4];
}

static double side_at(const double side[CONDENSATION_SIDE], double X)
{
    return side[0] + X * (side[1] + X * (side[2] + X * (side[3] + X * side[4])));
}

static enum status append(struct condensation_grid *grid, double from, double to, double reach, struct error *error)
{
    if (grid->count == CONDENSATION_PANELS)
        return fail_with(error, STATUS_NUMERIC, "a codeword's law needs more than %d panels", CONDENSATION_PANELS);
    struct condensation_panel *grown = array_reserve(grid->panel, &grid->capacity, grid->count + 1, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu panels", grid->count + 1);
    grid->panel = grown;
    struct condensation_panel *panel = &grid->panel[grid->count++];
    double middle[CONDENSATION_SIDE], half[CONDENSATION_SIDE], typical = condensation_typical_odds(&grid->level);
    panel->from = from;
    panel->to = to;
    panel->rate = from < typical && typical < to ? 0.0 : HUGE_VAL;
    for (int k = 0; k < CONDENSATION_SIDE; k++) {
        double l = from + 0.5 * (1.0 - cos(M_PI * k / 4.0)) * (to - from);
        struct slice slice = slice_at(&grid->level, l);
        double low = end_of(&grid->level, l, slice.likeliest, slice.from, reach),
               high = end_of(&grid->level, l, slice.likeliest, slice.to, reach);
        panel->rate = fmin(panel->rate, slice.least);
        middle[k] = 0.5 * (low + high);
        half[k] = 0.5 * (high - low);
    }
    side_through(middle, panel->middle);
    side_through(half, panel->half);
    return STATUS_OK;
}

/* Along u the panels cover what is rarer than their ends along l, so that none shrinks to a point. */
enum status condensation_grid_lay(struct condensation_grid *grid, const struct condensation_level *level,
                                  const struct condensation_extent *extent, struct error *error)
{
    const struct odds_range range = {last_odds(level, -1.0, extent->reach), last_odds(level, 1.0, extent->reach),
                                     extent->length, extent->ends};
    double from = fmax(range.low, -extent->depth);
    grid->level = *level;
    grid->depth = extent->depth;
    grid->count = 0;
    while (from < range.high) {
        double length = fmin(longest(&range, from), longest(&range, from + longest(&range, from)));
        double to = from + 1.3 * length < range.high ? from + length : range.high;
        TRY(append(grid, from, to, 1.1 * extent->reach, error));
        from = to;
    }
    return STATUS_OK;
}

static double chebyshev_node(size_t i, size_t n)
{
    return -cos(M_PI * ((double)i + 0.5) / (double)n);
}

void condensation_panel_nodes(const struct condensation_panel *panel, double *log_odds, double *u)
{
    for (size_t i = 0; i < panel->nodes[0]; i++) {
        double X = chebyshev_node(i, panel->nodes[0]);
        double middle = side_at(panel->middle, X), half = side_at(panel->half, X);
        for (size_t j = 0; j < panel->nodes[1]; j++) {
            size_t at = i * panel->nodes[1] + j;
            log_odds[at] = panel->from + 0.5 * (1.0 + X) * (panel->to - panel->from);
            u[at] = middle + half * chebyshev_node(j, panel->nodes[1]);
        }
    }
}

void condensation_panel_fit(const struct condensation_grid *grid, const double *value,
                            struct condensation_panel *panel)
{
    size_t nx = panel->nodes[0], ny = panel->nodes[1];
    double half[CONDENSATION_NODES][CONDENSATION_NODES];
    memset(panel->coefficient, 0, sizeof panel->coefficient);
    for (size_t i = 0; i < nx; i++)
        for (size_t j = 0; j < ny; j++) {
            half[i][j] = 0.0;
            for (size_t k = 0; k < ny; k++)
                half[i][j] += grid->transforms->of[ny][j][k] * value[i * ny + k];
        }
    panel->tail[0] = panel->tail[1] = 0.0;
    for (size_t i = 0; i < nx; i++)
        for (size_t j = 0; j < ny; j++) {
            double c = 0.0;
            for (size_t k = 0; k < nx; k++)
                c += grid->transforms->of[nx][i][k] * half[k][j];
            panel->coefficient[i][j] = c;
            if (i + 2 >= nx)
                panel->tail[0] = fmax(panel->tail[0], fabs(c));
            if (j + 2 >= ny)
                panel->tail[1] = fmax(panel->tail[1], fabs(c));
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

/* Points of one panel that wait for others of it, and the factors of their values. */
struct queue {
    size_t count, point[TOGETHER];
    double X[TOGETHER], Y[TOGETHER], factor[TOGETHER];
};

static void empty(const struct condensation_panel *panel, struct queue *queue, double *out)
{
    double value[TOGETHER];
    for (size_t k = queue->count; k < TOGETHER; k++)
        queue->X[k] = queue->Y[k] = 0.0;
    evaluate_panel(panel, panel->nodes[0], panel->nodes[1], queue->X, queue->Y, value);
    for (size_t k = 0; k < queue->count; k++)
        out[queue->point[k]] += queue->factor[k] * value[k];
    queue->count = 0;
}

static void put(const struct condensation_panel *panel, struct queue *queue, size_t point, double X, double Y,
                double factor, double *out)
{
    queue->point[queue->count] = point;
    queue->X[queue->count] = X;
    queue->Y[queue->count] = Y;
    queue->factor[queue->count++] = factor;
    if (queue->count == TOGETHER)
        empty(panel, queue, out);
}

static double within(double X)
{
    return X < -1.0 ? -1.0 : X > 1.0 ? 1.0 : X;
}

/* Beyond a panel by its value at the side and at a point within, which bounds what errors grow by. */
static void put_beyond(const struct condensation_panel *panel, struct queue *queue, size_t point, double X, double Y,
                       double *out)
{
    double side_X = within(X), side_Y = within(Y), beyond = fmax(fabs(X - side_X), fabs(Y - side_Y)),
           share = fmin(beyond, CONDENSATION_MOST_BEYOND) / CONDENSATION_SECANT, unit = CONDENSATION_SECANT / beyond;
    put(panel, queue, point, side_X, side_Y, 1.0 + share, out);
    put(panel, queue, point, side_X - unit * (X - side_X), side_Y - unit * (Y - side_Y), -share, out);
}

static size_t panel_at(const struct condensation_grid *grid, double l, size_t at)
{
    while (at + 1 < grid->count && l > grid->panel[at].to)
        at++;
    while (at > 0 && l < grid->panel[at].from)
        at--;
    return at;
}

const struct condensation_panel *condensation_panel_at(const struct condensation_grid *grid, double log_odds)
{
    return grid->count > 0 ? &grid->panel[panel_at(grid, log_odds, 0)] : NULL;
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
            out[i] = log_ratio_of_bulk(&grid->level, l, square[i]);
            continue;
        }
        at = panel_at(grid, l, at);
        const struct condensation_panel *panel = &grid->panel[at];
        double X = 2.0 * (l - panel->from) / (panel->to - panel->from) - 1.0, inside = within(X);
        double Y = (u[i] - side_at(panel->middle, inside)) / side_at(panel->half, inside);
        out[i] = 0.0;
        if (X == inside && Y >= -1.0 && Y <= 1.0)
            put(panel, &queue[at], i, X, Y, 1.0, out);
        else
            put_beyond(panel, &queue[at], i, X, Y, out);
    }
    for (size_t p = 0; p < grid->count; p++)
        if (queue[p].count > 0)
            empty(&grid->panel[p], &queue[p], out);
}
