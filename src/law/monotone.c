#include "law/monotone.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/vmath.h"
#include "law/quadrature.h"
#include "law/tuning.h"

enum { STENCIL = MONOTONE_STENCIL, MOST_NEWTON = 60, MOST_SECANTS = 12 };

const double stencil_offsets[STENCIL] = {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0};
const double stencil_weights[STENCIL] = {-1.0 / 60.0, 9.0 / 60.0, -45.0 / 60.0, 45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0};

/* Points of several panels, with the lengths and the stencil's spacings of their panels. */
struct batch {
    size_t count, each;
    double a;
    const double *y;
    double inverse_length[MONOTONE_POINTS], spacing[MONOTONE_POINTS], inverse_spacing[MONOTONE_POINTS];
};

VECTOR_CLONES static void set_stencil(size_t count, const double *spacing, const double *x, double *points)
{
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            points[k * count + j] = x[j] + stencil_offsets[k] * spacing[j];
}

VECTOR_CLONES static void read_stencil(size_t count, const double *inverse_spacing, const double *D, double *slope)
{
    for (size_t j = 0; j < count; j++)
        slope[j] = 0.0;
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            slope[j] += stencil_weights[k] * D[k * count + j] * inverse_spacing[j];
}

/* D at x[j], unless it is known, and D'; spacings are powers of two. */
static void differentiate(const struct monotone_map *map, const struct batch *batch, bool known,
                          struct monotone_inverse *out)
{
    double points[(STENCIL + 1) * MONOTONE_POINTS], D[(STENCIL + 1) * MONOTONE_POINTS];
    size_t stencil = STENCIL * batch->count, all = known ? stencil : stencil + batch->count;
    set_stencil(batch->count, batch->spacing, out->x, points);
    memcpy(points + stencil, out->x, (all - stencil) * sizeof *points);
    map->displacement(map->context, all, points, D);
    read_stencil(batch->count, batch->inverse_spacing, D, out->slope);
    memcpy(out->D, D + stencil, (all - stencil) * sizeof *D);
    out->evaluations += all;
}

/* A step of the secant rule from x, before which it was at `before`, where D was `last`. Returns the largest slope.
 */
VECTOR_CLONES static double secant_step(const struct batch *batch, const double *now, const double *last,
                                        double *before, double *x)
{
    double steepest = 0.0, a = batch->a;
    for (size_t j = 0; j < batch->count; j++) {
        double way = x[j] - before[j];
        double slope = fabs(way) * batch->inverse_length[j] > NEWTON_ACCEPTED ? (now[j] - last[j]) / way : 0.0;
        steepest = fabs(slope) > steepest ? fabs(slope) : steepest;
        before[j] = x[j];
        x[j] += (a * batch->y[j] - x[j] - now[j]) / (1.0 + slope);
    }
    return steepest;
}

/* Residuals, and the largest in lengths. */
VECTOR_CLONES static double set_residuals(const struct batch *batch, const double *x, const double *D,
                                          double *residual)
{
    double largest = 0.0, a = batch->a;
    for (size_t j = 0; j < batch->count; j++) {
        residual[j] = a * batch->y[j] - x[j] - D[j];
        double part = fabs(residual[j]) * batch->inverse_length[j];
        largest = part > largest ? part : largest;
    }
    return largest;
}

static void restart(const struct batch *batch, double *x)
{
    for (size_t j = 0; j < batch->count; j++)
        x[j] = batch->a * batch->y[j];
}

/* Solves x + D(x) = a y from x = a y by the secant rule, which needs no derivative. Returns the largest residual, in
 * lengths, with D(x); HUGE_VAL, with x = a y, where that fails or D changes so fast that the root may not be the only
 * one. */
static double solve_by_secants(const struct monotone_map *map, const struct batch *batch,
                               struct monotone_inverse *out)
{
    double D[2][MONOTONE_POINTS] = {{0.0}}, before[MONOTONE_POINTS], residual[MONOTONE_POINTS], missed = HUGE_VAL;
    memcpy(before, out->x, batch->count * sizeof *before);
    for (int i = 0; i < MOST_SECANTS && !map->radial; i++) {
        map->displacement(map->context, batch->count, out->x, D[i % 2]);
        out->evaluations += batch->count;
        double now = set_residuals(batch, out->x, D[i % 2], residual);
        if (now <= NEWTON_CONVERGED || (now <= NEWTON_ACCEPTED && now >= missed)) {
            memcpy(out->D, D[i % 2], batch->count * sizeof *out->D);
            return now;
        }
        missed = now;
        if (!(secant_step(batch, D[i % 2], D[1 - i % 2], before, out->x) < SECANT_STEEPEST))
            break;
    }
    restart(batch, out->x);
    return HUGE_VAL;
}

void monotone_invert(const struct monotone_map *map, size_t order, double a, const struct monotone_points *points,
                     struct monotone_inverse *out)
{
    struct batch batch = {.count = points->panels * points->each, .each = points->each, .a = a, .y = points->y};
    for (size_t p = 0, j = 0; p < points->panels; p++) {
        double length = points->length[p], inverse = 1.0 / length;
        /* a power of two, so that the stencil's points are exact */
        double spacing = exp2(floor(log2(STENCIL_SPACING * length) - (double)order / CHECK_ORDERS));
        for (size_t end = j + batch.each; j < end; j++) {
            batch.spacing[j] = spacing;
            batch.inverse_spacing[j] = 1.0 / spacing;
            batch.inverse_length[j] = inverse;
        }
    }
    out->evaluations = 0;
    restart(&batch, out->x);
    double missed = solve_by_secants(map, &batch, out);
    for (int i = 0; i < MOST_NEWTON; i++) {
        double before = missed, residual[MONOTONE_POINTS];
        differentiate(map, &batch, i == 0 && isfinite(missed), out);
        missed = set_residuals(&batch, out->x, out->D, residual);
        for (size_t j = 0; j < batch.count; j++)
            out->good[j] = out->slope[j] > -1.0 && fabs(residual[j]) * batch.inverse_length[j] <= NEWTON_ACCEPTED;
        if (missed <= NEWTON_CONVERGED || (missed <= NEWTON_ACCEPTED && missed >= before))
            break;
        for (size_t j = 0; j < batch.count; j++) {
            double next = out->x[j] + residual[j] / fmax(1.0 + out->slope[j], 0.1);
            out->x[j] = map->radial ? fmax(next, 1e-3 * out->x[j]) : next;
        }
    }
    for (size_t first = 0; first < batch.count; first += batch.each)
        for (size_t j = first + 1; j < first + batch.each; j++)
            out->good[j] &= out->x[j] > out->x[j - 1] || !out->good[j - 1];
    for (size_t j = 0; j < batch.count; j++)
        out->x[j] = out->good[j] ? out->x[j] : a * batch.y[j];
}

enum status monotone_ignore(const struct stage *stage, double mass, const char *name, double place, double *ignored,
                            struct error *error)
{
    if (mass > MAP_IGNORED_MASS)
        return fail_with(error, STATUS_NUMERIC,
                         "the map of %s folds at step t = %zu near %s%.4g, or changes faster than the grid resolves: "
                         "the score (with its error) is too steep there, and the law is not computed",
                         stage->sampler->name, stage->step->t, name, place);
    *ignored += 2.0 * mass;
    return STATUS_OK;
}
