#include "law/monotone.h"

#include <math.h>

#include "law/quadrature.h"
#include "law/tuning.h"

enum { STENCIL = 6, MOST_NEWTON = 60 };

/* D and D' at x[j]. */
static void differentiate(const struct monotone_map *map, double spacing, size_t count, const double *x,
                          double *displacement, double *slope)
{
    static const double offset[STENCIL] = {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0};
    static const double weight[STENCIL] = {-1.0 / 60.0, 9.0 / 60.0,  -45.0 / 60.0,
                                           45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0};
    double points[(STENCIL + 1) * MONOTONE_POINTS] = {0.0}, D[(STENCIL + 1) * MONOTONE_POINTS];
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            points[k * count + j] = x[j] + offset[k] * spacing;
    for (size_t j = 0; j < count; j++)
        points[STENCIL * count + j] = x[j];
    map->displacement(map->context, (STENCIL + 1) * count, points, D);
    for (size_t j = 0; j < count; j++) {
        slope[j] = 0.0;
        for (size_t k = 0; k < STENCIL; k++)
            slope[j] += weight[k] * D[k * count + j] / spacing;
        displacement[j] = D[STENCIL * count + j];
    }
}

void monotone_invert(const struct monotone_map *map, double length, size_t order, double a, size_t count,
                     const double *y, struct monotone_inverse *out)
{
    /* a power of two, so that the stencil's points are exact */
    double spacing = exp2(floor(log2(STENCIL_SPACING * length) - (double)order / CHECK_ORDERS)), missed = HUGE_VAL;
    out->evaluations = 0;
    for (size_t j = 0; j < count; j++)
        out->x[j] = a * y[j];
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
