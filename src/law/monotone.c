#include "law/monotone.h"

#include <math.h>
#include <string.h>

#include "core/vmath.h"
#include "law/quadrature.h"
#include "law/tuning.h"

enum { STENCIL = 6, MOST_NEWTON = 60, MOST_SECANTS = 12 };

static const double offsets[STENCIL] = {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0};
static const double weights[STENCIL] = {-1.0 / 60.0, 9.0 / 60.0, -45.0 / 60.0, 45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0};

VECTOR_CLONES static void set_stencil(double spacing, size_t count, const double *x, double *points)
{
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            points[k * count + j] = x[j] + offsets[k] * spacing;
    for (size_t j = 0; j < count; j++)
        points[STENCIL * count + j] = x[j];
}

VECTOR_CLONES static void read_stencil(double inverse_spacing, size_t count, const double *D, double *slope)
{
    for (size_t j = 0; j < count; j++)
        slope[j] = 0.0;
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            slope[j] += weights[k] * D[k * count + j] * inverse_spacing;
}

/* D and D' at x[j]; the spacing is a power of two. */
static void differentiate(const struct monotone_map *map, double spacing, size_t count, const double *x,
                          double *displacement, double *slope)
{
    double points[(STENCIL + 1) * MONOTONE_POINTS], D[(STENCIL + 1) * MONOTONE_POINTS];
    set_stencil(spacing, count, x, points);
    map->displacement(map->context, (STENCIL + 1) * count, points, D);
    read_stencil(1.0 / spacing, count, D, slope);
    memcpy(displacement, D + STENCIL * count, count * sizeof *D);
}

/* A step of the secant rule from x, before which it was at `before`, where D was `last`. Returns the largest slope.
 */
VECTOR_CLONES static double secant_step(double a, double nearest, size_t count, const double *y, const double *now,
                                        const double *last, double *before, double *x)
{
    double steepest = 0.0;
    for (size_t j = 0; j < count; j++) {
        double way = x[j] - before[j], slope = fabs(way) > nearest ? (now[j] - last[j]) / way : 0.0;
        steepest = fabs(slope) > steepest ? fabs(slope) : steepest;
        before[j] = x[j];
        x[j] += (a * y[j] - x[j] - now[j]) / (1.0 + slope);
    }
    return steepest;
}

VECTOR_CLONES static double largest_residual(double a, size_t count, const double *y, const double *x,
                                             const double *D)
{
    double largest = 0.0;
    for (size_t j = 0; j < count; j++) {
        double residual = fabs(a * y[j] - x[j] - D[j]);
        largest = residual > largest ? residual : largest;
    }
    return largest;
}

/* Solves x + D(x) = a y from x = a y by the secant rule, which needs no derivative. Returns the largest residual, in
 * lengths; HUGE_VAL, with x = a y, where that fails or D changes so fast that the root may not be the only one. */
static double solve_by_secants(const struct monotone_map *map, double length, double a, size_t count, const double *y,
                               struct monotone_inverse *out)
{
    double D[2][MONOTONE_POINTS] = {{0.0}}, before[MONOTONE_POINTS], missed = HUGE_VAL;
    memcpy(before, out->x, count * sizeof *before);
    for (int i = 0; i < MOST_SECANTS && !map->radial; i++) {
        map->displacement(map->context, count, out->x, D[i % 2]);
        out->evaluations += count;
        double now = largest_residual(a, count, y, out->x, D[i % 2]) / length;
        if (now <= NEWTON_CONVERGED || (now <= NEWTON_ACCEPTED && now >= missed))
            return now;
        missed = now;
        if (!(secant_step(a, NEWTON_ACCEPTED * length, count, y, D[i % 2], D[1 - i % 2], before, out->x)
              < SECANT_STEEPEST))
            break;
    }
    for (size_t j = 0; j < count; j++)
        out->x[j] = a * y[j];
    return HUGE_VAL;
}

void monotone_invert(const struct monotone_map *map, double length, size_t order, double a, size_t count,
                     const double *y, struct monotone_inverse *out)
{
    /* a power of two, so that the stencil's points are exact */
    double spacing = exp2(floor(log2(STENCIL_SPACING * length) - (double)order / CHECK_ORDERS));
    out->evaluations = 0;
    for (size_t j = 0; j < count; j++)
        out->x[j] = a * y[j];
    double missed = solve_by_secants(map, length, a, count, y, out);
    for (int i = 0; i < MOST_NEWTON; i++) {
        double before = missed, residual[MONOTONE_POINTS];
        differentiate(map, spacing, count, out->x, out->D, out->slope);
        out->evaluations += (STENCIL + 1) * count;
        missed = 0.0;
        for (size_t j = 0; j < count; j++) {
            residual[j] = a * y[j] - out->x[j] - out->D[j];
            out->good[j] = out->slope[j] > -1.0 && fabs(residual[j] / length) <= NEWTON_ACCEPTED;
            missed = fmax(missed, fabs(residual[j] / length));
        }
        if (missed <= NEWTON_CONVERGED || (missed <= NEWTON_ACCEPTED && missed >= before))
            break;
        for (size_t j = 0; j < count; j++) {
            double next = out->x[j] + residual[j] / fmax(1.0 + out->slope[j], 0.1);
            out->x[j] = map->radial ? fmax(next, 1e-3 * out->x[j]) : next;
        }
    }
    for (size_t j = 1; j < count; j++)
        out->good[j] &= out->x[j] > out->x[j - 1] || !out->good[j - 1];
    for (size_t j = 0; j < count; j++)
        out->x[j] = out->good[j] ? out->x[j] : a * y[j];
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
