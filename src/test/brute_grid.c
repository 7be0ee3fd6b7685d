/* Densities on a uniform grid, pushed by one kernel after the other: the trapezoid rule over the source where the map
 * is smooth, Gauss-Legendre cells between the jumps where it is not.
 *
 * The grid must resolve the last step's noise, sqrt(h (1 - alpha_bar_1)): with the c1 of real experiments that is
 * 1e-6 and a grid would need millions of points. The worlds' constants keep it above 2e-3; MOST_POINTS guards that.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "test/brute_model.h"

enum {
    MOST_POINTS = 240000,
    MOST_WORK = 8,
    MOST_CUTS = 64,
    STENCIL = 14, /* of the interpolation */
    NODES = 8,    /* a cell */
    CELL = 3      /* spacings, at most */
};

#define REACH 11.0    /* of the grid, on either side */
#define STANDARDS 9.0 /* of the kernel, on either side */
/* The trapezoid rule needs 1.5 for a Gaussian (error 5e-20); between modes a step's map expands by as much as 3, and
 * by more where its order is higher than 2 (brute_fineness). */
#define POINTS_A_STANDARD 4.0

static const double gauss_node[NODES / 2] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267,
                                             0.9602898564975363};
static const double gauss_weight[NODES / 2] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745,
                                               0.1012285362903763};

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

/* Adds mass N(mean, sd^2). From one grid point to the next a Gaussian changes by a ratio, and that by a constant. */
static void deposit(struct grid *to, double mass, double mean, double sd)
{
    double centre = round(mean / to->spacing), middle = (double)(to->n / 2), delta = to->spacing / sd;
    double height = mass / (sd * sqrt(2.0 * M_PI)), offset = centre * delta - mean / sd;
    double reach = ceil(STANDARDS / delta), squared = exp(-delta * delta);
    for (int side = 0; side < 2; side++) {
        double direction = side == 0 ? 1.0 : -1.0, first = side == 0 ? 0.0 : 1.0;
        double z = offset + direction * first * delta, value = height * exp(-0.5 * z * z);
        double ratio = exp(-delta * (direction * z + 0.5 * delta));
        for (double j = first; j <= reach; j += 1.0) {
            double at = middle + centre + direction * j;
            if (at >= 0.0 && at < (double)to->n)
                to->value[(size_t)at] += value;
            value *= ratio;
            ratio *= squared;
        }
    }
}

static void smooth(const struct grid *from, double sd, struct grid *to)
{
    for (size_t i = 0; i < from->n; i++)
        if (from->value[i] * from->spacing > 1e-30)
            deposit(to, from->value[i] * from->spacing, grid_x(from, i), sd);
}

/* Where the law of Y_t is a sum of points with masses. */
struct sources {
    size_t n, capacity;
    double *x, *mass;
};

static void sources_add(struct sources *sources, double x, double mass)
{
    if (fabs(mass) < 1e-30)
        return;
    if (sources->n == sources->capacity) {
        sources->capacity = 2 * sources->capacity + 1024;
        sources->x = realloc(sources->x, sources->capacity * sizeof *sources->x);
        sources->mass = realloc(sources->mass, sources->capacity * sizeof *sources->mass);
        ck_assert(sources->x != NULL && sources->mass != NULL);
    }
    sources->x[sources->n] = x;
    sources->mass[sources->n++] = mass;
}

/* Lagrange's polynomial on the nearest points. */
static double interpolate(const struct grid *grid, double x)
{
    double at = x / grid->spacing + (double)(grid->n / 2), total = 0.0;
    double first = fmin(fmax(floor(at) - STENCIL / 2 + 1, 0.0), (double)(grid->n - STENCIL));
    for (int i = 0; i < STENCIL; i++) {
        double basis = grid->value[(size_t)first + (size_t)i];
        for (int j = 0; j < STENCIL; j++)
            basis *= j == i ? 1.0 : (at - first - j) / (i - j);
        total += basis;
    }
    return total;
}

/* All that a step's map depends on. */
struct map {
    const struct brute_problem *problem;
    struct step step;
    struct brute_levels levels;
};

