#include "law/plane/map.h"

#include <math.h>

#include "law/monotone.h"
#include "law/tuning.h"

enum { POINTS = PATCH_MOST * PATCH_MOST, STENCIL = 6, MOST_NEWTON = 60 };

/* D and its derivatives at some points, coordinate after coordinate; D'[i][k] = dD_i/dx_k. */
struct jet {
    double D[2][POINTS], slope[2][2][POINTS];
};

static void displace(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor, size_t count,
                     double x[2][POINTS], struct jet *out)
{
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < 2; i++)
            work->x[i * count + j] = x[i][j];
    plane_transfer_at(transfer, work, anchor, count);
    work->node_updates += count;
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < 2; i++)
            out->D[i][j] = work->increment[i * count + j];
}

static void differentiate(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor,
                          const double spacing[2], size_t count, double x[2][POINTS], struct jet *out)
{
    static const double offset[STENCIL] = {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0};
    static const double weight[STENCIL] = {-1.0 / 60.0, 9.0 / 60.0,  -45.0 / 60.0,
                                           45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0};
    size_t all = 2 * STENCIL * count;
    for (size_t k = 0; k < 2; k++)
        for (size_t m = 0; m < STENCIL; m++)
            for (size_t j = 0; j < count; j++)
                for (size_t i = 0; i < 2; i++)
                    work->x[i * all + (k * STENCIL + m) * count + j] =
                        x[i][j] + (i == k ? offset[m] * spacing[k] : 0.0);
    plane_transfer_at(transfer, work, anchor, all);
    work->node_updates += all;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            for (size_t j = 0; j < count; j++) {
                double total = 0.0;
                for (size_t m = 0; m < STENCIL; m++)
                    total += weight[m] * work->increment[i * all + (k * STENCIL + m) * count + j];
                out->slope[i][k][j] = total / spacing[k];
            }
}

/* det(1 + D') - 1 */
static double excess(const struct jet *jet, size_t j)
{
    return jet->slope[0][0][j] + jet->slope[1][1][j]
           + (jet->slope[0][0][j] * jet->slope[1][1][j] - jet->slope[0][1][j] * jet->slope[1][0][j]);
}

/* Neither turned over nor turned round. */
static bool is_upright(const struct jet *jet, size_t j)
{
    return excess(jet, j) > -1.0 && jet->slope[0][0][j] + jet->slope[1][1][j] > -2.0;
}

static void newton_step(const struct jet *jet, size_t j, const double residual[2], double out[2])
{
    double a = 1.0 + jet->slope[0][0][j], b = jet->slope[0][1][j], c = jet->slope[1][0][j],
           d = 1.0 + jet->slope[1][1][j], det = 1.0 + excess(jet, j);
    bool steep = !(det > 0.1);
    out[0] = steep ? residual[0] : (d * residual[0] - b * residual[1]) / det;
    out[1] = steep ? residual[1] : (a * residual[1] - c * residual[0]) / det;
}

/* Solves x + D(x) = goal. Derivatives are taken again where the residual does not fall by much, and a step that makes
 * it larger is halved: in valleys D is steep and, on either side, flat. */
static void invert(const struct plane_transfer *transfer, struct plane_work *work, size_t anchor, double length,
                   const double spacing[2], size_t count, double goal[2][POINTS], double x[2][POINTS],
                   struct jet *jet, bool *good)
{
    double before = 0.0, missed, size[POINTS], step[POINTS][2];
    for (int n = 0; n < MOST_NEWTON; n++, before = missed) {
        displace(transfer, work, anchor, count, x, jet);
        missed = 0.0;
        double residual[POINTS][2];
        bool larger[POINTS];
        for (size_t j = 0; j < count; j++) {
            double now = 0.0;
            for (size_t i = 0; i < 2; i++) {
                residual[j][i] = goal[i][j] - x[i][j] - jet->D[i][j];
                now = isnan(residual[j][i]) ? HUGE_VAL : fmax(now, fabs(residual[j][i]) / length);
            }
            larger[j] = n > 0 && !(now <= size[j]) && !(now <= NEWTON_ACCEPTED);
            size[j] = larger[j] ? size[j] : now;
            good[j] = now <= NEWTON_ACCEPTED;
            missed = fmax(missed, now);
        }
        if (missed <= NEWTON_CONVERGED || (missed <= NEWTON_ACCEPTED && missed >= before && n > 0))
            break;
        if (n == 0 || !(missed < 0.1 * before)) /* also where both are infinite */
            differentiate(transfer, work, anchor, spacing, count, x, jet);
        for (size_t j = 0; j < count; j++) {
            if (!larger[j])
                newton_step(jet, j, residual[j], step[j]);
            for (size_t i = 0; i < 2; i++) {
                step[j][i] *= larger[j] ? 0.5 : 1.0;
                x[i][j] += larger[j] ? -step[j][i] : step[j][i];
            }
        }
    }
    differentiate(transfer, work, anchor, spacing, count, x, jet);
    for (size_t j = 0; j < count; j++)
        good[j] &= is_upright(jet, j);
}

