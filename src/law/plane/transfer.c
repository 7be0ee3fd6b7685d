#include "law/plane/transfer.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"

/* ---- The perturbed score ---- */

/* Adds the error along one direction to the scores of n points, coordinate after coordinate. */
static void add_error(const struct plane_oracle *oracle, size_t direction, size_t at, size_t n, const double *x,
                      double *out)
{
    const struct plane_direction *along = &oracle->direction[direction];
    const struct error_level *error = &along->error[at];
    double *position = oracle->work, *value = position + n, *work = value + n;
    if (error->shape == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        position[i] = along->axis[0] * x[i] + along->axis[1] * x[n + i];
        value[i] = 0.0;
    }
    error_level_add(error, &along->level[at], oracle->anchor, n, position, value, work);
    for (size_t i = 0; i < n; i++) {
        out[i] += along->axis[0] * value[i];
        out[n + i] += along->axis[1] * value[i];
    }
}

static double shift_at(const struct plane_oracle *oracle, const struct joint_level *joint, size_t axis)
{
    return joint->root_alpha_bar * joint->factor->mean[2 * oracle->anchor + axis];
}

/* Original coordinates at a level, relative to the anchor there. */
static const double *make_relative(const struct plane_oracle *oracle, const struct joint_level *joint, size_t n,
                                   const double *x)
{
    double *relative = oracle->work + 5 * oracle->batch;
    for (size_t i = 0; i < 2 * n; i++)
        relative[i] = x[i] - shift_at(oracle, joint, i / n);
    return relative;
}

void plane_oracle_apply(const struct plane_oracle *oracle, sampler_map *map, const struct step *step, size_t n,
                        const double *x, double *out, double *work)
{
    if (!oracle->original) {
        map(step, &oracle->base, 2 * n, x, out, work);
        return;
    }
    struct plane_oracle original = *oracle;
    double *place = oracle->work + 3 * n;
    original.batch = n;
    original.known_x = NULL;
    for (size_t i = 0; i < 2 * n; i++)
        place[i] = x[i] + shift_at(oracle, oracle->density[0], i / n);
    map(step, &original.base, 2 * n, place, out, work);
}

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct plane_oracle *oracle = (const struct plane_oracle *)score;
    size_t at = 0;
    while (at < oracle->levels && !level_equal(&oracle->density[at]->level, level))
        at++;
    if (at == oracle->levels) {
        undeclared_note(oracle->undeclared, level, n, out);
        return;
    }
    if (oracle->original)
        x = make_relative(oracle, oracle->density[at], n / 2, x);
    if (at == 0 && x == oracle->known_x)
        for (size_t i = 0; i < n; i++)
            out[i] = oracle->known_score[i];
    else
        *oracle->functions += joint_level_evaluate(oracle->density[at], oracle->anchor, n / 2, n / 2, x, NULL, out);
    for (size_t direction = 0; direction < oracle->directions; direction++)
        add_error(oracle, direction, at, n / 2, x, out);
}

static void clip(const struct score *score, double radius, size_t n, double *correction)
{
    (void)score;
    size_t points = n / 2;
    for (size_t i = 0; i < points; i++)
        if (hypot(correction[i], correction[points + i]) > radius)
            correction[i] = correction[points + i] = 0.0;
}

void plane_oracle_init(struct plane_oracle *oracle)
{
    oracle->base = (struct score){.evaluate = evaluate, .clip = clip};
    oracle->levels = 2;
}

/* ---- Workspace ---- */