static int clips(const struct map *map)
{
    return isfinite(map->step.clip) && map->problem->sampler->correction != NULL;
}

static unsigned side_of(const struct map *map, double x)
{
    const struct sampler *sampler = map->problem->sampler;
    unsigned side = 1;
    struct brute_score score = {{.evaluate = brute_score_evaluate}, &map->levels, &side};
    double out, work[MOST_WORK];
    sampler->increment(&map->step, &score.base, 1, &x, &out, work);
    if (clips(map)) {
        sampler->correction(&map->step, &score.base, 1, &x, &out, work);
        side = 2 * side + (fabs(out) > map->step.clip);
    }
    return side;
}

static void add_cell(const struct grid *grid, double a, double b, struct sources *sources)
{
    for (int i = 0; i < NODES; i++) {
        double node = i % 2 == 0 ? gauss_node[i / 2] : -gauss_node[i / 2];
        double x = 0.5 * (a + b + (b - a) * node);
        sources_add(sources, x, 0.5 * (b - a) * gauss_weight[i / 2] * interpolate(grid, x));
    }
}

/* [a, b] cut where the map jumps: where an evaluation crosses an edge, be it a second one at a moved point. Sides are
 * read just inside, for a and b may be edges themselves. */
static void add_interval(const struct map *map, const struct grid *grid, double a, double b, struct sources *sources)
{
    const double inside = 1e-9 * (b - a);
    unsigned last = side_of(map, b - inside);
    for (int cuts = 0; side_of(map, a + inside) != last; cuts++) {
        unsigned first = side_of(map, a + inside);
        double low = a + inside, high = b - inside;
        for (int i = 0; i < 50; i++) {
            double middle = 0.5 * (low + high);
            *(side_of(map, middle) == first ? &low : &high) = middle;
        }
        add_cell(grid, a, high, sources);
        a = high;
        if (cuts > 8)
            ck_abort_msg("the map jumps everywhere");
    }
    add_cell(grid, a, b, sources);
}

/* Where the map may jump twice in a short interval, so that its ends look alike: the edges, and the extrema of a
 * clipped correction. */
struct cuts {
    size_t n;
    double x[MOST_CUTS];
};

static void cuts_add(struct cuts *cuts, double x)
{
    if (cuts->n == MOST_CUTS)
        ck_abort_msg("too many cuts");
    size_t i = cuts->n++;
    for (; i > 0 && cuts->x[i - 1] > x; i--)
        cuts->x[i] = cuts->x[i - 1];
    cuts->x[i] = x;
}

static double correction_size(const struct map *map, double x)
{
    struct brute_score score = {{.evaluate = brute_score_evaluate}, &map->levels, NULL};
    double out, work[MOST_WORK];
    map->problem->sampler->correction(&map->step, &score.base, 1, &x, &out, work);
    return fabs(out);
}

static void add_extrema(const struct map *map, double spacing, struct cuts *cuts)
{
    const double golden = 0.3819660112501051;
    double left = correction_size(map, -REACH), middle = correction_size(map, spacing - REACH);
    for (double x = spacing - REACH; x < REACH; x += spacing) {
        double right = correction_size(map, x + spacing), sign = middle > left ? 1.0 : -1.0;
        if ((middle - left) * (middle - right) > 0.0) {
            double a = x - spacing, b = x + spacing;
            for (int i = 0; i < 40; i++) {
                double low = a + golden * (b - a), high = b - golden * (b - a);
                if (sign * correction_size(map, low) > sign * correction_size(map, high))
                    b = high;
                else
                    a = low;
            }
            cuts_add(cuts, 0.5 * (a + b));
        }
        left = middle;
        middle = right;
    }
}

