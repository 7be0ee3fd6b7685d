#include "model/joint_plane.h"

#include <math.h>

#include "core/vmath.h"

/* Leaves those that are not below `least`. */
static void keep_near(struct joint_near *near, double least)
{
    size_t kept = 0;
    for (size_t row = 0; row < near->count; row++)
        if (!(near->highest[row] < least)) {
            near->k[kept] = near->k[row];
            near->highest[kept++] = near->highest[row];
        }
    near->count = kept;
}

bool joint_plane_find(const struct joint_level *joint, const struct joint_near *among, size_t anchor, size_t n,
                      size_t stride, const double *x, struct joint_near *near)
{
    size_t count = among != NULL ? among->count : joint->factor->components;
    double best = -HUGE_VAL, negligible = JOINT_NEGLIGIBLE_IN_PLANE + log((double)joint->factor->components);
    struct extremes range[2];
    if (joint->ellipse == NULL)
        return false;
    for (size_t i = 0; i < 2; i++)
        range[i] = vextremes(n, x + i * stride);
    near->count = 0;
    for (size_t row = 0; row < count; row++) {
        size_t k = among != NULL ? among->k[row] : row;
        const struct joint_ellipse *ellipse = &joint->ellipse[k];
        double least = 0.0, most = 0.0, narrow = ellipse->narrow, wide = ellipse->wide;
        for (size_t i = 0; i < 2; i++) {
            double centre = joint_level_centre(joint, k, anchor, i), below = centre - range[i].least,
                   above = range[i].most - centre;
            double outside = below < 0.0 ? below : above < 0.0 ? above : 0.0, across = below > above ? below : above;
            least += outside * outside;
            most += across * across;
        }
        double highest = joint->log_constant[k] - 0.5 * least / (wide * wide),
               lowest = joint->log_constant[k] - 0.5 * most / (narrow * narrow);
        best = lowest > best ? lowest : best;
        if (highest < best - negligible)
            continue;
        if (near->count == JOINT_BLOCK)
            keep_near(near, best - negligible);
        if (near->count == JOINT_BLOCK)
            return false;
        near->k[near->count] = k;
        near->highest[near->count++] = highest;
    }
    keep_near(near, best - negligible);
    return true;
}

/* In the plane, of components that are near: exponents and their largest in one pass, then weights and score. */
VECTOR_CLONES static void exponents_in_plane(const struct joint_level *joint, const struct joint_near *near,
                                             size_t anchor, size_t n, const double *const x[2], double *largest)
{
    for (size_t row = 0; row < near->count; row++) {
        size_t k = near->k[row];
        double *exponent = joint->scratch + row * JOINT_POINTS, constant = joint->log_constant[k],
               half = 0.5 * joint->inverse_variance[k], centre_x = joint_level_centre(joint, k, anchor, 0),
               centre_y = joint_level_centre(joint, k, anchor, 1);
        for (size_t j = 0; j < n; j++) {
            double u = x[0][j] - centre_x, v = x[1][j] - centre_y;
            exponent[j] = constant - half * (u * u + v * v);
            largest[j] = row > 0 && largest[j] > exponent[j] ? largest[j] : exponent[j];
        }
    }
}

/* The same of full covariances, in the coordinates z of their eigenvectors, whose squares do not cancel. */
VECTOR_CLONES static void exponents_of_ellipses(const struct joint_level *joint, const struct joint_near *near,
                                                size_t anchor, size_t n, const double *const x[2], double *largest)
{
    for (size_t row = 0; row < near->count; row++) {
        size_t k = near->k[row];
        const struct joint_ellipse *ellipse = &joint->ellipse[k];
        double *exponent = joint->scratch + row * JOINT_POINTS, constant = joint->log_constant[k],
               c = ellipse->axis[0], s = ellipse->axis[1], half_0 = 0.5 / (ellipse->narrow * ellipse->narrow),
               half_1 = 0.5 / (ellipse->wide * ellipse->wide), centre_x = joint_level_centre(joint, k, anchor, 0),
               centre_y = joint_level_centre(joint, k, anchor, 1);
        for (size_t j = 0; j < n; j++) {
            double u = x[0][j] - centre_x, v = x[1][j] - centre_y, z_0 = c * u + s * v, z_1 = c * v - s * u;
            exponent[j] = constant - (half_0 * (z_0 * z_0) + half_1 * (z_1 * z_1));
            largest[j] = row > 0 && largest[j] > exponent[j] ? largest[j] : exponent[j];
        }
    }
}

VECTOR_CLONES static void gradient_of_ellipses(const struct joint_level *joint, const struct joint_near *near,
                                               size_t anchor, size_t n, const double *const x[2], const double *total,
                                               double *score_x, double *score_y)
{
    for (size_t j = 0; j < n; j++)
        score_x[j] = score_y[j] = 0.0;
    for (size_t row = 0; row < near->count; row++) {
        size_t k = near->k[row];
        const struct joint_ellipse *ellipse = &joint->ellipse[k];
        const double *weight = joint->scratch + row * JOINT_POINTS;
        double c = ellipse->axis[0], s = ellipse->axis[1], inverse_0 = 1.0 / (ellipse->narrow * ellipse->narrow),
               inverse_1 = 1.0 / (ellipse->wide * ellipse->wide), centre_x = joint_level_centre(joint, k, anchor, 0),
               centre_y = joint_level_centre(joint, k, anchor, 1);
        for (size_t j = 0; j < n; j++) {
            double u = x[0][j] - centre_x, v = x[1][j] - centre_y, part = weight[j] / total[j],
                   z_0 = part * inverse_0 * (c * u + s * v), z_1 = part * inverse_1 * (c * v - s * u);
            score_x[j] -= c * z_0 - s * z_1;
            score_y[j] -= s * z_0 + c * z_1;
        }
    }
}

VECTOR_CLONES static void gradient_in_plane(const struct joint_level *joint, const struct joint_near *near,
                                            size_t anchor, size_t n, const double *const x[2], const double *total,
                                            double *score_x, double *score_y)
{
    double inverse_total[JOINT_POINTS];
    for (size_t j = 0; j < n; j++) {
        inverse_total[j] = 1.0 / total[j];
        score_x[j] = score_y[j] = 0.0;
    }
    for (size_t row = 0; row < near->count; row++) {
        size_t k = near->k[row];
        const double *weight = joint->scratch + row * JOINT_POINTS;
        double inverse = joint->inverse_variance[k], centre_x = joint_level_centre(joint, k, anchor, 0),
               centre_y = joint_level_centre(joint, k, anchor, 1);
        for (size_t j = 0; j < n; j++) {
            double part = weight[j] * inverse * inverse_total[j];
            score_x[j] -= part * (x[0][j] - centre_x);
            score_y[j] -= part * (x[1][j] - centre_y);
        }
    }
}

void joint_plane_evaluate(const struct joint_level *joint, const struct joint_near *near, size_t anchor, size_t n,
                          size_t stride, const double *x, double *largest, double *total, double *score)
{
    const double *const at[2] = {x, x + stride};
    bool full = joint->spectra != NULL;
    (full ? exponents_of_ellipses : exponents_in_plane)(joint, near, anchor, n, at, largest);
    vexp_rows(near->count, JOINT_POINTS, n, largest, joint->scratch, total);
    if (score != NULL)
        (full ? gradient_of_ellipses : gradient_in_plane)(joint, near, anchor, n, at, total, score, score + stride);
}