enum status plane_work_new(const struct sampler *sampler, struct plane_work *out, struct error *error)
{
    enum { ARRAYS = 12 };
    *out = (struct plane_work){0};
    out->block = sampler->work_arrays < 1000
                     ? array_new((ARRAYS + 9 + 2 * sampler->work_arrays) * PLANE_BATCH, sizeof *out->block)
                     : NULL;
    if (out->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the plane engine's workspace");
    double **array[] = {
        &out->x,      &out->log_density, &out->score,    &out->increment,     &out->log_ratio,
        &out->term,   &out->oracle_work, &out->column_z, &out->column_weight, &out->column_log_density,
        &out->grid_x, &out->grid_y,      &out->work};
    static const size_t size[] = {2, 1, 2, 2, 1, 1, 7, 1, 1, 1, 1, 1, 0};
    double *next = out->block;
    for (size_t i = 0; i < sizeof array / sizeof array[0]; i++) {
        *array[i] = next;
        next += size[i] * PLANE_BATCH;
    }
    return patches_work_new(PLANE_BATCH, &out->patches, error);
}

void plane_work_free(struct plane_work *work)
{
    free(work->block);
    patches_work_free(&work->patches);
    *work = (struct plane_work){0};
}

/* ---- The transfer ---- */

/* Where the quadrature nodes lie and what that adds to log c: as in law/line/transfer.h, for two coordinates,
 *     log c = -(tau z.D + |D|^2/2)/v + |z|^2 (1 - tau^2/v)/2 + log(tau^2/v) + 2 log a + log p(x) - log p'(y),
 * with tau as it is exact around the anchor, along its narrow axis. */
struct scale {
    double tau, linear, quadratic, curvature, constant;
};

static struct scale scale_at(const struct plane_transfer *transfer, size_t anchor)
{
    double narrow = transfer->from->ellipse[anchor].narrow, V = narrow * narrow, v = transfer->stage.noise;
    double shrink = transfer->stage.moves ? transfer->stage.step->beta / V : 0.0,
           q = v / V - 2.0 * shrink + shrink * shrink;
    double log_alpha = transfer->stage.moves ? transfer->stage.step->log_alpha : 0.0, tau = sqrt(v / (1.0 + q));
    return (struct scale){tau, tau / v, 0.5 / v, 0.5 * q / (1.0 + q), log_alpha - log1p(q)};
}

/* A block of quadrature points: lines of all combinations of a node x[i] and a z, columns likewise. */
struct lines {
    const struct plane_transfer *transfer;
    const struct quadrature *rule[2];
    struct scale scale;
    size_t anchor, nearest, nx, ny;
    const double *x, *y;
    size_t columns;
};

void plane_transfer_at(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor, size_t points)
{
    work->functions +=
        joint_level_evaluate(transfer->from, anchor, points, points, work->x, work->log_density, work->score);
    if (transfer->stage.moves) {
        struct plane_oracle *oracle = transfer->oracle;
        oracle->anchor = anchor;
        oracle->work = work->oracle_work;
        oracle->known_x = transfer->from == oracle->density[0] ? work->x : NULL;
        oracle->known_score = work->score;
        plane_oracle_apply(oracle, transfer->stage.sampler->increment, transfer->stage.step, points, work->x,
                           work->increment, work->work);
        oracle->known_x = NULL;
    } else
        for (size_t i = 0; i < 2 * points; i++)
            work->increment[i] = 0.0;
}

/* Positions, densities, scores and increments at lines [first, first + count). */
static void fill_lines(const struct lines *lines, struct plane_work *work, size_t first, size_t count)
{
    const struct plane_transfer *transfer = lines->transfer;
    const struct quadrature *along = lines->rule[0], *across = lines->rule[1];
    double root = transfer->from->root_alpha_bar, tau = lines->scale.tau;
    size_t columns = lines->columns, batch = count * columns;
    double column_y[PLANE_BATCH];
    for (size_t i = 0; i < across->n; i++)
        for (size_t j = 0; j < lines->ny; j++) {
            size_t c = i * lines->ny + j;
            work->grid_y[c] = lines->y[j] + tau / root * across->node[i];
            column_y[c] = root * lines->y[j] + tau * work->column_z[c];
        }
    for (size_t l = 0; l < count; l++) {
        double u = lines->x[(first + l) % lines->nx], z = along->node[(first + l) / lines->nx];
        double at = root * u + tau * z;
        work->grid_x[l] = u + tau / root * z;
        for (size_t c = 0; c < columns; c++)
            work->x[l * columns + c] = at;
        memcpy(work->x + batch + l * columns, column_y, columns * sizeof *column_y);
    }
    plane_transfer_at(transfer, work, lines->anchor, batch);
    patches_evaluate(transfer->grid, transfer->lobattos, lines->anchor, lines->nearest, count, work->grid_x, columns,
                     work->grid_y, work->log_ratio, &work->patches);
    work->node_updates += batch;
}

VECTOR_CLONES static void add_log_c(const struct scale *scale, double z, size_t columns, const double *column_z,
                                    const double *dx, const double *dy, const double *log_density,
                                    const double *log_density_y, double *log_ratio)
{
    double constant = scale->constant + scale->curvature * z * z, linear = scale->linear * z,
           quadratic = scale->quadratic;
    for (size_t c = 0; c < columns; c++) {
        double along_x = dx[c] * (linear + quadratic * dx[c]);
        double along_y = dy[c] * (scale->linear * column_z[c] + quadratic * dy[c]);
        double curved = constant + scale->curvature * (column_z[c] * column_z[c]);
        log_ratio[c] += (curved - along_x - along_y) + (log_density[c] - log_density_y[c]);
    }
}

/* log r + log c at all points of the lines, in place of log r. */
static void exponents(const struct lines *lines, struct plane_work *work, size_t first, size_t count,
                      const double *log_density)
{
    size_t columns = lines->columns, batch = count * columns;
    fill_lines(lines, work, first, count);
    for (size_t l = 0; l < count; l++) {
        size_t at = l * columns, node = (first + l) % lines->nx;
        for (size_t i = 0; i < lines->rule[1]->n; i++)
            memcpy(work->column_log_density + i * lines->ny, log_density + node * lines->ny,
                   lines->ny * sizeof *log_density);
        add_log_c(&lines->scale, lines->rule[0]->node[(first + l) / lines->nx], columns, work->column_z,
                  work->increment + at, work->increment + batch + at, work->log_density + at,
                  work->column_log_density, work->log_ratio + at);
    }
}

static struct lines lines_of(const struct plane_transfer *transfer, struct plane_work *work,
                             const struct quadrature *const rule[2], size_t anchor, size_t nx, const double *x,
                             size_t ny, const double *y)
{
    struct lines lines = {.transfer = transfer,
                          .rule = {rule[0], rule[1]},
                          .scale = scale_at(transfer, anchor),
                          .anchor = anchor,
                          .nearest = patches_find(transfer->grid, anchor, x[nx / 2], y[ny / 2]),
                          .nx = nx,
                          .ny = ny,
                          .x = x,
                          .y = y,
                          .columns = rule[1]->n * ny};
    for (size_t c = 0; c < lines.columns; c++) {
        work->column_z[c] = rule[1]->node[c / ny];
        work->column_weight[c] = rule[1]->weight[c / ny];
    }
    return lines;
}

/* log(sum_i w_i exp(e_i)) at one point, where r is far below 1 and 1 + sum w expm1(e) has lost its digits. */
static double log_mean_exp(const struct plane_transfer *transfer, struct plane_work *work,
                           const struct quadrature *const rule[2], size_t anchor, double x, double y,
                           double log_density)
{
    struct lines lines = lines_of(transfer, work, rule, anchor, 1, &x, 1, &y);
    double largest = -HUGE_VAL, total = 0.0;
    size_t together = PLANE_BATCH / lines.columns;
    for (size_t first = 0, count; first < rule[0]->n; first += count) {
        count = rule[0]->n - first < together ? rule[0]->n - first : together;
        exponents(&lines, work, first, count, &log_density);
        double before = largest;
        for (size_t i = 0; i < count * lines.columns; i++)
            largest = fmax(largest, work->log_ratio[i]);
        total *= exp(before - largest);
        for (size_t l = 0; l < count; l++)
            for (size_t c = 0; c < lines.columns; c++)
                total += rule[0]->weight[first + l] * rule[1]->weight[c]
                         * exp(work->log_ratio[l * lines.columns + c] - largest);
    }
    return largest + log(total);
}

void plane_transfer_apply(const struct plane_transfer *transfer, struct plane_work *work,
                          const struct quadrature *const rule[2], size_t anchor, size_t nx, const double *x,
                          size_t ny, const double *y, double *log_ratio, double *log_density)
{
    struct lines lines = lines_of(transfer, work, rule, anchor, nx, x, ny, y);
    double mean[PATCH_MOST * PATCH_MOST] = {0.0}, at[2 * PATCH_MOST * PATCH_MOST];
    size_t points = nx * ny, together = PLANE_BATCH / lines.columns, all = rule[0]->n * nx;
    for (size_t i = 0; i < points; i++) {
        at[i] = transfer->to->root_alpha_bar * x[i / ny];
        at[points + i] = transfer->to->root_alpha_bar * y[i % ny];
    }
    work->functions += joint_level_evaluate(transfer->to, anchor, points, points, at, log_density, NULL);
    for (size_t first = 0, count; first < all; first += count) {
        count = all - first < together ? all - first : together;
        exponents(&lines, work, first, count, log_density);
        vexpm1(count * lines.columns, work->log_ratio, work->term);
        work->functions += count * lines.columns;
        for (size_t l = 0; l < count; l++) {
            double weight = rule[0]->weight[(first + l) / nx], *out = mean + (first + l) % nx * ny;
            const double *term = work->term + l * lines.columns;
            for (size_t i = 0; i < rule[1]->n; i++)
                for (size_t j = 0; j < ny; j++)
                    out[j] += weight * rule[1]->weight[i] * term[i * ny + j];
        }
    }
    vlog1p(points, mean, log_ratio);
    for (size_t i = 0; i < points; i++)
        if (mean[i] < -0.5)
            log_ratio[i] = log_mean_exp(transfer, work, rule, anchor, x[i / ny], y[i % ny], log_density[i]);
}