/* The leaf that stands for a point: that which holds it, or the first on the way from there to the patch that is
 * being filled. */
static const struct patch *leaf_of(const struct patches *grid, size_t anchor, const double at[2],
                                   const double centre[2])
{
    enum { STEPS = 8 };
    size_t leaf = 0;
    for (int i = 0; i <= STEPS; i++) {
        double part = (double)i / STEPS;
        if (patches_have(grid, anchor, at[0] + part * (centre[0] - at[0]), at[1] + part * (centre[1] - at[1]), &leaf))
            break;
    }
    return &grid->patch[leaf];
}

/* Where a polynomial is asked for in one coordinate of a leaf: at one point of [-1, 1] or, beyond, at three from the
 * side inwards, through which it goes on as a quadratic function, as log r does in the tails of a component, no
 * farther than half the leaf's side. A polynomial itself must not go on, for rounding would grow from step to step;
 * and where it stood still, the fold would be one of the law where q is wider than p. */
struct places {
    size_t count;
    double x[3], weight[3];
};

static struct places places_at(double x)
{
    double side = x < 0.0 ? -1.0 : 1.0, e = fmin(fabs(x) - 1.0, 1.0);
    if (!(e > 0.0))
        return (struct places){1, {x}, {1.0}};
    return (struct places){
        3, {side, 0.5 * side, 0.0}, {(1.0 + 2.0 * e) * (1.0 + e), -4.0 * e * (1.0 + e), e * (1.0 + 2.0 * e)}};
}

/* log r at one point, in the coordinates of the patches. */
static double log_ratio_at(const struct plane_transfer *transfer, size_t anchor, const double at[2],
                           const double centre[2])
{
    const struct patches *grid = transfer->grid;
    const struct patch *leaf = leaf_of(grid, anchor, at, centre);
    struct places place[2];
    double value[9], total = 0.0;
    for (int i = 0; i < 2; i++)
        place[i] =
            places_at((at[i] + patches_offset(grid->factor, anchor, leaf->anchor, i) - leaf->centre[i]) / leaf->half);
    patch_evaluate(leaf, transfer->lobattos, place[0].count, place[0].x, place[1].count, place[1].x, value);
    for (size_t i = 0; i < place[0].count; i++)
        for (size_t j = 0; j < place[1].count; j++)
            total += place[0].weight[i] * place[1].weight[j] * value[i * place[1].count + j];
    return total;
}

/* Sums of whole numbers do not depend on their order, nor on which thread adds what. One that is refused in any case
 * grows no further, lest it overflow. */
#define FOLDED_UNIT 0x1p-80

static void add_folded(struct plane_folded *folded, double mass, double place)
{
    if (!(mass <= MAP_IGNORED_MASS)) { /* refused */
        mass = isnan(mass) ? HUGE_VAL : mass;
        folded->place = mass > folded->largest ? place : folded->place;
        folded->largest = fmax(folded->largest, mass);
    } else if ((double)folded->units * FOLDED_UNIT <= MAP_IGNORED_MASS)
        folded->units += (uint64_t)ceil(mass / FOLDED_UNIT);
}