static void cut_up(const struct map *map, const struct grid *grid, struct sources *sources)
{
    double width = CELL * grid->spacing, from = -REACH;
    struct cuts cuts = {0};
    for (size_t k = 0; k < map->levels.from.edges; k++)
        cuts_add(&cuts, map->levels.from.edge[k]);
    if (cuts.n == 2)
        width = fmin(width, 0.25 * (cuts.x[1] - cuts.x[0])); /* the same edges at the next level are as far apart */
    if (clips(map))
        add_extrema(map, fmin(0.5 * width, 0.01), &cuts);
    cuts_add(&cuts, REACH);
    for (size_t k = 0; k < cuts.n; k++) {
        double length = cuts.x[k] - from, cells = ceil(length / width);
        for (double j = 0.0; j < cells; j += 1.0) {
            double a = from + length * (j / cells), b = from + length * ((j + 1.0) / cells);
            if (interpolate(grid, 0.5 * (a + b)) > 1e-25)
                add_interval(map, grid, a, b, sources);
        }
        from = cuts.x[k];
    }
}

static double noise_after(const struct sampler *sampler, const struct step *step)
{
    return sqrt(step->beta / step->alpha * exp(sampler->log_noise_ratio(step)));
}

static double noise_before(const struct sampler *sampler, const struct step *step)
{
    return sqrt(step->beta * exp(sampler->log_noise_before(step)));
}

static int has_noise_before(const struct sampler *sampler, const struct step *step)
{
    return sampler->log_noise_before != NULL && isfinite(sampler->log_noise_before(step));
}

/* q_{t-1}(y) = int q_t(x) N(y; (x + D(x))/sqrt(alpha), v) dx, averaged over what the step draws */
static void push(struct map *map, const struct grid *from, struct grid *to)
{
    const struct sampler *sampler = map->problem->sampler;
    struct brute_score score = {{.evaluate = brute_score_evaluate}, &map->levels, NULL};
    struct sources sources = {0};
    if (map->levels.from.edges + map->levels.to.edges > 0 || clips(map))
        cut_up(map, from, &sources);
    else
        for (size_t i = 0; i < from->n; i++)
            sources_add(&sources, grid_x(from, i), from->spacing * from->value[i]);
    double *D = calloc(sources.n * (1 + sampler->work_arrays), sizeof *D);
    ck_assert_ptr_nonnull(D);
    double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS];
    size_t draws = sampler_draws(sampler, draw, weight);
    for (size_t k = 0; k < draws; k++) {
        map->step.draw = draw[k];
        brute_levels_set(map->problem, &map->step, &map->levels);
        sampler->increment(&map->step, &score.base, sources.n, sources.x, D, D + sources.n);
        for (size_t i = 0; i < sources.n; i++)
            deposit(to, weight[k] * sources.mass[i], (sources.x[i] + D[i]) / sqrt(map->step.alpha),
                    noise_after(sampler, &map->step));
    }
    free(D);
    free(sources.x);
    free(sources.mass);
}

double brute_absolute_integral(const double f[4])
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

/* Adds what the i-th point of q has, where the other density is p; difference: of this point and the three before. */
static void add_point(const struct grid *q, size_t i, double p, double difference[4], struct brute *brute)
{
    for (int k = 0; k < 3; k++)
        difference[k] = difference[k + 1];
    difference[3] = q->value[i] - p;
    brute->tv += 0.5 * q->spacing * (i >= 3 ? brute_absolute_integral(difference) : 0.0);
    brute->mass += q->spacing * q->value[i];
    brute->chi2 += p > 1e-25 ? q->spacing * difference[3] * difference[3] / p : 0.0;
}

static struct brute measure(const struct grid *q, const struct brute_level *target)
{
    struct brute brute = {0};
    double difference[4] = {0.0};
    for (size_t i = 0; i < q->n; i++) {
        add_point(q, i, brute_density(target, grid_x(q, i), NULL), difference, &brute);
        brute_share(target, grid_x(q, i), q->spacing * q->value[i], brute.component);
    }
    return brute;
}