void plane_map_apply(const struct plane_transfer *transfer, struct plane_work *work, double length,
                     const bool finer[2], size_t anchor, size_t nx, const double *x, size_t ny, const double *y,
                     double *log_ratio, double *log_density)
{
    double at[2 * POINTS], goal[2][POINTS], from[2][POINTS], root = transfer->from->root_alpha_bar, spacing[2];
    struct jet jet;
    bool good[POINTS];
    const double centre[2] = {x[nx / 2], y[ny / 2]};
    size_t points = nx * ny;
    for (size_t i = 0; i < points; i++) {
        const double u[2] = {x[i / ny], y[i % ny]};
        for (size_t k = 0; k < 2; k++) {
            at[k * points + i] = transfer->to->root_alpha_bar * u[k];
            from[k][i] = goal[k][i] = root * u[k];
        }
    }
    for (int k = 0; k < 2; k++) /* a power of two, so that the stencil's points are exact */
        spacing[k] = exp2(floor(log2(STENCIL_SPACING * length)) - (finer[k] ? 1.0 : 0.0));
    joint_level_evaluate(transfer->to, anchor, points, points, at, log_density, NULL);
    invert(transfer, work, anchor, length, spacing, points, goal, from, &jet, good);
    for (size_t i = 0; i < points; i++)
        for (size_t k = 0; k < 2; k++)
            work->x[k * points + i] = from[k][i] = good[i] ? from[k][i] : goal[k][i];
    joint_level_evaluate(transfer->from, anchor, points, points, work->x, work->log_density, NULL);
    for (size_t i = 0; i < points; i++) {
        log_ratio[i] =
            log_ratio_at(transfer, anchor, (const double[2]){from[0][i] / root, from[1][i] / root}, centre);
        if (good[i])
            log_ratio[i] +=
                (work->log_density[i] - log_density[i]) + (transfer->stage.step->log_alpha - log1p(excess(&jet, i)));
        else
            add_folded(&work->folded, exp(work->log_density[i] + log_ratio[i]) * length * length,
                       from[0][i] + root * transfer->from->factor->mean[2 * anchor]);
    }
}

void plane_map_find_folds(const struct plane_transfer *transfer, struct plane_work *work, double length,
                          const struct patch *patch)
{
    const struct lobatto *by[2] = {lobatto_of(transfer->lobattos, patch->nodes[0]),
                                   lobatto_of(transfer->lobattos, patch->nodes[1])};
    double at[2][POINTS], root = transfer->from->root_alpha_bar,
                          spacing = exp2(floor(log2(STENCIL_SPACING * length)));
    size_t points = patch->nodes[0] * patch->nodes[1];
    struct jet jet;
    for (size_t j = 0; j < points; j++) {
        size_t of[2] = {j / patch->nodes[1], j % patch->nodes[1]};
        for (size_t i = 0; i < 2; i++)
            at[i][j] = root * (patch->centre[i] + patch->half * by[i]->node[of[i]]);
    }
    differentiate(transfer, work, patch->anchor, (const double[2]){spacing, spacing}, points, at, &jet);
    for (size_t j = 0; j < points; j++)
        for (size_t i = 0; i < 2; i++)
            work->x[i * points + j] = at[i][j];
    joint_level_evaluate(transfer->from, patch->anchor, points, points, work->x, work->log_density, NULL);
    for (size_t j = 0; j < points; j++)
        if (!is_upright(&jet, j))
            add_folded(&work->folded, exp(work->log_density[j] + patch->value[j]) * length * length,
                       at[0][j] + root * transfer->from->factor->mean[2 * patch->anchor]);
}

enum status plane_map_take_folded(const struct stage *stage, struct plane_thread *thread, size_t threads,
                                  double *ignored, struct error *error)
{
    struct plane_folded all = {0};
    for (size_t i = 0; i < threads; i++) {
        const struct plane_folded *own = &thread[i].work.folded;
        all.units += own->units;
        all.place = own->largest > all.largest ? own->place : all.place;
        all.largest = fmax(all.largest, own->largest);
        thread[i].work.folded = (struct plane_folded){0};
    }
    *ignored = 2.0 * FOLDED_UNIT * (double)all.units;
    return monotone_ignore(stage, fmax(all.largest, 0.5 * *ignored), "x = ", all.place, &(double){0.0}, error);
}