/* The last steps have no noise, and Y_1 = M(Y_t): the law of Y_t against what M pulls back, p_1(M(x)) M'(x). */
static struct brute measure_mapped(struct map *map, const struct grid *q)
{
    static const double weight[] = {-1.0 / 60.0, 9.0 / 60.0, -45.0 / 60.0, 0.0, 45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0};
    const struct brute_problem *problem = map->problem;
    enum { BESIDE = 3, WIDE = 2 * BESIDE + 1 };
    const double offset = 1e-3;
    struct brute brute = {0};
    double difference[4] = {0.0}, *x = calloc(q->n * WIDE * (2 + problem->sampler->work_arrays), sizeof *x);
    double *D = x + q->n * WIDE;
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < q->n * WIDE; i++)
        x[i] = grid_x(q, i / WIDE) + offset * ((double)(i % WIDE) - BESIDE);
    for (size_t t = map->step.t; t >= 2; t--) {
        map->step = sampler_step(problem->sampler, problem->schedule, t);
        brute_levels_set(problem, &map->step, &map->levels);
        ck_assert(noise_after(problem->sampler, &map->step) == 0.0);
        struct brute_score score = {{.evaluate = brute_score_evaluate}, &map->levels, NULL};
        problem->sampler->increment(&map->step, &score.base, q->n * WIDE, x, D, D + q->n * WIDE);
        for (size_t i = 0; i < q->n * WIDE; i++)
            x[i] = (x[i] + D[i]) / sqrt(map->step.alpha);
    }
    for (size_t i = 0; i < q->n; i++) {
        double slope = 0.0, y = x[i * WIDE + BESIDE];
        for (size_t k = 0; k < WIDE; k++)
            slope += weight[k] * x[i * WIDE + k] / offset;
        double p = brute_density(&map->levels.to, y, NULL) * slope;
        ck_assert_msg(slope > 0.0, "the map of the last steps folds");
        add_point(q, i, p, difference, &brute);
        brute_share(&map->levels.to, y, q->spacing * q->value[i], brute.component);
    }
    free(x);
    return brute;
}

/* The smallest length that matters to the integrals of a step. */
static double finest(const struct brute_problem *problem, size_t t)
{
    struct step step = sampler_step(problem->sampler, problem->schedule, t);
    double length =
        noise_after(problem->sampler, &step) > 0.0 ? fmin(noise_after(problem->sampler, &step), 0.3) : 0.3;
    if (has_noise_before(problem->sampler, &step))
        length = fmin(length, noise_before(problem->sampler, &step));
    struct brute_level level;
    brute_level_set(problem, t - 1, &level);
    return level.wave > 0.0 ? fmin(length, 1.5 / level.wave) : length;
}

struct brute brute_on_grid(const struct brute_problem *problem)
{
    const struct schedule *schedule = problem->schedule;
    const struct sampler *sampler = problem->sampler;
    double scale = 1.0 / (POINTS_A_STANDARD * problem->fineness), length = finest(problem, schedule->T);
    struct grid q = grid_new(length * scale);
    for (size_t i = 0; i < q.n; i++)
        q.value[i] = exp(-0.5 * grid_x(&q, i) * grid_x(&q, i)) / sqrt(2.0 * M_PI);
    struct map map = {.problem = problem};
    ck_assert_uint_le(sampler->work_arrays, MOST_WORK);
    for (size_t t = schedule->T; t >= 2; t--) {
        map.step = sampler_step(sampler, schedule, t);
        map.step.clip = problem->clip > 0.0 ? problem->clip : HUGE_VAL;
        brute_levels_set(problem, &map.step, &map.levels);
        if (noise_after(sampler, &map.step) == 0.0)
            break;
        if (has_noise_before(sampler, &map.step)) {
            struct grid noisy = grid_new(length * scale);
            smooth(&q, noise_before(sampler, &map.step), &noisy);
            free(q.value);
            q = noisy;
        }
        /* the next grid resolves what the step leaves, what the next one does and, at the end, the kinks of |q - p|
         */
        double next = t > 2 ? finest(problem, t - 1) : 0.001 * POINTS_A_STANDARD;
        struct grid to = grid_new(fmin(length, next) * scale);
        push(&map, &q, &to);
        free(q.value);
        q = to;
        length = next;
    }
    struct brute brute =
        noise_after(sampler, &map.step) > 0.0 ? measure(&q, &map.levels.to) : measure_mapped(&map, &q);
    free(q.value);
    return brute;
}
